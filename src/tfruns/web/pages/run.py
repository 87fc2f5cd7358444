"""The page of a run: its plan, its log, its history, and the decisions that it waits for."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.responses import RedirectResponse, Response, StreamingResponse

from tfruns.errors import Declined, NotFound, TfrunsError
from tfruns.lifecycle import ending_of
from tfruns.views.diagnosis import DiagnosisView
from tfruns.views.history import HistoryView
from tfruns.views.logs import LogView
from tfruns.views.review import PlanReviewView
from tfruns.views.runs import ActionView, RunView
from tfruns.vocabulary import RunEnding
from tfruns.web.decisions import DECIDING_TOOLS, DecidedPerson, offered_decisions
from tfruns.web.feed import RunFeeds, events
from tfruns.web.forms import read_form
from tfruns.web.plan_changes import PlanChangesView, plan_changes
from tfruns.web.visit import Visit

V = TypeVar("V")

_LOG_LINES = 200
FILTERS = ("action", "module", "resource_type", "text")
_CHANGED = "The run, its plan or its workspace has changed since this page was loaded. Nothing was sent. Decide again."
_WRONG_NAME = "The name of the workspace is not correct. Nothing was sent."


async def run_page(visit: Visit) -> Response:
    """The page of a run. A URL with the name of another workspace is redirected."""
    run = await visit.call("get_run_details", RunView, run_id=visit.path("run"))
    path = _path(visit, run)
    if path != visit.request.url.path:
        query = f"?{visit.request.url.query}" if visit.request.url.query else ""
        return RedirectResponse(path + query, HTTPStatus.TEMPORARY_REDIRECT)
    return await _page(visit, run)


async def values_page(visit: Visit) -> Response:
    """All values of one address in the plan, in full."""
    address = visit.query("address")
    if not address:
        raise NotFound("This page needs the address of a resource.")
    run = await visit.call("get_run_details", RunView, run_id=visit.path("run"))
    found = await visit.call(
        "review_run", PlanReviewView, run_id=run.id, address=address, page_number=visit.page_number()
    )
    return visit.page(
        "values", address, run=run, path=_path(visit, run), found=found, address=address, **_names(visit, run)
    )


async def live_updates(visit: Visit) -> Response:
    """The events for an open page of a run."""
    feeds: RunFeeds = visit.request.app.state.site.feeds
    feed = feeds.feed(visit, visit.path("run"))
    offset = visit.query("offset")
    follow = events(feed, visit.query("status"), visit.query("phase"), int(offset) if offset.isdecimal() else None)
    return StreamingResponse(follow, media_type="text/event-stream")


async def decide(visit: Visit) -> Response:
    """Make the decision of a form. The page is shown again, with what prevented the decision if anything did."""
    form = await read_form(visit.request, visit.session)
    tool = form.get("tool", "")
    if tool not in DECIDING_TOOLS:
        raise NotFound("This decision does not exist.")
    run = await visit.call("get_run_details", RunView, run_id=visit.path("run"))
    person = DecidedPerson(tool, form.get("seen", ""), form.get("workspace_name", ""), run.workspace_name or run.id)
    try:
        await visit.call(tool, ActionView, person=person, run_id=run.id, comment=form.get("comment", ""))
    except Declined:
        return await _page(visit, run, _CHANGED if person.has_changed else _WRONG_NAME, HTTPStatus.CONFLICT)
    except TfrunsError as error:
        now = await visit.call("get_run_details", RunView, run_id=run.id)
        return await _page(visit, now, str(error), error.status or HTTPStatus.CONFLICT)
    return RedirectResponse(_path(visit, run), HTTPStatus.SEE_OTHER)


async def _page(visit: Visit, run: RunView, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    is_failed = ending_of(run.status) is RunEnding.FAILED
    changes, log, history, diagnosis, decisions = await asyncio.gather(
        _readable(_changes(visit, run)),
        _readable(visit.call("get_run_logs", LogView, run_id=run.id, tail_lines=_LOG_LINES)),
        _readable(visit.call("get_run_history", HistoryView, run_id=run.id)),
        _readable(visit.call("diagnose_run", DiagnosisView, run_id=run.id)) if is_failed else _nothing(),
        offered_decisions(visit, run),
    )
    return visit.page(
        "run",
        run.message or run.id,
        status=status,
        run=run,
        path=_path(visit, run),
        **_names(visit, run),
        changes=changes,
        filters={name: visit.query(name) for name in FILTERS},
        log=log,
        history=history,
        diagnosis=diagnosis,
        decisions=decisions,
        problem=problem,
    )


async def _changes(visit: Visit, run: RunView) -> PlanChangesView:
    filters: dict[str, Any] = {name: visit.query(name) for name in FILTERS}
    return await visit.call_tool(
        plan_changes, PlanChangesView, run_id=run.id, page_number=visit.page_number(), **filters
    )


async def _readable(view: Awaitable[V]) -> V | TfrunsError:
    """A part of the page, or the error that the page shows in its place."""
    try:
        return await view
    except TfrunsError as error:
        return error


async def _nothing() -> None:
    """The diagnosis of a run that did not fail."""


def _names(visit: Visit, run: RunView) -> dict[str, Any]:
    return {"organization": visit.path("organization"), "workspace": run.workspace_name or visit.path("workspace")}


def _path(visit: Visit, run: RunView) -> str:
    return str(visit.request.app.url_path_for("run", **_names(visit, run), run=run.id))
