"""The commands of `tfruns`. The module of a command is imported when the command is called."""

from tfruns._version import __version__
from tfruns.cli.commands import add_commands, help_of, new_app

app = new_app(
    "tfruns",
    version=f"tfruns {__version__}",
    help="""Manage Terraform runs in HCP Terraform, Terraform Enterprise, or locally.

Organization and workspace default to TF_CLOUD_ORGANIZATION and TF_WORKSPACE, or to the directory's `cloud` block.

For example:
    tfruns login
    tfruns run list --workspace network
    tfruns mcp
""",
)

app.command("tfruns.cli.run:run", name="run", help="Create, watch, review and apply runs.")
app.command("tfruns.cli.workspace:workspace", name="workspace", help="Show, change and lock workspaces.")
app.command("tfruns.cli.config:config", name="config", help="Upload and list configurations.")
app.command("tfruns.cli.profile:profile", name="profile", help="Name the settings for an API and a workspace.")
app.command("tfruns.cli.variable:variable", name="variable", help="List and set variables of a workspace.")
app.command("tfruns.cli.state:state", name="state", help="List state versions, and roll back to one.")
app.command("tfruns.cli.web:web", name="web", help=help_of("tfruns.cli.web.serve:serve"))
app.command("tfruns.cli.server:server", name="server", help=help_of("tfruns.cli.server.serve:serve"))
add_commands(
    app,
    "tfruns.cli",
    {
        "mcp": "mcp:mcp",
        "login": "login:login",
        "logout": "logout:logout",
        "doctor": "doctor.command:doctor",
        "completion": "completion:completion",
    },
)
