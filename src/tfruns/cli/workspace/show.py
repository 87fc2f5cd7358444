"""`tfruns workspace show`."""

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.workspace.views import print_workspace
from tfruns.views.workspaces import WorkspaceView


def show(
    workspace: SelectedWorkspace = None,
    *,
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
        session.show(await session.call("get_workspace_details", WorkspaceView, workspace_id=name), print_workspace)

    run_command(work, options)
