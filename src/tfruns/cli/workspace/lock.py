"""`tfruns workspace lock`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.workspace.views import print_lock
from tfruns.views.workspaces import LockView


def lock(
    workspace: SelectedWorkspace = None,
    *,
    reason: Annotated[str, Parameter(name=["--reason", "-m"], help="Show this reason while it is locked")] = "",
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Lock a workspace and hold new runs.

    New runs are accepted. They start when the workspace is unlocked.

    For example:
        tfruns workspace lock network --reason "Maintenance until 18:00"
    """

    async def work(session: Session) -> None:
        name = await resolve_workspace(session, workspace, organization)
        view = await session.call("set_workspace_lock", LockView, workspace_id=name, action="lock", reason=reason)
        session.show(view, print_lock)

    run_command(work, options)
