"""The command line: the only package that imports the command-line and terminal libraries."""

import sys


def main() -> None:
    """The command `tfruns`."""
    from cyclopts import CycloptsError  # noqa: PLC0415

    from tfruns.cli.app import app  # noqa: PLC0415

    try:
        app(exit_on_error=False)
    except CycloptsError:  # it was printed
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
