"""`tfruns state rollback`."""

from functools import partial
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace, Yes
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_fields
from tfruns.cli.targets import resolve_workspace
from tfruns.views.workspaces import RolledBackView


def rollback(
    state_version: Annotated[str, Parameter(help="Id of the state version, from `tfruns state list`")],
    /,
    *,
    yes: Yes = False,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Make an earlier state the current one.

    Lock the workspace first. Real resources do not change: the next plan compares them with the old state. Asks for
    confirmation.

    For example:
        tfruns state rollback sv-bWfq4Y1YpRKW4mx7 --workspace network
    """

    async def work(session: Session) -> None:
        view = await session.call(
            "roll_back_state",
            RolledBackView,
            workspace_id=await resolve_workspace(session, workspace, organization),
            state_version_id=state_version,
        )
        session.show(view, partial(_print, session))

    run_command(work, options, is_confirmed=yes)


def _print(session: Session, view: RolledBackView) -> None:
    print_fields(
        {
            "state version": view.state_version_id,
            "serial": view.serial,
            "copy of": view.copy_of,
            "next": session.next_text(view.follows, view.next_actions),
        }
    )
