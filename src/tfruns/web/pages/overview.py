"""The overview of an organization: the runs that wait for a person, that are active, or that failed; or a search."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response

from tfruns.errors import InvalidInput, TfrunsError
from tfruns.lifecycle import waiting_statuses
from tfruns.views.runs import RunPage, RunRow
from tfruns.vocabulary import RunStatus, StatusGroup
from tfruns.web.feed import RunFeeds, overview_events, runs_digest, streamed
from tfruns.web.plan_stake import OrganizationsView, Stakes, StakeView, organizations, plan_stake
from tfruns.web.visit import Visit

_MAX_OPEN = 100
_MAX_FAILED = 10
_PAGE_SIZE = 20
_STAKES_WITHIN_S = 1.0

FILTERS: Mapping[str, str] = {
    "workspace": "filter_workspace_names",
    "status": "filter_status",
    "operation": "filter_operation",
    "source": "filter_source",
    "since": "since",
    "search": "search_basic",
}
"""The filters of the form, and the arguments of the tool."""


async def open_organization(visit: Visit) -> Response:
    """Redirect to the organization of calls that name none; with several, let the person choose."""
    found = await visit.call_tool(organizations, OrganizationsView)
    configured = visit.session.visitor.gate.client.settings.organization
    name = configured if configured in found.names else found.names[0] if len(found.names) == 1 else configured
    if name is None:
        return visit.page("organizations", "Organizations", names=found.names)
    return RedirectResponse(visit.request.url_for("overview", organization=name).path, 303)


async def choose_organization(visit: Visit) -> Response:
    """The organizations."""
    found = await visit.call_tool(organizations, OrganizationsView)
    return visit.page("organizations", "Organizations", names=found.names)


async def overview(visit: Visit) -> Response:
    """The overview of an organization, or the runs that match the filters."""
    organization = visit.path("organization")
    filters = {name: visit.query(name) for name in FILTERS}
    if any(filters.values()):
        return await _search(visit, organization, filters)
    open_runs, failed, others = await asyncio.gather(
        _runs(visit, organization, page_size=_MAX_OPEN, filter_status_group=StatusGroup.NON_FINAL),
        _runs(visit, organization, page_size=_MAX_FAILED, filter_status=RunStatus.ERRORED),
        _has_others(visit),
    )
    candidates = open_runs.runs if open_runs.next_page is None else await _oldest_that_may_wait(visit, organization)
    waiting = [run for run in reversed(candidates) if run.needs_person]
    return visit.page(
        "overview",
        organization,
        organization=organization,
        has_others=others,
        filters=filters,
        waiting=waiting,
        stakes=await _stakes(visit, waiting),
        active=[run for run in open_runs.runs if not run.needs_person],
        failed=failed.runs,
        has_more=open_runs.next_page is not None,
        seen=runs_digest(open_runs.runs),
    )


async def _oldest_that_may_wait(visit: Visit, organization: str) -> Sequence[RunRow]:
    """The runs in a status that waits for a person, newest first. Pending runs do not displace them."""
    found = await _runs(visit, organization, page_size=_MAX_OPEN, filter_status=",".join(waiting_statuses()))
    return found.runs


async def live_overview(visit: Visit) -> Response:
    """The events for an open overview."""
    feeds: RunFeeds = visit.request.app.state.site.feeds
    feed = feeds.overview(visit, visit.path("organization"))
    await feed.digest()  # an organization that cannot be read has the page of its error
    return streamed(overview_events(feed, visit.query("status"), visit.is_signed_in))


async def _search(visit: Visit, organization: str, filters: Mapping[str, str]) -> Response:
    found, problem = RunPage(runs=(), page=1, next_page=None), None
    arguments = {FILTERS[name]: value for name, value in filters.items() if value}
    try:
        number = visit.page_number()
        found = await _runs(visit, organization, page_number=number, page_size=_PAGE_SIZE, **arguments)
    except InvalidInput as error:
        problem = error
    return visit.page(
        "search",
        "Runs",
        status=400 if problem else 200,
        organization=organization,
        filters=filters,
        found=found,
        problem=problem,
    )


async def _runs(visit: Visit, organization: str, **arguments: Any) -> RunPage:
    return await visit.call("list_runs_in_organization", RunPage, organization=organization, **arguments)


async def _has_others(visit: Visit) -> bool:
    try:
        return len((await visit.call_tool(organizations, OrganizationsView)).names) > 1
    except TfrunsError:
        return False


async def _stakes(visit: Visit, waiting: Sequence[RunRow]) -> Mapping[str, StakeView]:
    async def read(run_id: str) -> StakeView:
        return await visit.call_tool(plan_stake, StakeView, run_id=run_id)

    stakes = visit.session.visitor.gate.client.derived(Stakes)
    return await stakes.read([run.id for run in waiting], read, _STAKES_WITHIN_S)
