"""The page of a run: what it would do or did, its logs, its history, and the decisions that it waits for."""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote

from starlette.responses import RedirectResponse, Response

from tfruns.client.shared_reads import shared_reads
from tfruns.errors import Declined, NotFound, TfrunsError
from tfruns.views.comments import CommentView
from tfruns.views.review import PlanReviewView, ReviewView
from tfruns.views.runs import ActionView, RunView
from tfruns.web.decisions import DECIDING_TOOLS, RERUN, arguments_of, decided_person, offered_decisions
from tfruns.web.feed import RunFeeds, events, streamed
from tfruns.web.forms import read_form, respond_once
from tfruns.web.pages.run_parts import NO_PROBLEM, Problem, names, read_parts, read_run, run_path
from tfruns.web.visit import Visit

_COMMENT = "comment_on_run"
_MAX_OFFSET = 15  # digits of an offset in a log
_CHANGED = "The run, its plan or its workspace has changed since this page was loaded. Nothing was sent. Decide again."


async def run_page(visit: Visit) -> Response:
    """The page of a run. A URL with the name of another organization or workspace is redirected."""
    run = await read_run(visit)
    path = run_path(visit, run)
    if unquote(path) != visit.request.scope["path"]:
        query = f"?{visit.request.url.query}" if visit.request.url.query else ""
        return RedirectResponse(path + query, HTTPStatus.TEMPORARY_REDIRECT)
    return await _page(visit, run)


async def values_page(visit: Visit) -> Response:
    """All values of one address in the plan, in full."""
    address = visit.query("address")
    if not address:
        raise NotFound("This page needs the address of a resource.")
    run = await read_run(visit)
    found = await visit.call("review_run", ReviewView, run_id=run.id, address=address, page_number=visit.page_number())
    if not isinstance(found, PlanReviewView):
        raise NotFound("The values cannot be shown: the run has no plan.")
    return visit.page(
        "values", address, run=run, path=run_path(visit, run), found=found, address=address, **names(visit, run)
    )


async def live_updates(visit: Visit) -> Response:
    """The events for an open page of a run."""
    feeds: RunFeeds = visit.request.app.state.site.feeds
    feed = feeds.feed(visit, visit.path("run"))
    await feed.run()  # a run that cannot be read has the page of its error
    offset = visit.query("offset")
    start = int(offset) if offset.isdecimal() and len(offset) <= _MAX_OFFSET else None
    return streamed(events(feed, visit.query("status"), visit.query("phase"), start, visit.is_signed_in))


async def decide(visit: Visit) -> Response:
    """Make the decision of a form, or add its comment.

    The page is shown again, with the reason if nothing was sent.
    """
    form = await read_form(visit.request, visit.session)
    tool = form.get("tool", "")
    if tool not in DECIDING_TOOLS and tool != _COMMENT:
        raise NotFound("This decision does not exist.")
    return await respond_once(visit.session, form, partial(_decide, visit, form, tool))


async def _decide(visit: Visit, form: Mapping[str, str], tool: str) -> Response:
    run = await read_run(visit)
    comment = form.get("comment", "")
    person = decided_person(visit, form, tool, names(visit, run)["workspace"])
    try:
        if tool == _COMMENT:
            await visit.call(tool, CommentView, run_id=run.id, body=comment)
        elif tool == RERUN:
            again = await visit.call(tool, RunView, person=person, **arguments_of(tool, run.id, comment))
            return RedirectResponse(run_path(visit, again), HTTPStatus.SEE_OTHER)
        else:
            await visit.call(tool, ActionView, person=person, **arguments_of(tool, run.id, comment))
    except Declined:
        return await _page(visit, run, Problem(tool, person.refusal(_CHANGED), comment), HTTPStatus.CONFLICT)
    except TfrunsError as error:
        return await _page(
            visit,
            await _read_again(visit, error),
            Problem(tool, str(error), comment),
            error.status or HTTPStatus.CONFLICT,
        )
    return RedirectResponse(run_path(visit, run) + ("#history" if tool == _COMMENT else ""), HTTPStatus.SEE_OTHER)


async def _read_again(visit: Visit, error: TfrunsError) -> RunView:
    """The run after an error, which is raised if the run cannot be read: it may tell that the change was sent."""
    try:
        return await read_run(visit)
    except TfrunsError:
        raise error from None


async def _page(visit: Visit, run: RunView, problem: Problem = NO_PROBLEM, status: int = HTTPStatus.OK) -> Response:
    with shared_reads():
        parts, decisions = await asyncio.gather(read_parts(visit, run), offered_decisions(visit, run))
    return visit.page(
        "run",
        run.message or run.id,
        status=status,
        run=run,
        path=run_path(visit, run),
        **names(visit, run),
        **parts,
        decisions=decisions,
        problem=problem,
    )
