"""The list of an organization's workspaces, and the page of one workspace with its runs."""

from starlette.responses import Response

from tfruns.views.runs import RunPage
from tfruns.views.workspaces import WorkspacePage
from tfruns.web.visit import Visit

_PAGE_SIZE = 20


async def workspaces(visit: Visit) -> Response:
    """The workspaces of an organization, those that match a search or all."""
    organization, search = visit.path("organization"), visit.query("search")
    found = await visit.call(
        "list_workspaces",
        WorkspacePage,
        organization=organization,
        search=search,
        page_number=visit.page_number(),
        page_size=_PAGE_SIZE,
    )
    return visit.page("workspaces", "Workspaces", organization=organization, found=found, search=search)


async def workspace(visit: Visit) -> Response:
    """One workspace: its runs, newest first."""
    organization, name, search = visit.path("organization"), visit.path("workspace"), visit.query("search")
    found = await visit.call(
        "list_runs_in_workspace",
        RunPage,
        workspace_id=f"{organization}/{name}",
        page_number=visit.page_number(),
        page_size=_PAGE_SIZE,
        search_basic=search or None,
    )
    return visit.page("workspace", name, organization=organization, workspace=name, found=found, search=search)
