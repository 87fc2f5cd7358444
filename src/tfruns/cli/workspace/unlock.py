"""`tfruns workspace unlock`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace, Yes
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.workspace.views import print_lock
from tfruns.views.workspaces import LockView


def unlock(
    workspace: SelectedWorkspace = None,
    *,
    force: Annotated[bool, Parameter(help="Remove the lock of another user")] = False,
    reason: Annotated[str, Parameter(name=["--reason", "-m"], help="Record this reason in the audit log")] = "",
    yes: Yes = False,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Unlock a workspace and release waiting runs.

    Only your own lock is removed; --force removes that of another user. --force asks for confirmation, and so does an
    unlock after which a run would apply without confirmation.

    For example:
        tfruns workspace unlock network
        tfruns workspace unlock network --force --reason "jane is on leave"
    """

    async def work(session: Session) -> None:
        name = await resolve_workspace(session, workspace, organization)
        action = "force_unlock" if force else "unlock"
        view = await session.call("set_workspace_lock", LockView, workspace_id=name, action=action, reason=reason)
        session.show(view, print_lock)

    run_command(work, options, is_confirmed=yes)
