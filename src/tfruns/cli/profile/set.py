"""`tfruns profile set`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.options import OUTPUT_DEFAULTS, OutputOptions
from tfruns.cli.output import show
from tfruns.cli.profile.views import print_profile, profile_view
from tfruns.cli.profiles import Profile, load_profiles, save_profile
from tfruns.errors import InvalidInput

_CONFIRM = "Select when a person has to confirm, as for tfruns mcp"
_UNSET = "Remove a setting from the profile. Repeatable"

Setting = Literal["address", "organization", "workspace", "local", "data-dir", "confirm"]


def set_profile(
    name: Annotated[str, Parameter(help="Name of the profile")],
    /,
    *,
    address: Annotated[str | None, Parameter(help="Use the API at this address")] = None,
    organization: Annotated[str | None, Parameter(name=["--organization", "-o"], help="Use this organization")] = None,
    workspace: Annotated[str | None, Parameter(name=["--workspace", "-w"], help="Use this workspace")] = None,
    local: Annotated[bool, Parameter(help="Use the local backend")] = False,
    data_dir: Annotated[Path | None, Parameter(help="Use the local backend of this data directory")] = None,
    confirm: Annotated[Literal["auto", "review", "always", "page", "never"] | None, Parameter(help=_CONFIRM)] = None,
    unset: Annotated[tuple[Setting, ...], Parameter(help=_UNSET)] = (),
    output: OutputOptions = OUTPUT_DEFAULTS,
) -> None:
    """Create a profile, or change its settings.

    Settings that are not given stay as they are. A profile never contains a token: use `tfruns login`. In a terminal,
    --confirm never is the same as --yes in each command.

    For example:
        tfruns profile set work --organization acme --workspace network
        tfruns profile set onprem --address https://tfe.example.com
        tfruns profile set try --local
    """
    with output.active():
        profiles = load_profiles()
        given = {
            "address": address,
            "organization": organization,
            "workspace": workspace,
            "local": local or None,
            "data_dir": str(data_dir.expanduser().absolute()) if data_dir else None,
            "confirm": confirm,
        }
        changes = {setting: value for setting, value in given.items() if value is not None}
        removed = {setting.replace("-", "_"): None for setting in unset}
        if changes.keys() & removed.keys():
            raise InvalidInput("A setting is both set and removed.", solution="Omit the option, or --unset.")
        profile = replace(profiles.by_name.get(name, Profile(name)), **removed, **changes)  # type: ignore[arg-type]
        save_profile(profile)
        show(profile_view(profile, profiles.used), print_profile, is_json=output.json)
