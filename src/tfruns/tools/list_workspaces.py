"""List workspaces. Source: HCP Terraform API, "Workspaces"."""

from functools import partial
from typing import Annotated

from pydantic import Field

from tfruns.arguments import Organization, PageNumber, PageSize
from tfruns.client.listing import Page
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import redact
from tfruns.policy import Toolset
from tfruns.runs.scoped_lists import workspaces_in_scope
from tfruns.tool import Context, Result, View, tool
from tfruns.views import without_empty
from tfruns.wire.activity import Team, User
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

Search = Annotated[str, Field(description="Part of the name")]

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
    organization: Organization,
    search: Search = "",
    page_number: PageNumber = 1,
    page_size: PageSize = 20,
) -> Result:
    """List an organization's workspaces: ids, current run and its status, who holds the lock, resources.

    auto_apply is shown where it is on.
    """
    client, scope, search = context.client, context.scope, search.strip()
    if scope.workspaces:
        listing = workspaces_in_scope(scope, client, organization, search=search, include=_INCLUDE)
    else:
        listing = client.workspaces.list_for_organization(organization, search=search, include=_INCLUDE)
    page = await listing.page(page_number, size=page_size)
    return Result(partial(_view, page), page.document)


async def _view(page: Page[Workspace]) -> View:
    place = page.pagination
    view: View = {
        "workspaces": [_row(workspace) for workspace in page.items],
        "page": place.current_page,
        "next_page": place.next_page,
    }
    if place.total_count is not None:
        view["total_count"] = place.total_count
    return view


def _row(workspace: Workspace) -> dict[str, JSON]:
    """A workspace in a list; what is off, empty or unknown is left out."""
    run = workspace.follow(workspace.current_run, Run)
    row: dict[str, JSON] = {
        "id": workspace.id,
        "name": workspace.name,
        "current_run": workspace.current_run.id if workspace.current_run else None,
        "status": str(run.status) if run else None,
        "locked_by": _holder(workspace),
        "auto_apply": workspace.auto_apply or None,
        "terraform": workspace.terraform_version,
        "resources": workspace.resource_count,
    }
    return without_empty(row)


def _holder(workspace: Workspace) -> str | None:
    """Who holds the workspace: its current run, another run by its id, or a person or team by name."""
    holder = workspace.locked_by
    if holder is None:
        return "unknown" if workspace.locked else None
    if holder == workspace.current_run:
        return "current_run"
    user, team = workspace.follow(holder, User), workspace.follow(holder, Team)
    name = (user and user.username) or (team and team.name) or holder.id
    return " ".join(redact(name).split())[:60]
