"""`tfruns workspace show`."""

from tfruns.cli.browser import Web, open_page
from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.workspace.views import print_workspace
from tfruns.views.runs import workspace_url
from tfruns.views.workspaces import WorkspaceView


def show(
    workspace: SelectedWorkspace = None,
    *,
    web: Web = False,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show the settings and the current run of a workspace.

    Also shows what locks it, and the permissions of the token.

    For example:
        tfruns workspace show network
        tfruns workspace show acme/network --json
    """

    async def work(session: Session) -> None:
        name = await resolve_workspace(session, workspace, organization)
        view = await session.call("get_workspace_details", WorkspaceView, workspace_id=name)
        if web:
            await open_page(session, workspace_url(view.organization, view.name, session.gate.client.settings.address))
            return
        session.show(view, print_workspace)

    run_command(work, options)
