"""`tfruns workspace delete`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, SELECT_WORKSPACE, CommonOptions, Organization, Yes
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import say
from tfruns.views.workspaces import DeletedWorkspaceView


def delete(
    workspace: Annotated[str, Parameter(help=SELECT_WORKSPACE)],
    /,
    *,
    yes: Yes = False,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Delete a workspace with its history.

    Asks for confirmation. A workspace that is locked or manages resources is not deleted. The workspace argument is
    required: neither TF_WORKSPACE nor the `cloud` block is used.

    For example:
        tfruns workspace delete practice
    """

    async def work(session: Session) -> None:
        name = await resolve_workspace(session, workspace, organization)
        view = await session.call("delete_workspace", DeletedWorkspaceView, workspace_id=name)
        session.show(view, lambda view: say(f"Deleted {view.name or view.workspace_id}."))

    run_command(work, options, is_confirmed=yes)
