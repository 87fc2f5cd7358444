"""The command line. Only this package imports the command-line and terminal libraries."""

import gc
import os
import signal
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 200_000  # a quick command creates some 100,000, and none of them is garbage


def main() -> None:
    """Run the command `tfruns`."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    from cyclopts import CycloptsError  # noqa: PLC0415

    from tfruns.cli.app import app  # noqa: PLC0415

    _restore_interrupt()
    try:
        try:
            app(_tokens(), exit_on_error=False, print_error=False)
        finally:
            gc.freeze()  # without this, the collections at exit take a fifth of the time of a quick command
            if not sys.stdout.closed:
                sys.stdout.flush()
    except CycloptsError as error:
        from tfruns.cli.terminal import say  # noqa: PLC0415  # only on failure
        from tfruns.cli.usage_errors import usage_text  # noqa: PLC0415

        say(usage_text(error))
        sys.exit(2)
    except BrokenPipeError:  # the reader of stdout exited, as `head` does; without this, Python reports it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _tokens() -> list[str]:
    """The words of the command line."""
    tokens = sys.argv[1:]
    if tokens[:1] == ["__complete"] or not any(token.startswith("--json") for token in tokens):
        return tokens
    from tfruns.cli.json_fields import with_json_fields  # noqa: PLC0415
    from tfruns.cli.terminal import exit_on_error  # noqa: PLC0415

    with exit_on_error(is_json=False):
        return with_json_fields(tokens)


def _restore_interrupt() -> None:
    """Let Ctrl-C (SIGINT) stop this process and its children.

    A shell starts a background command of a script with SIGINT ignored. Python and its children inherit that, so that
    neither `kill -INT` nor the interrupt of a run would have an effect.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
