"""`tfruns run`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app

run = new_app("run")

add_commands(
    run,
    "tfruns.cli.run",
    {
        "create": "create:create",
        "rerun": "rerun:rerun",
        "list": "list:list_runs",
        "status": "status:status",
        "show": "show:show",
        "open": "open:open_run",
        "review": "review:review",
        "plan": "plan:plan",
        "wait": "wait:wait",
        "logs": "logs:logs",
        "diagnose": "diagnose:diagnose",
        "outcome": "outcome:outcome",
        "history": "history:history",
        "apply": "apply:apply",
        "discard": "discard:discard",
        "cancel": "cancel:cancel",
        "force-cancel": "force_cancel:force_cancel",
        "force-execute": "force_execute:force_execute",
        "comment": "comment:comment",
    },
)
