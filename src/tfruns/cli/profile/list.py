"""`tfruns profile list`."""

from tfruns.cli.options import OUTPUT_DEFAULTS, OutputOptions
from tfruns.cli.output import show
from tfruns.cli.profile.views import ProfileList, profile_view
from tfruns.cli.profiles import load_profiles, profiles_file
from tfruns.cli.tables import Column, print_table
from tfruns.cli.terminal import say

_COLUMNS = (
    Column("profile", is_key=True),
    Column("used", is_key=True),
    Column("address", is_key=True),
    Column("organization", is_key=True),
    Column("workspace", is_key=True),
    Column("local", hides=2),
    Column("data directory", hides=1),
    Column("confirm", hides=3),
)


def list_profiles(*, output: OutputOptions = OUTPUT_DEFAULTS) -> None:
    """List the profiles.

    The active profile is set with --profile, TFRUNS_PROFILE or `tfruns profile use`, in this order.

    For example:
        tfruns profile list
        tfruns profile list --json name,organization
    """
    with output.active():
        profiles = load_profiles()
        rows = tuple(profile_view(profile, profiles.used) for profile in profiles.by_name.values())
        show(ProfileList(rows, str(profiles_file())), _print, is_json=output.json)


def _print(view: ProfileList) -> None:
    rows = [
        (
            row.name,
            row.used or None,
            row.address,
            row.organization,
            row.workspace,
            row.local,
            row.data_dir,
            row.confirm,
        )
        for row in view.profiles
    ]
    print_table(_COLUMNS, rows)
    if not rows:
        say(f"There are no profiles in {view.file}. To create one: tfruns profile set NAME --organization NAME")
