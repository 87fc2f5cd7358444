"""`tfruns run`: one file for each command, imported when it is called."""

from tfruns.cli.commands import add_commands, new_app

run = new_app("run")

add_commands(
    run,
    "tfruns.cli.run",
    {
        "create": "creating:create",
        "list": "listing:list_runs",
        "show": "showing:show",
        "review": "reviewing:review",
        "wait": "waiting:wait",
        "logs": "logs:logs",
        "diagnose": "diagnosing:diagnose",
        "history": "history:history",
        "apply": "applying:apply",
        "discard": "discarding:discard",
        "cancel": "canceling:cancel",
        "force-cancel": "forcing:force_cancel",
        "force-execute": "forcing:force_execute",
        "comment": "commenting:comment",
    },
)
