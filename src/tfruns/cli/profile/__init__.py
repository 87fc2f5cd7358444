"""`tfruns profile`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app

profile = new_app("profile")

add_commands(
    profile,
    "tfruns.cli.profile",
    {"list": "list:list_profiles", "set": "set:set_profile", "use": "use:use", "remove": "remove:remove"},
)
