"""The errors that prevent a local backend from starting."""

import sys

# tfruns is not in a package index: it was installed from a checkout.
INSTALL_EXTRA = "In the checkout of tfruns: pip install '.[local]'"


class CannotStart(Exception):
    """A local backend cannot be started. The text states the cause and the solution."""


class UnsupportedPlatform(CannotStart):
    """Runs cannot be executed on this platform."""


def check_platform() -> None:
    """Refuse a platform on which Terraform cannot be interrupted, or killed with all of its child processes.

    Raises:
        UnsupportedPlatform: this is Windows.
    """
    if sys.platform == "win32":
        raise UnsupportedPlatform("The local backend runs on Linux and macOS. On Windows, use WSL.")
