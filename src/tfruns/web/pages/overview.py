"""The overview of an organization: the runs that wait for a person, that are active, or that failed."""

import asyncio
from typing import Any

from starlette.responses import RedirectResponse, Response

from tfruns.views.runs import RunPage
from tfruns.views.workspaces import WorkspacePage
from tfruns.vocabulary import RunStatus, StatusGroup
from tfruns.web.visit import Visit

_MAX_OPEN = 100
_MAX_FAILED = 10


async def open_organization(visit: Visit) -> Response:
    """Redirect to the organization of calls that name none."""
    found = await visit.call("list_workspaces", WorkspacePage, page_size=1)
    return RedirectResponse(visit.request.url_for("overview", organization=found.organization).path, 303)


async def overview(visit: Visit) -> Response:
    """The overview of an organization."""
    organization = visit.path("organization")
    open_runs, failed = await asyncio.gather(
        _runs(visit, organization, _MAX_OPEN, filter_status_group=StatusGroup.NON_FINAL),
        _runs(visit, organization, _MAX_FAILED, filter_status=RunStatus.ERRORED),
    )
    return visit.page(
        "overview",
        organization,
        organization=organization,
        waiting=[run for run in reversed(open_runs.runs) if run.needs_person],
        active=[run for run in open_runs.runs if not run.needs_person],
        failed=failed.runs,
        has_more=open_runs.next_page is not None,
    )


async def _runs(visit: Visit, organization: str, number: int, **filters: Any) -> RunPage:
    return await visit.call(
        "list_runs_in_organization", RunPage, organization=organization, page_size=number, **filters
    )
