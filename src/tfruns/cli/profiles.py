"""Profiles: named settings for an API, an organization and a workspace, in a file of the user.

The file never contains a token: tokens are found by host, as without a profile. A directory cannot select a profile.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tfruns.errors import InvalidInput
from tfruns.home import user_path
from tfruns.policy import Confirm

if TYPE_CHECKING:
    from tfruns.client.address import Address

_TRUE = {"1", "true", "yes", "on"}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONFIRMS = tuple(str(confirm) for confirm in Confirm)


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings of a profile. A setting that is None is not part of it.

    Attributes:
        name: the name.
        address: the address of the API.
        organization: the organization.
        workspace: the workspace.
        local: whether to use the local backend.
        data_dir: the data directory of the local backend.
        confirm: when a person has to confirm, as for `tfruns mcp --confirm`.
        is_default: it is used because of `tfruns profile use`, and not because the command or the environment names it.
    """

    name: str = ""
    address: str | None = None
    organization: str | None = None
    workspace: str | None = None
    local: bool | None = None
    data_dir: str | None = None
    confirm: str | None = None
    is_default: bool = False

    def named(self, setting: str) -> str | None:
        """A setting, if the command or the environment names the profile."""
        return None if self.is_default else getattr(self, setting)

    def for_api(self, address: "Address", *, is_local: bool) -> "Profile":
        """The profile without its organization and workspace if it is for another API than the one that is used."""
        from tfruns.client.address import parse_address  # noqa: PLC0415

        is_other = not is_local and self.address is not None and parse_address(self.address) != address
        if is_local is not bool(self.local) or is_other:
            return replace(self, organization=None, workspace=None)
        return self

    @property
    def data_path(self) -> Path | None:
        """The data directory of the local backend."""
        return Path(self.data_dir) if self.data_dir else None

    @property
    def settings(self) -> dict[str, str | bool]:
        """The settings as in the file."""
        values = {name: getattr(self, name) for name in SETTINGS}
        return {name: value for name, value in values.items() if value is not None}


NO_PROFILE = Profile()
SETTINGS = tuple(field.name for field in fields(Profile) if field.name not in {"name", "is_default"})
_TYPES = {field.name: bool if bool in get_args(field.type) else str for field in fields(Profile)}


@dataclass(frozen=True, slots=True)
class Profiles:
    """The content of the file.

    Attributes:
        used: the name of the profile that is used by default.
        by_name: all profiles.
    """

    used: str | None
    by_name: Mapping[str, Profile]

    def named(self, name: str) -> Profile:
        """A profile.

        Raises:
            InvalidInput: it does not exist.
        """
        if name not in self.by_name:
            existing = ", ".join(self.by_name) or "none"
            raise InvalidInput(
                f"There is no profile {name}.",
                cause=f"The profiles in {profiles_file()} are: {existing}.",
                solution=f"Create it: tfruns profile set {name} --organization NAME",
            )
        return self.by_name[name]


def profiles_file() -> Path:
    """The file with the profiles: `TFRUNS_CONFIG_FILE`, or config.toml in the user's directory for configuration."""

    def find() -> Path:
        if given := os.environ.get("TFRUNS_CONFIG_FILE"):
            return Path(given)
        if str(sys.platform) == "linux":  # as platformdirs does, whose import takes too long for every command
            return Path(os.environ.get("XDG_CONFIG_HOME", "").strip() or "~/.config") / "tfruns" / "config.toml"
        import platformdirs  # noqa: PLC0415

        return platformdirs.user_config_path("tfruns", appauthor=False) / "config.toml"

    return user_path(find, instead="set TFRUNS_CONFIG_FILE to an absolute path")


def active_profile(given: str | None) -> Profile:
    """The profile of the command, of `TFRUNS_PROFILE`, or of `tfruns profile use`; else an empty one.

    Args:
        given: the value of --profile.

    Raises:
        InvalidInput: the profile does not exist, or the file is invalid.
    """
    name = given or os.environ.get("TFRUNS_PROFILE", "").strip()
    if name:
        return load_profiles().named(name)
    if not profiles_file().exists():
        return NO_PROFILE
    profiles = load_profiles()
    return replace(profiles.named(profiles.used), is_default=True) if profiles.used else NO_PROFILE


def is_local_by_environment() -> bool:
    """Whether `TFRUNS_LOCAL` selects the local backend."""
    return os.environ.get("TFRUNS_LOCAL", "").strip().lower() in _TRUE


def load_profiles() -> Profiles:
    """Read the file. A missing one has no profiles.

    Raises:
        InvalidInput: the file cannot be read, or is invalid.
    """
    import tomllib  # noqa: PLC0415  # only if there is a file

    path = profiles_file()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Profiles(None, {})
    except (OSError, ValueError) as error:
        raise _invalid(path, str(error)) from None
    tables, used = document.get("profiles", {}), document.get("profile")
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise _invalid(path, "profiles is not a table of tables")
    if not isinstance(used, str | None):
        raise _invalid(path, "profile is not a name")
    return Profiles(used, {name: _profile(path, name, table) for name, table in tables.items()})


def _profile(path: Path, name: str, table: Mapping[str, Any]) -> Profile:
    for key, value in table.items():
        if key not in SETTINGS:
            raise _invalid(path, f"the profile {name} has an unknown setting, {key}. Settings: {', '.join(SETTINGS)}")
        if not isinstance(value, _TYPES[key]):
            raise _invalid(
                path, f"{key} of the profile {name} is not a {'boolean' if _TYPES[key] is bool else 'string'}"
            )
    if table.get("confirm", _CONFIRMS[0]) not in _CONFIRMS:
        raise _invalid(path, f"confirm of the profile {name} is not one of {', '.join(_CONFIRMS)}")
    return Profile(name, **table)


def _invalid(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"The file {path} is invalid: {why}.", solution="Correct it, or delete it.")


# -- changes ----------------------------------------------------------------------------------------------------------


def save_profile(profile: Profile) -> None:
    """Add a profile, or replace the settings of an existing one.

    Raises:
        InvalidInput: the name or a setting is invalid.
    """
    if not _NAME.fullmatch(profile.name):
        raise InvalidInput(
            f"{profile.name} is not a valid profile name.",
            solution="Use letters, digits, - and _, at most 64 characters.",
        )
    if profile.address is not None:
        from tfruns.client.address import parse_address  # noqa: PLC0415

        parse_address(profile.address, what="--address")
    if profile.local and profile.address:
        raise InvalidInput("A profile with --local has no address.", solution="Add --unset address, or omit --local.")

    def change(document: Any) -> None:
        table = document.setdefault("profiles", {}).setdefault(profile.name, {})
        for name in [name for name in table if name not in profile.settings]:
            del table[name]
        for name, value in profile.settings.items():
            table[name] = value

    _change(change)


def use_profile(name: str | None) -> None:
    """Use a profile by default; None for no profile.

    Raises:
        InvalidInput: it does not exist.
    """
    if name is not None:
        load_profiles().named(name)

    def change(document: Any) -> None:
        if name is not None:
            document["profile"] = name
        else:
            document.pop("profile", None)

    _change(change)


def remove_profile(name: str) -> None:
    """Remove a profile.

    Raises:
        InvalidInput: it does not exist.
    """
    load_profiles().named(name)

    def change(document: Any) -> None:
        del document["profiles"][name]
        if document.get("profile") == name:
            del document["profile"]

    _change(change)


def _change(change: Callable[[Any], None]) -> None:
    """Change the file, which only its owner can read. Comments are kept."""
    import tomlkit  # noqa: PLC0415  # most commands only read the file

    from tfruns.client.credentials_store import write_privately  # noqa: PLC0415

    load_profiles()  # refuse to change an invalid file
    path = profiles_file()
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    change(document)
    write_privately(path, tomlkit.dumps(document))
