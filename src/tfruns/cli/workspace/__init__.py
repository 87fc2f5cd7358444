"""`tfruns workspace`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app

workspace = new_app("workspace")

add_commands(
    workspace,
    "tfruns.cli.workspace",
    {
        "list": "list:list_workspaces",
        "show": "show:show",
        "outputs": "outputs:outputs",
        "resources": "resources:resources",
        "actions": "actions:actions",
        "health": "health:health",
        "create": "create:create",
        "update": "update:update",
        "delete": "delete:delete",
        "lock": "lock:lock",
        "unlock": "unlock:unlock",
    },
)
