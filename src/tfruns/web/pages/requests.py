"""The page of an assistant's request: a person reviews one call, and confirms or declines it once.

The decision is only recorded. The call of the assistant, which waits for it or is repeated, sends the change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from tfruns.errors import NotFound, TfrunsError
from tfruns.gate.pending_call import DescribedCall, describe
from tfruns.gate.requests import Decision, DecisionRequest, DecisionRequests
from tfruns.impact import Impact
from tfruns.views.runs import RunView
from tfruns.views.workspaces import WorkspaceView
from tfruns.web.decisions import UNPROVEN, WRONG_NAME, impact_digest, label_of, proof_of, requires_name
from tfruns.web.forms import read_form
from tfruns.web.pages.run_parts import read_plan, run_links
from tfruns.web.visit import Visit

_CONFIRM, _DECLINE = "confirm", "decline"


class State(StrEnum):
    """The state of a request, as its page shows it."""

    OPEN = "open"
    CHANGED = "changed"  # the call would now do something else
    UNREADABLE = "unreadable"  # the current impact is unknown
    EXPIRED = "expired"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    SENT = "sent"  # a call has used the confirmation


@dataclass(frozen=True, slots=True)
class _Shown:
    """A request and its current state.

    Attributes:
        request: the request.
        state: its state.
        impact: the current impact of the call; that of the request if it cannot be read.
        call: the call without secrets.
        run: the run that the call names, if it names one.
        workspace: the name of the workspace that the call names, or its id if the name cannot be read.
        problem: why the call is no longer possible.
    """

    request: DecisionRequest
    state: State
    impact: Impact
    call: DescribedCall
    run: RunView | None
    workspace: str
    problem: str = ""


async def request_page(visit: Visit) -> Response:
    """The page of a request."""
    return await _page(visit, await _shown(visit))


async def decide(visit: Visit) -> Response:
    """Record the decision of a form, if it is the first one and the impact is what the page showed."""
    form = await read_form(visit.request, visit.session)
    shown = await _shown(visit)
    choice = form.get("decision", "")
    if choice not in {_CONFIRM, _DECLINE}:
        raise NotFound("This decision does not exist.")
    if shown.state is not State.OPEN:
        return await _page(visit, shown, status=HTTPStatus.CONFLICT)
    if choice == _CONFIRM and (problem := _missing(visit, form, shown)):
        return await _page(visit, shown, problem, HTTPStatus.CONFLICT)
    decision = Decision(choice == _CONFIRM, visit.session.visitor.name)
    if not _requests(visit).decide(shown.request, shown.impact, decision):
        return await _page(visit, await _shown(visit), status=HTTPStatus.CONFLICT)
    return RedirectResponse(visit.request.url.path, HTTPStatus.SEE_OTHER)


def _missing(visit: Visit, form: Mapping[str, str], shown: _Shown) -> str:
    """What a confirmation lacks: the name of the workspace, or a passkey; empty if it lacks nothing."""
    if not requires_name(shown.impact):
        return ""
    if not shown.workspace or form.get("workspace_name", "").strip() != shown.workspace:
        return WRONG_NAME
    proof = proof_of(visit, form, shown.request.call.tool.name)
    return "" if proof is None or proof(_seen(shown)) else UNPROVEN


def _seen(shown: _Shown) -> str:
    """Identifies the impact that the page shows."""
    return impact_digest(shown.request.call.tool.name, shown.impact)


def _requests(visit: Visit) -> DecisionRequests:
    requests: DecisionRequests = visit.request.app.state.site.requests
    return requests


async def _shown(visit: Visit) -> _Shown:
    """The request of the page.

    Raises:
        NotFound: it does not exist.
    """
    request = _requests(visit).find(visit.path("request"))
    if request is None:
        raise NotFound(
            "This request is unknown. No decision was recorded now.",
            cause="It was withdrawn, newer requests replaced it, or the assistant has restarted `tfruns mcp`.",
            solution="Ask the assistant to repeat its call. It gets a new link.",
        )
    client = visit.session.visitor.gate.client
    impact, problem = request.impact, None
    try:
        impact = await request.call.impact(client)
    except TfrunsError as error:
        problem = error
    call = await describe(request.call, client)
    run = await visit.call("get_run_details", RunView, run_id=call.run) if call.run else None
    state = _state(_requests(visit), request, _impact_state(request, impact, problem))
    why = problem.message if problem and state in {State.CHANGED, State.UNREADABLE} else ""
    return _Shown(request, state, impact, call, run, await _workspace_name(visit, call, run), why)


def _impact_state(request: DecisionRequest, impact: Impact, problem: TfrunsError | None) -> State:
    """Whether the call still has its impact: `OPEN`, `CHANGED` or `UNREADABLE`."""
    if problem is not None and problem.is_retryable:
        return State.UNREADABLE
    return State.OPEN if problem is None and request.is_for(impact) else State.CHANGED


def _state(requests: DecisionRequests, request: DecisionRequest, impact_state: State) -> State:
    if request.is_used and request.decision is not None and request.decision.is_confirmed:
        return State.SENT
    if request.decision is not None and not request.decision.is_confirmed:
        return State.DECLINED
    if not requests.is_valid(request):
        return State.EXPIRED
    if impact_state is not State.OPEN:
        return impact_state
    return State.CONFIRMED if request.decision is not None else State.OPEN


async def _workspace_name(visit: Visit, call: DescribedCall, run: RunView | None) -> str:
    if run is not None and run.workspace_name:
        return run.workspace_name
    if not call.workspace:
        return ""
    try:
        found = await visit.call("get_workspace_details", WorkspaceView, workspace_id=call.workspace)
    except TfrunsError:
        return call.workspace  # a workspace that the call creates
    return found.name or call.workspace


async def _page(visit: Visit, shown: _Shown, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    request = shown.request
    return visit.page(
        "request",
        label_of(request.call.tool),
        status=status,
        shown=shown,
        states=State,
        label=label_of(request.call.tool),
        seen=_seen(shown),
        requires_name=requires_name(shown.impact),
        remaining_minutes=max(1, round(_requests(visit).remaining_s(request) / 60)),
        problem=problem or shown.problem,
        request_path=visit.request.url.path,
        **(await _review(visit, shown.run) if shown.run is not None else {"run": None}),
    )


async def _review(visit: Visit, run: RunView) -> Mapping[str, Any]:
    """The review of the run that the call names, as its own page shows it."""
    return {**await read_plan(visit, run), **run_links(run), "run": run, "review_path": visit.request.url.path}
