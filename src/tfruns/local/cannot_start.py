"""What keeps a local backend from starting."""

import sys


class CannotStart(Exception):
    """A local backend cannot be started. The text says why, and what to do about it."""


class UnsupportedPlatform(CannotStart):
    """Runs cannot be executed on this kind of machine."""


def check_platform() -> None:
    """Refuse to start where Terraform cannot be interrupted, or killed with all that it has started.

    Raises:
        UnsupportedPlatform: on Windows.
    """
    if sys.platform == "win32":
        raise UnsupportedPlatform("The local backend runs on Linux and macOS; on Windows, run it in WSL.")
