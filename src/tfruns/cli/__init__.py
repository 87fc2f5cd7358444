"""The command line: the only package that imports the command-line and terminal libraries."""

import os
import sys


def main() -> None:
    """The command `tfruns`."""
    from cyclopts import CycloptsError  # noqa: PLC0415

    from tfruns.cli.app import app  # noqa: PLC0415

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
