"""An action whose response was lost: never sent twice, and no unfounded claim."""

from typing import Any

import httpx2
import pytest

from tests.support.api import FakeApi, Script, answer, body, client_for, error
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, planned, run
from tests.support.tables import rows
from tests.unit.client.lost_responses import AMBIGUOUS
from tfruns.client.client import Client
from tfruns.errors import OutcomeUnknown
from tfruns.vocabulary import RunAction

_ACTION_PATHS = {action: f"/runs/{RUN_ID}/actions/{action.value.replace('_', '-')}" for action in RunAction}

# The action; the run as it shows that the action was accepted.
_TAKEN: list[tuple[RunAction, dict[str, Any]]] = [
    (RunAction.APPLY, {"status": "confirmed"}),
    (RunAction.APPLY, {"status": "pre_apply_running"}),
    (RunAction.APPLY, {"status": "queuing_apply"}),
    (RunAction.APPLY, {"status": "apply_queued"}),
    (RunAction.APPLY, {"status": "applying"}),
    (RunAction.APPLY, {"status": "applied"}),
    (RunAction.APPLY, {"status": "errored", "status_timestamps": {"confirmed-at": "2026-01-02T03:04:05+00:00"}}),
    (RunAction.APPLY, {"status": "a_new_status", "status_timestamps": {"confirmed-at": "2026-01-02T03:04:05+00:00"}}),
    (RunAction.DISCARD, {"status": "discarded"}),
    (RunAction.CANCEL, {"status": "canceled"}),
    (RunAction.CANCEL, {"status": "force_canceled"}),
    (RunAction.CANCEL, {"status": "applying", "canceled_at": "2026-01-02T03:04:05Z"}),
    (RunAction.FORCE_CANCEL, {"status": "canceled"}),
    (RunAction.FORCE_CANCEL, {"status": "force_canceled"}),
    (RunAction.FORCE_EXECUTE, {"status": "plan_queued"}),
    (RunAction.FORCE_EXECUTE, {"status": "planning"}),
    (RunAction.FORCE_EXECUTE, {"status": "planned"}),
]
_NOT_TAKEN: list[tuple[RunAction, dict[str, Any]]] = [
    (RunAction.APPLY, {"status": "planned"}),
    (RunAction.APPLY, {"status": "discarded"}),
    (RunAction.APPLY, {"status": "errored"}),
    (RunAction.APPLY, {"status": "a_new_status"}),
    (RunAction.DISCARD, {"status": "planned"}),
    (RunAction.DISCARD, {"status": "applied"}),
    (RunAction.CANCEL, {"status": "planning"}),
    (RunAction.CANCEL, {"status": "applied"}),
    (RunAction.FORCE_CANCEL, {"status": "applying", "canceled_at": "2026-01-02T03:04:05Z"}),
    (RunAction.FORCE_EXECUTE, {"status": "pending"}),
    (RunAction.FORCE_EXECUTE, {"status": "canceled"}),
]


async def act(client: Client, action: RunAction) -> None:
    await getattr(client.runs, action.value)(RUN_ID)


@pytest.mark.anyio
@rows(("action", "now"), _TAKEN, ids=str)
async def test_lost_action_succeeded_if_the_run_shows_it(action: RunAction, now: dict[str, Any]) -> None:
    api = FakeApi().on("POST", _ACTION_PATHS[action], httpx2.ReadTimeout("no answer"))
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run(**now)}))
    await act(client_for(api, FakeClock()), action)
    assert len(api.sent("POST")) == 1
    assert len(api.sent("GET")) >= 1


@pytest.mark.anyio
@rows(("action", "now"), _NOT_TAKEN, ids=str)
async def test_lost_action_is_unknown_if_the_run_does_not_show_it(action: RunAction, now: dict[str, Any]) -> None:
    api = FakeApi().on("POST", _ACTION_PATHS[action], error(504, "gateway timeout"))
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run(**now)}))
    with pytest.raises(OutcomeUnknown) as caught:
        await act(client_for(api, FakeClock()), action)
    assert len(api.sent("POST")) == 1
    assert caught.value.facts["run_status"] == now["status"]
    assert now["status"] in caught.value.message
    assert caught.value.status == 504
    assert caught.value.request_id == "req-123"


@pytest.mark.anyio
@rows("kind", sorted(set(AMBIGUOUS) - {"cut 201"}))
@rows("action", RunAction)
async def test_action_is_never_sent_twice_after_a_lost_response(action: RunAction, kind: str) -> None:
    api = FakeApi().on("POST", _ACTION_PATHS[action], AMBIGUOUS[kind])
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run(status="assessing")}))
    try:
        await act(client_for(api, FakeClock()), action)
    except OutcomeUnknown:
        assert action is not RunAction.FORCE_EXECUTE, "the run is not pending any more"
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows("reading", [error(404, "not found"), error(503, "busy"), httpx2.ReadTimeout("slow")])
async def test_lost_action_is_unknown_if_the_run_is_unreadable(reading: Script) -> None:
    api = FakeApi().on("POST", _ACTION_PATHS[RunAction.APPLY], httpx2.ReadError("reset"))
    api.on("GET", f"/runs/{RUN_ID}", reading)
    with pytest.raises(OutcomeUnknown, match="could not be read"):
        await act(client_for(api, FakeClock()), RunAction.APPLY)
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows(
    "accepted",
    [
        httpx2.Response(202),
        answer(None, 202),
        answer({"data": run()}, 200),
        httpx2.Response(202, content=b"\n"),
    ],
    ids=lambda response: f"{response.status_code} {response.text[:10]!r}",
)
async def test_accepted_action_needs_no_body_and_no_read(accepted: httpx2.Response) -> None:
    """The status alone confirms it: the run may not show the effect yet."""
    api = FakeApi().on("POST", _ACTION_PATHS[RunAction.CANCEL], accepted)
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run(status="planning")}))
    await act(client_for(api, FakeClock()), RunAction.CANCEL)
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_sign_in_page_does_not_accept_an_action() -> None:
    api = FakeApi().on("POST", _ACTION_PATHS[RunAction.APPLY], httpx2.Response(200, html="<title>Sign in</title>"))
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": planned()}))
    with pytest.raises(OutcomeUnknown, match="Sign in"):
        await act(client_for(api, FakeClock()), RunAction.APPLY)


@pytest.mark.anyio
@rows("failure", [httpx2.ConnectError("refused"), error(429, "too many", retry_after="1")])
@rows("action", RunAction)
async def test_action_that_certainly_failed_is_retried(action: RunAction, failure: Script) -> None:
    api = FakeApi().on("POST", _ACTION_PATHS[action], failure, httpx2.Response(202))
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run()}))
    await act(client_for(api, FakeClock()), action)
    first, second = api.sent("POST")
    assert body(first) == body(second) == {}
