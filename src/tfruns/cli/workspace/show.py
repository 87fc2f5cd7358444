"""`tfruns workspace show`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, WHICH_WORKSPACE, Options, Organization
from tfruns.cli.session import Session, command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.workspace.views import print_workspace, workspace_view


def show(
    workspace: Annotated[str | None, Parameter(help=WHICH_WORKSPACE)] = None,
    /,
    *,
    organization: Organization = None,
    options: Options = DEFAULTS,
) -> None:
    """Show a workspace: its settings, its current run, who holds it, and what this token may do there.

    For example:
        tfruns workspace show network
        tfruns workspace show acme/network --json
    """

    async def work(session: Session) -> None:
        name = resolve_workspace(session, workspace, organization)
        found = await session.gate.client.workspaces.read(name, include=["current_run"])
        session.show(workspace_view(found), print_workspace)

    command(work, options)
