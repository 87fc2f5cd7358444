"""The list of an organization's workspaces."""

from starlette.responses import Response

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
