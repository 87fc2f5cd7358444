"""The results of the commands for profiles."""

from dataclasses import dataclass

from tfruns.cli.profiles import SETTINGS, Profile
from tfruns.cli.tables import print_fields
from tfruns.views.base import View, kept


@dataclass(frozen=True, slots=True)
class ProfileView(View):
    """A profile.

    Attributes:
        used: it is used if neither the command nor the environment names another.
    """

    name: str
    used: bool = kept(default=False)
    address: str | None = None
    organization: str | None = None
    workspace: str | None = None
    local: bool | None = None
    data_dir: str | None = None
    confirm: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileList(View):
    """All profiles, and the file that contains them."""

    ROWS = "profiles"

    profiles: tuple[ProfileView, ...] = kept()
    file: str = ""


def profile_view(profile: Profile, used: str | None) -> ProfileView:
    """The view of a profile."""
    settings = {name: getattr(profile, name) for name in SETTINGS}
    return ProfileView(profile.name, profile.name == used, **settings)


def print_profile(view: ProfileView) -> None:
    """Print a line for each setting."""
    settings = {name.replace("_", " "): getattr(view, name) for name in SETTINGS}
    print_fields({"profile": view.name, "used": view.used, **settings})
