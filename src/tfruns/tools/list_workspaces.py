"""List workspaces. Source: HCP Terraform API, "Workspaces"."""

from functools import partial
from typing import Annotated

from pydantic import Field

from tfruns.arguments import Organization, PageNumber, PageSize
from tfruns.client.listing import Page
from tfruns.masking.redaction import redact
from tfruns.policy import Toolset
from tfruns.runs.organizations import find_organization
from tfruns.runs.results import empty_page_note
from tfruns.runs.scoped_lists import workspaces_in_scope
from tfruns.tool import Context, Result, tool
from tfruns.views.workspaces import WorkspacePage, WorkspaceRow
from tfruns.wire.activity import Team, User
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

Search = Annotated[str, Field(description="Part of the name, or a pattern such as prod-*")]

_INCLUDE = ("current_run", "locked_by")


@tool(
    title="List workspaces",
    toolset=Toolset.WORKSPACES,
    order=160,
    is_read_only=True,
    command="workspace list",
    instruction="list_workspaces finds names and ids.",
)
async def list_workspaces(
    context: Context,
    organization: Organization = None,
    search: Search = "",
    page_number: PageNumber = 1,
    page_size: PageSize = 20,
) -> Result[WorkspacePage]:
    """List an organization's workspaces: id, current run and its status, lock owner, resource count.

    auto_apply is included if it is on.
    """
    client, scope, search = context.client, context.scope, search.strip()
    organization = organization or await find_organization(scope, client)
    listing = workspaces_in_scope(scope, client, organization, search=search, include=_INCLUDE)
    page = await listing.page(page_number, size=page_size)
    return Result(partial(_view, organization, page), page.document)


async def _view(organization: str, page: Page[Workspace]) -> WorkspacePage:
    pagination = page.pagination
    return WorkspacePage(
        workspaces=tuple(map(_row, page.items)),
        organization=organization,
        page=pagination.current_page,
        next_page=pagination.next_page,
        total_count=pagination.total_count,
        note=empty_page_note(page),
    )


def _row(workspace: Workspace) -> WorkspaceRow:
    run = workspace.follow(workspace.current_run, Run)
    return WorkspaceRow(
        id=workspace.id,
        name=workspace.name,
        current_run=workspace.current_run.id if workspace.current_run else None,
        status=str(run.status) if run else None,
        needs_person=(run.needs_person or None) if run else None,
        locked_by=_lock_holder(workspace),
        auto_apply=workspace.auto_apply or None,
        terraform=workspace.terraform_version,
        resources=workspace.resource_count,
    )


def _lock_holder(workspace: Workspace) -> str | None:
    """The holder of the lock: the current run, another run by id, or a user or team by name."""
    holder = workspace.locked_by
    if holder is None:
        return "unknown" if workspace.locked else None
    if holder == workspace.current_run:
        return "current_run"
    user, team = workspace.follow(holder, User), workspace.follow(holder, Team)
    name = (user and user.username) or (team and team.name) or holder.id
    return " ".join(redact(name).split())[:60]
