"""`tfruns run`: one file for each command, imported when it is called."""

from tfruns.cli.commands import add_commands, new_app

run = new_app("run")

add_commands(
    run,
    "tfruns.cli.run",
    {
        "list": "listing:list_runs",
        "show": "showing:show",
    },
)
