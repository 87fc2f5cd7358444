"""The command line: the only package that imports the command-line and terminal libraries."""

import sys


def main() -> None:
    """The command `tfruns`."""
    from tfruns.cli.app import app  # noqa: PLC0415

    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
