"""The five actions: a result claims only acceptance, shows the current run, and a refusal lists the allowed actions."""

from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer, body, error
from tests.support.tables import rows
from tests.tools.calls import ACTIONS, PATHS, RUN_ID, WORKSPACE_ID, call, failure_of, willing_api
from tfruns.errors import Forbidden, NotFound, OutcomeUnknown, TransitionNotAllowed

COMMENTED = [name for name in ACTIONS if name != "force_execute_run"]  # run API: it takes no body
LATER = {
    "apply_run": "apply_queued",
    "discard_run": "planned",
    "cancel_run": "planning",
    "force_cancel_run": "applying",
}


def path_of(tool: str) -> str:
    return f"/runs/{RUN_ID}/actions/{PATHS[tool]}"


def api_with(tool: str, run: dict[str, Any], *answers: Any) -> FakeApi:
    """An API with this run, and these responses to an action."""
    return FakeApi().on("POST", path_of(tool), *answers).on("GET", f"/runs/{RUN_ID}", answer({"data": run}))


@pytest.mark.anyio
@rows("tool", COMMENTED)
async def test_action_is_sent_once_and_returns_the_current_run(tool: str) -> None:
    api = api_with(tool, samples.run(status=LATER[tool]), accepted())
    view = await call(tool, api=api)
    assert list(view) == ["id", "status", "allowed_actions", "follows", "accepted", "next_actions"]
    assert (view["id"], view["status"], view["accepted"]) == (RUN_ID, LATER[tool], True)
    assert len(api.sent("POST", path_of(tool))) == 1
    assert api.requests[-1].method == "GET"  # read after it was sent


@pytest.mark.anyio
@rows("tool", COMMENTED)
@rows("arguments", [{}, {"comment": ""}, {"comment": None}])
async def test_empty_comment_is_not_sent(tool: str, arguments: dict[str, Any]) -> None:
    api = willing_api()
    await call(tool, {"run_id": RUN_ID, **arguments}, api=api)
    (request,) = api.sent("POST")
    assert not body(request)


@pytest.mark.anyio
@rows("tool", COMMENTED)
async def test_comment_is_sent(tool: str) -> None:
    api = willing_api()
    await call(tool, {"run_id": RUN_ID, "comment": "as agreed"}, api=api)
    (request,) = api.sent("POST")
    assert body(request) == {"comment": "as agreed"}


@pytest.mark.anyio
@rows("tool", ACTIONS)
async def test_action_is_never_refused_because_of_the_lifecycle_tables(tool: str) -> None:
    # A final run without possible actions: the API decides.
    api = willing_api(samples.run(status="applied", actions=samples.actions()))
    view = await call(tool, api=api)
    assert view["accepted"] is True
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows("tool", ACTIONS)
@rows("trouble", [error(404, "not found"), httpx2.Response(200, content=b"<html>")])
async def test_accepted_action_with_unreadable_run_must_not_be_repeated(tool: str, trouble: httpx2.Response) -> None:
    api = FakeApi().on("POST", path_of(tool), accepted()).on("GET", f"/runs/{RUN_ID}", trouble)
    view = await call(tool, api=api)
    assert (view["id"], view["accepted"], view["status"]) == (RUN_ID, True, "unknown")
    assert "Do not repeat it" in view["follows"]
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows("tool", COMMENTED)
@rows(
    ("run", "allowed"),
    [
        (samples.run(status="planning"), ["cancel"]),
        (samples.planned(), ["apply", "discard"]),
        (samples.run(status="applied", actions=samples.actions()), []),
        (samples.run(status="warp_paused", actions=samples.actions("discardable")), ["discard"]),
    ],
    ids=["planning", "planned", "applied", "unknown"],
)
async def test_refused_action_shows_the_status_and_the_allowed_actions(
    tool: str, run: dict[str, Any], allowed: list[str]
) -> None:
    words = "Run was not paused for confirmation; apply not allowed."
    api = api_with(tool, run, error(409, "transition not allowed", words))
    refusal = await failure_of(tool, api=api)
    assert isinstance(refusal, TransitionNotAllowed)
    assert (refusal.status, refusal.request_id) == (409, "req-123")
    assert words in refusal.message
    assert refusal.facts["run_status"] == run["attributes"]["status"]
    assert refusal.facts["allowed_actions"] == allowed
    assert run["attributes"]["status"] in refusal.solution
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_early_force_cancel_shows_when_it_becomes_available() -> None:
    run = samples.run(
        status="applying",
        actions=samples.actions(),
        canceled_at="2026-01-02T03:04:00Z",
        force_cancel_available_at="2026-01-02T03:05:00+00:00",
    )
    api = api_with("force_cancel_run", run, error(409, "transition not allowed", "the cool-off period has not passed"))
    refusal = await failure_of("force_cancel_run", api=api)
    assert refusal.facts["force_cancel_available_at"] == "2026-01-02T03:05:00Z"
    assert "2026-01-02T03:05:00Z" in refusal.solution


@pytest.mark.anyio
async def test_force_cancel_without_a_cancel_suggests_a_cancel() -> None:
    api = api_with("force_cancel_run", samples.run(status="applying"), error(409, "transition not allowed"))
    refusal = await failure_of("force_cancel_run", api=api)
    assert "cancel it first" in refusal.solution


@pytest.mark.anyio
@rows("tool", ACTIONS)
async def test_missing_or_hidden_run_suggests_verifying_the_id(tool: str) -> None:
    refusal = await failure_of(tool, api=FakeApi())
    assert isinstance(refusal, NotFound)
    assert "Verify the id" in refusal.solution
    assert "hidden from this token" in refusal.cause


@pytest.mark.anyio
@rows(
    ("tool", "permission"),
    [
        ("apply_run", "apply runs"),
        ("discard_run", "apply runs"),
        ("cancel_run", "apply runs"),
        ("force_cancel_run", "admin"),
    ],
)
async def test_missing_permission_is_named(tool: str, permission: str) -> None:
    refusal = await failure_of(tool, api=api_with(tool, samples.planned(), error(403, "forbidden")))
    assert isinstance(refusal, Forbidden)
    assert f'"{permission}"' in refusal.cause


# -- lost responses ---------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("lost", [httpx2.ReadTimeout("lost"), httpx2.Response(502)])
async def test_apply_with_a_lost_response_is_accepted_if_the_run_shows_it(lost: Any) -> None:
    api = api_with("apply_run", samples.run(status="applying"), lost)
    view = await call("apply_run", api=api)
    assert (view["status"], view["accepted"]) == ("applying", True)
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows(
    "run",
    [
        samples.planned(),
        samples.run(status="errored", actions=samples.actions()),
        # A key without a time is ignored.
        samples.planned(status_timestamps={"planned-at": "2021-05-24T07:38:04Z", "confirmed-at": None}),
    ],
    ids=["planned", "errored", "null timestamp"],
)
async def test_apply_with_a_lost_response_is_otherwise_unknown(run: dict[str, Any]) -> None:
    api = api_with("apply_run", run, httpx2.ReadTimeout("lost"))
    refusal = await failure_of("apply_run", api=api)
    assert isinstance(refusal, OutcomeUnknown)
    assert refusal.facts["run_status"] == run["attributes"]["status"]
    assert len(api.sent("POST")) == 1


# -- force-execute ----------------------------------------------------------------------------------------------------

HOLDER, EARLIER, LATER_RUN = "run-holder", "run-earlier", "run-later"


def queue_api(*, before: list[dict[str, Any]], after: list[dict[str, Any]], run: dict[str, Any]) -> FakeApi:
    """An API whose queue differs before and after the call."""
    api = api_with("force_execute_run", run, accepted())
    queue = answer(samples.page(*before)), answer(samples.page(*after))
    return api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", *queue)


def at(minute: int, id_: str, status: str, **attributes: Any) -> dict[str, Any]:
    return samples.run(id_, status=status, created_at=f"2026-01-02T03:{minute:02d}:00Z", **attributes)


@pytest.mark.anyio
async def test_force_execute_lists_the_displaced_runs() -> None:
    speculative = at(2, "run-speculative", "planning", plan_only=True)
    later = at(4, LATER_RUN, "pending")
    api = queue_api(
        run=at(3, RUN_ID, "pending"),
        before=[later, at(3, RUN_ID, "pending"), speculative, at(1, EARLIER, "pending"), at(0, HOLDER, "planned")],
        after=[
            at(4, LATER_RUN, "canceled"),  # by another user: it was behind this run
            at(3, RUN_ID, "plan_queued"),
            at(2, "run-speculative", "planned_and_finished", plan_only=True),
            at(1, EARLIER, "canceled"),
            at(0, HOLDER, "discarded"),
        ],
    )
    view = await call("force_execute_run", api=api)
    assert view["accepted"] is True
    assert view["displaced"] == [
        {"id": EARLIER, "status": "canceled"},
        {"id": HOLDER, "status": "discarded"},
    ]
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_force_execute_notes_an_unreadable_queue() -> None:
    api = FakeApi().on("POST", path_of("force_execute_run"), accepted())
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": samples.run()}))
    view = await call("force_execute_run", api=api)
    assert view["accepted"] is True
    assert "displaced" not in view
    assert view["note"] == "The displaced runs are unknown: the queue could not be read before the call."


@pytest.mark.anyio
async def test_force_execute_lists_the_earlier_queue_if_it_is_unreadable_later() -> None:
    api = FakeApi().on("POST", path_of("force_execute_run"), accepted())
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": at(3, RUN_ID, "pending")}))
    queue = answer(samples.page(at(0, HOLDER, "planned")))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", queue, error(404, "not found"))
    view = await call("force_execute_run", api=api)
    assert HOLDER in view["note"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("run", "cause"),
    [
        (samples.run(status="planning"), "is planning, not pending"),
        (samples.run(status="pending"), "No run locks the workspace"),
    ],
)
async def test_refused_force_execute_blames_the_state_and_not_the_permission(run: dict[str, Any], cause: str) -> None:
    # Run API, "Forcefully execute a run": 403 if the run is not pending or the workspace is not locked.
    refusal = await failure_of("force_execute_run", api=api_with("force_execute_run", run, error(403, "forbidden")))
    assert isinstance(refusal, TransitionNotAllowed)
    assert refusal.status == 403
    assert cause in refusal.cause


@pytest.mark.anyio
async def test_refused_force_execute_without_permission_is_forbidden() -> None:
    run = samples.run(permissions={"can-force-execute": False})
    refusal = await failure_of("force_execute_run", api=api_with("force_execute_run", run, error(403, "forbidden")))
    assert isinstance(refusal, Forbidden)
