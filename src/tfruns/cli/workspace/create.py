"""`tfruns workspace create`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_organization
from tfruns.cli.workspace.settings import AUTO_APPLY, DESCRIPTION, VERSION, WORKING_DIRECTORY
from tfruns.cli.workspace.views import print_workspace
from tfruns.client.references import check_workspace_name
from tfruns.views.workspaces import WorkspaceView

_TAG = "Add a tag, KEY or KEY=VALUE. Repeatable"


def create(
    name: Annotated[str, Parameter(help="Name: letters, digits, hyphens and underscores")],
    /,
    *,
    organization: Organization = None,
    description: Annotated[str | None, Parameter(help=DESCRIPTION)] = None,
    auto_apply: Annotated[bool, Parameter(help=AUTO_APPLY)] = False,
    terraform_version: Annotated[str | None, Parameter(help=VERSION)] = None,
    working_directory: Annotated[str | None, Parameter(help=WORKING_DIRECTORY)] = None,
    tag: Annotated[tuple[str, ...], Parameter(help=_TAG)] = (),
    options: CommonOptions = DEFAULTS,
) -> None:
    """Create a workspace.

    For example:
        tfruns workspace create network --organization acme
        tfruns workspace create network --tag team=core --tag prod
        tfruns workspace create practice --local
    """

    async def work(session: Session) -> None:
        valid = check_workspace_name(name)
        view = await session.with_consent().call(  # typing the command is the consent
            "save_workspace",
            WorkspaceView,
            workspace_id=f"{await resolve_organization(session, organization)}/{valid}",
            create=True,
            description=description,
            auto_apply=auto_apply or None,
            terraform_version=terraform_version,
            working_directory=working_directory,
            tags=[text.replace("=", ":", 1) for text in tag] or None,
        )
        session.show(view, print_workspace)

    run_command(work, options)
