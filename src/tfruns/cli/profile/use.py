"""`tfruns profile use`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.completers import complete_profiles
from tfruns.cli.profiles import use_profile
from tfruns.cli.terminal import exit_on_error, say
from tfruns.errors import InvalidInput


def use(
    name: Annotated[str | None, Parameter(help="Name of the profile", completer=complete_profiles)] = None,
    /,
    *,
    none: Annotated[bool, Parameter(help="Use no profile")] = False,
) -> None:
    """Set the default profile.

    --profile and TFRUNS_PROFILE override it. In a directory with a `cloud` block, the block takes precedence over the
    address, the organization and the workspace of this profile, unless the profile is local.

    For example:
        tfruns profile use work
        tfruns profile use --none
    """
    with exit_on_error(is_json=False):
        if none is (name is not None):
            raise InvalidInput("Name a profile, or use --none.", solution="For example: tfruns profile use work")
        use_profile(name)
    say(f"{name} is now the default profile." if name else "No default profile is set.")
