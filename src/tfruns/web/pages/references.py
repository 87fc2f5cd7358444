"""Addresses that name only a run or a workspace: they lead to its page."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from tfruns.errors import NotFound
from tfruns.views.runs import RunView, workspace_url
from tfruns.views.workspaces import WorkspaceView
from tfruns.web.visit import Visit


async def find_run(visit: Visit) -> Response:
    """Redirect to the page of a run."""
    run = await visit.call("get_run_details", RunView, run_id=visit.path("run"))
    return _redirect(visit, run.url)


async def find_workspace(visit: Visit) -> Response:
    """Redirect to the page of a workspace: a name, organization/name or id."""
    found = await visit.call("get_workspace_details", WorkspaceView, workspace_id=visit.path("workspace"))
    address = visit.session.visitor.gate.client.settings.address
    return _redirect(visit, workspace_url(found.organization, found.name, address))


def _redirect(visit: Visit, url: str | None) -> Response:
    """Redirect to the page whose address the API's own pages would have."""
    if url is None:
        raise NotFound("The page cannot be found: the API does not name the workspace and its organization.")
    query = f"?{visit.request.url.query}" if visit.request.url.query else ""
    return RedirectResponse(urlsplit(url).path + query, HTTPStatus.SEE_OTHER)
