"""`tfruns profile remove`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.completers import complete_profiles
from tfruns.cli.profiles import remove_profile
from tfruns.cli.terminal import exit_on_error, say


def remove(name: Annotated[str, Parameter(help="Name of the profile", completer=complete_profiles)], /) -> None:
    """Remove a profile.

    Stored tokens stay: use `tfruns logout`.

    For example:
        tfruns profile remove work
    """
    with exit_on_error(is_json=False):
        remove_profile(name)
    say(f"Removed the profile {name}.")
