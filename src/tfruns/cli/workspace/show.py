"""`tfruns workspace show`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, SELECT_WORKSPACE, CommonOptions, Organization
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.workspace.views import print_workspace, workspace_view


def show(
    workspace: Annotated[str | None, Parameter(help=SELECT_WORKSPACE)] = None,
    /,
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
        found = await session.gate.client.workspaces.read(name, include=["current_run"])
        session.show(workspace_view(found), print_workspace)

    run_command(work, options)
