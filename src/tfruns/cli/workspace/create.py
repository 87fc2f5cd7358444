"""`tfruns workspace create`. It has no tool, because workspaces are for a person to create."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_organization
from tfruns.cli.workspace.views import print_workspace, workspace_view
from tfruns.errors import InvalidInput
from tfruns.gate.audit import outcome_of
from tfruns.gate.consent import Consent

_AUTO_APPLY = "Apply runs automatically after a successful plan"
_VERSION = "Use this Terraform version, constraint, or latest"
_DIRECTORY = "Execute Terraform in this directory of the configuration"
_TAG = "Add a tag, KEY or KEY=VALUE. Repeatable"


def create(
    name: Annotated[str, Parameter(help="Name: letters, digits, hyphens and underscores")],
    /,
    *,
    organization: Organization = None,
    auto_apply: Annotated[bool, Parameter(help=_AUTO_APPLY)] = False,
    terraform_version: Annotated[str | None, Parameter(help=_VERSION)] = None,
    working_directory: Annotated[str | None, Parameter(help=_DIRECTORY)] = None,
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
        owner = await resolve_organization(session, organization)
        tags = _tags(tag)
        settings = {"terraform_version": terraform_version, "working_directory": working_directory}
        given = {"auto_apply": auto_apply, **settings, "tags": tags}
        entry = await session.gate.audit.begin(
            {
                "tool": "create_workspace",
                "arguments": {"organization": owner, "name": name, **{k: v for k, v in given.items() if v}},
                "confirmed": Consent.NONE.value,
            }
        )
        try:
            created = await session.gate.client.workspaces.create(
                owner, name, auto_apply=auto_apply or None, tags=tags, **settings
            )
        except BaseException as error:
            await entry.end(outcome_of(error))
            raise
        await entry.end({"outcome": "accepted", "workspace": created.id})
        session.show(workspace_view(created), print_workspace)

    run_command(work, options)


def _tags(texts: tuple[str, ...]) -> dict[str, str]:
    """The tags by key.

    Raises:
        InvalidInput: a tag has no key.
    """
    tags = {key.strip(): value.strip() for key, _, value in (text.partition("=") for text in texts)}
    if "" in tags:
        raise InvalidInput("A tag has no key.", solution="Write it KEY or KEY=VALUE.")
    return tags
