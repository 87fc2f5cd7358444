"""The command line: the only package that imports the command-line and terminal libraries."""

import gc
import os
import signal
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 20_000  # by default 700: imports alone would be looked through a hundred times


def main() -> None:
    """The command `tfruns`."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    from cyclopts import CycloptsError  # noqa: PLC0415

    from tfruns.cli.app import app  # noqa: PLC0415

    _restore_interrupt()
    try:
        try:
            app(exit_on_error=False)
        finally:
            if not sys.stdout.closed:
                sys.stdout.flush()
    except CycloptsError:  # it was printed
        sys.exit(2)
    except BrokenPipeError:  # who read the output has ended, as `head` does; Python would say so once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _restore_interrupt() -> None:
    """Let Ctrl-C (SIGINT) stop this process and its children.

    A shell that starts a command in the background of a script has it ignored, and Python and its children inherit
    that: neither a `kill -INT` nor the interrupt of a run would have an effect.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
