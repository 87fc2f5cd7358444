"""What keeps a local backend from starting."""

import sys

# Nothing of it is in a package index: what is installed came from a checkout.
INSTALL_EXTRA = "In the checkout of tfruns: pip install '.[local]'"


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
