"""`tfruns variable delete`."""

from typing import Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace, Yes
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.variable.set import print_variable
from tfruns.views.workspaces import VariableView


def delete(
    key: Annotated[str, Parameter(help="Name of the variable")],
    /,
    *,
    category: Annotated[Literal["terraform", "env"], Parameter(help="Delete a Terraform or environment variable")] = (
        "terraform"
    ),
    yes: Yes = False,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Delete a variable of a workspace.

    Asks for confirmation: the value of a sensitive variable cannot be read back.

    For example:
        tfruns variable delete region --workspace network
    """

    async def work(session: Session) -> None:
        view = await session.call(
            "set_variable",
            VariableView,
            workspace_id=await resolve_workspace(session, workspace, organization),
            key=key,
            category=category,
            delete=True,
        )
        session.show(view, print_variable)

    run_command(work, options, is_confirmed=yes)
