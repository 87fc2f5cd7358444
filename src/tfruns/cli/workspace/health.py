"""`tfruns workspace health`."""

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_fields
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import say
from tfruns.views.base import as_json
from tfruns.views.workspaces import HealthRow, WorkspacePartPage


def health(
    workspace: SelectedWorkspace = None,
    *,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show the latest health assessment: drift and checks.

    HCP Terraform assesses a workspace if health assessments are enabled for it. The local backend has none.

    For example:
        tfruns workspace health network
    """

    async def work(session: Session) -> None:
        name = await resolve_workspace(session, workspace, organization)
        view = await session.call("get_workspace_details", WorkspacePartPage, workspace_id=name, part="health")
        session.show(view, _print)

    run_command(work, options)


def _print(view: WorkspacePartPage) -> None:
    for row in view.rows:
        if isinstance(row, HealthRow):
            print_fields({name.replace("_", " "): getattr(row, name) for name in as_json(row)})
    if view.note:
        say(view.note)
