"""`tfruns workspace update`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.workspace.settings import AUTO_APPLY, DESCRIPTION, VERSION, WORKING_DIRECTORY
from tfruns.cli.workspace.views import print_workspace
from tfruns.views.workspaces import WorkspaceView


def update(
    workspace: SelectedWorkspace = None,
    *,
    name: Annotated[str, Parameter(help="Rename the workspace")] = "",
    description: Annotated[str | None, Parameter(help=DESCRIPTION)] = None,
    auto_apply: Annotated[bool | None, Parameter(help=AUTO_APPLY, negative="--no-auto-apply")] = None,
    terraform_version: Annotated[str | None, Parameter(help=VERSION)] = None,
    working_directory: Annotated[str | None, Parameter(help=WORKING_DIRECTORY)] = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Change the settings of a workspace.

    Omitted settings do not change.

    For example:
        tfruns workspace update network --terraform-version 1.11.4
        tfruns workspace update network --no-auto-apply --description "Subnets and routes"
    """

    async def work(session: Session) -> None:
        view = await session.with_consent().call(  # typing the command is the consent
            "save_workspace",
            WorkspaceView,
            workspace_id=await resolve_workspace(session, workspace, organization),
            name=name,
            description=description,
            auto_apply=auto_apply,
            terraform_version=terraform_version,
            working_directory=working_directory,
        )
        session.show(view, print_workspace)

    run_command(work, options)
