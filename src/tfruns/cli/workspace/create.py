"""`tfruns workspace create`. There is no tool for it: an assistant manages runs, a person makes the places for them."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, Options, Organization
from tfruns.cli.session import Session, command
from tfruns.cli.targets import resolve_organization
from tfruns.cli.workspace.views import print_workspace, workspace_view
from tfruns.errors import InvalidInput
from tfruns.gate.audit import outcome_of
from tfruns.gate.consent import Consent

_AUTO_APPLY = "Apply each run by itself when its plan succeeds"
_VERSION = "Of Terraform: an exact version, a constraint, or latest"
_DIRECTORY = "Where in the configuration Terraform runs"
_TAG = "A tag, KEY or KEY=VALUE; repeatable"


def create(
    name: Annotated[str, Parameter(help="Letters, digits, hyphens and underscores")],
    /,
    *,
    organization: Organization = None,
    auto_apply: Annotated[bool, Parameter(help=_AUTO_APPLY)] = False,
    terraform_version: Annotated[str | None, Parameter(help=_VERSION)] = None,
    working_directory: Annotated[str | None, Parameter(help=_DIRECTORY)] = None,
    tag: Annotated[tuple[str, ...], Parameter(help=_TAG)] = (),
    options: Options = DEFAULTS,
) -> None:
    """Create a workspace.

    For example:
        tfruns workspace create network --organization acme
        tfruns workspace create network --tag team=core --tag prod
        tfruns workspace create practice --local
    """

    async def work(session: Session) -> None:
        place = resolve_organization(session, organization)
        tags = _tags(tag)
        settings = {"terraform_version": terraform_version, "working_directory": working_directory}
        said = {"auto_apply": auto_apply, **settings, "tags": tags}
        entry = await session.gate.audit.begin(
            {
                "tool": "create_workspace",
                "arguments": {"organization": place, "name": name, **{k: v for k, v in said.items() if v}},
                "confirmed": Consent.NONE.value,
            }
        )
        try:
            created = await session.gate.client.workspaces.create(
                place, name, auto_apply=auto_apply or None, tags=tags, **settings
            )
        except BaseException as error:
            await entry.end(outcome_of(error))
            raise
        await entry.end({"outcome": "accepted", "workspace": created.id})
        session.show(workspace_view(created), print_workspace)

    command(work, options)


def _tags(texts: tuple[str, ...]) -> dict[str, str]:
    """The tags by key.

    Raises:
        InvalidInput: one has no key.
    """
    tags = {key.strip(): value.strip() for key, _, value in (text.partition("=") for text in texts)}
    if "" in tags:
        raise InvalidInput("A tag has no key.", solution="Write it KEY or KEY=VALUE.")
    return tags
