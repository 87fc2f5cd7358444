"""Details added to refusals: the blocking run or user, and the allowed actions."""

from typing import Any

import httpx2
import pytest

from tests.support.api import FakeApi, Script, answer, client_for, error
from tests.support.samples import RUN_ID, WORKSPACE_ID, actions, planned, run, workspace
from tests.support.tables import rows
from tfruns.client.client import Client
from tfruns.errors import (
    Conflict,
    Forbidden,
    NotFound,
    TfrunsError,
    TransitionNotAllowed,
    Unauthorized,
    UnprocessableEntity,
    WorkspaceBusy,
    WorkspaceLocked,
)
from tfruns.vocabulary import RunAction

RUN_PATH = f"/runs/{RUN_ID}"
BLOCKING = "run-blocking1234"
LOCKED = error(422, "unprocessable entity", "Workspace is locked by another run")
BUSY = error(409, "conflict", "Workspace already has an active run")


def action_path(action: RunAction) -> str:
    return f"{RUN_PATH}/actions/{action.value.replace('_', '-')}"


def refusing(action: RunAction, refusal: Script, *reads: Script) -> FakeApi:
    return FakeApi().on("POST", action_path(action), refusal).on("GET", RUN_PATH, *reads)


async def act(client: Client, action: RunAction) -> None:
    await getattr(client.runs, action.value)(RUN_ID)


async def refused(api: FakeApi, action: RunAction) -> TfrunsError:
    with pytest.raises(TfrunsError) as caught:
        await act(client_for(api), action)
    assert len(api.sent("POST")) == 1
    return caught.value


async def refused_to_create(api: FakeApi) -> TfrunsError:
    with pytest.raises(TfrunsError) as caught:
        await client_for(api).runs.create(WORKSPACE_ID)
    assert len(api.sent("POST")) == 1
    return caught.value


# -- actions ----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("action", RunAction)
async def test_conflict_contains_the_status_and_allowed_actions(action: RunAction) -> None:
    reason = "Run was not paused for confirmation; not allowed."
    read = answer({"data": run(status="planning", actions=actions("cancelable"))})
    failure = await refused(refusing(action, error(409, "transition not allowed", reason), read), action)
    assert isinstance(failure, TransitionNotAllowed)
    assert failure.status == 409
    assert reason in failure.message, "the API's own words"
    assert failure.facts["run_status"] == "planning"
    assert failure.facts["allowed_actions"] == ["cancel"]
    assert "planning" in failure.solution
    assert "cancel" in failure.solution
    assert failure.request_id == "req-123"


WAIT = "Wait until it can be applied."
EARLY_APPLIES = {
    "pending": WAIT,
    "fetching": WAIT,
    "pre_plan_running": WAIT,
    "plan_queued": WAIT,
    "planning": WAIT,
    "planned": WAIT,  # and not confirmable yet: a stage is still to come
    "post_plan_running": WAIT,
    "cost_estimating": WAIT,
    "policy_checking": WAIT,
    "policy_override": "A policy failed. Waits for a person to override it",
    "post_plan_awaiting_decision": "A run task failed. Waits for a person to override it",
    "confirmed": "It is already confirmed.",
    "applying": "It is already confirmed.",
}


@pytest.mark.anyio
async def test_early_apply_names_the_condition_to_wait_for() -> None:
    for status, advice in EARLY_APPLIES.items():
        read = answer({"data": run(status=status, actions=actions("discardable"))})
        failure = await refused(refusing(RunAction.APPLY, error(409, "no"), read), RunAction.APPLY)
        assert advice in failure.solution, status
        arguments = [step.arguments for step in failure.next_actions if step.tool == "wait_for_run"]
        until = {"until": "final"} if "confirmed" in advice else {}
        waits = advice == WAIT or bool(until)
        assert arguments == ([{"run_id": RUN_ID, **until}] if waits else []), status
        assert failure.solution.startswith(f"The run is {status}. ")
        assert failure.solution.endswith("Allowed actions: discard.") or status == "pending"
    early: list[tuple[dict[str, Any], str]] = [
        ({"plan_only": True}, "can never be applied"),
        ({"auto_apply": True}, "applied without confirmation"),
    ]
    for fields, advice in early:
        read = answer({"data": run(status="planning", actions=actions("cancelable"), **fields)})
        failure = await refused(refusing(RunAction.APPLY, error(409, "no"), read), RunAction.APPLY)
        assert advice in failure.solution


@pytest.mark.anyio
async def test_conflict_on_a_final_run_allows_nothing() -> None:
    read = answer({"data": run(status="applied", actions=actions())})
    failure = await refused(refusing(RunAction.APPLY, error(409, "transition not allowed"), read), RunAction.APPLY)
    assert failure.facts["allowed_actions"] == []
    assert "no action" in failure.solution


@pytest.mark.anyio
async def test_conflict_keeps_an_unknown_status_unchanged() -> None:
    read = answer({"data": run(status="brand_new_status", actions=actions("discardable"))})
    failure = await refused(refusing(RunAction.APPLY, error(409, "no"), read), RunAction.APPLY)
    assert failure.facts["run_status"] == "brand_new_status"
    assert failure.facts["allowed_actions"] == ["discard"]


@pytest.mark.anyio
async def test_actions_without_permission_are_not_listed_as_allowed() -> None:
    may = run()["attributes"]["permissions"] | {"can-apply": False}
    read = answer({"data": planned(permissions=may)})
    failure = await refused(refusing(RunAction.CANCEL, error(409, "no"), read), RunAction.CANCEL)
    assert failure.facts["allowed_actions"] == ["discard"]


@pytest.mark.anyio
@rows("reading", [error(404, "not found"), error(500, "x"), httpx2.ReadTimeout("slow"), answer({})])
@rows(("status", "kind"), [(409, TransitionNotAllowed), (403, Forbidden)])
async def test_unreadable_run_leaves_the_apis_own_error(status: int, kind: type[TfrunsError], reading: Script) -> None:
    failure = await refused(refusing(RunAction.APPLY, error(status, "the words"), reading), RunAction.APPLY)
    assert isinstance(failure, kind)
    assert failure.status == status
    assert "the words" in failure.message
    assert failure.solution


# -- force-cancel -----------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_early_force_cancel_contains_the_end_of_the_cool_off() -> None:
    # run API, "Forcefully cancel a run": force-cancel-available-at is present once a cancel was asked
    read = answer(
        {
            "data": run(
                status="applying",
                actions=actions(),
                canceled_at="2026-01-02T03:04:05Z",
                force_cancel_available_at="2026-01-02T03:05:05.250+00:00",
            )
        }
    )
    failure = await refused(refusing(RunAction.FORCE_CANCEL, error(409, "no"), read), RunAction.FORCE_CANCEL)
    assert isinstance(failure, TransitionNotAllowed)
    assert failure.facts["force_cancel_available_at"] == "2026-01-02T03:05:05Z"
    assert "2026-01-02T03:05:05Z" in failure.solution


@pytest.mark.anyio
async def test_force_cancel_time_is_in_utc() -> None:
    read = answer(
        {
            "data": run(
                status="applying",
                actions=actions(),
                canceled_at="2026-01-02T05:04:05+02:00",
                force_cancel_available_at="2026-01-02T05:05:05+02:00",
            )
        }
    )
    failure = await refused(refusing(RunAction.FORCE_CANCEL, error(409, "no"), read), RunAction.FORCE_CANCEL)
    assert failure.facts["force_cancel_available_at"] == "2026-01-02T03:05:05Z"


@pytest.mark.anyio
async def test_force_cancel_without_a_cancel_asks_for_a_cancel_first() -> None:
    read = answer({"data": run(status="applying", actions=actions("cancelable"))})
    failure = await refused(refusing(RunAction.FORCE_CANCEL, error(409, "no"), read), RunAction.FORCE_CANCEL)
    assert "cancel it first" in failure.solution
    assert "force_cancel_available_at" not in failure.facts


@pytest.mark.anyio
async def test_force_cancel_of_a_final_run_is_refused() -> None:
    read = answer(
        {
            "data": run(
                status="canceled",
                actions=actions(),
                canceled_at="2026-01-02T03:04:05Z",
                force_cancel_available_at="2026-01-02T03:05:05Z",
            )
        }
    )
    failure = await refused(refusing(RunAction.FORCE_CANCEL, error(409, "no"), read), RunAction.FORCE_CANCEL)
    assert "canceled" in failure.solution
    assert "becomes available" not in failure.solution, "a final run never becomes cancelable"


# -- 403 --------------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("action", sorted(set(RunAction) - {RunAction.FORCE_EXECUTE}))
async def test_forbidden_action_names_the_permission(action: RunAction) -> None:
    failure = await refused(refusing(action, error(403, "forbidden"), answer({"data": planned()})), action)
    assert type(failure) is Forbidden
    assert failure.status == 403
    assert "permission" in failure.cause
    assert failure.facts["run_status"] == "planned"


@pytest.mark.anyio
@rows("status", ["planning", "planned", "applied", "brand_new_status"])
async def test_forbidden_force_execute_of_a_non_pending_run_has_its_status(status: str) -> None:
    # run API, "Forcefully execute a run": 403 if the run is not pending, or the workspace not locked by another run
    api = refusing(RunAction.FORCE_EXECUTE, error(403, "forbidden"), answer({"data": run(status=status)}))
    failure = await refused(api, RunAction.FORCE_EXECUTE)
    assert isinstance(failure, TransitionNotAllowed)
    assert failure.status == 403
    assert failure.as_dict()["status"] == 403
    assert status in failure.cause
    assert "pending" in failure.cause
    assert "pending" in failure.solution
    assert failure.facts["run_status"] == status
    assert failure.request_id == "req-123"


@pytest.mark.anyio
async def test_forbidden_force_execute_of_a_pending_run_names_both_causes() -> None:
    api = refusing(RunAction.FORCE_EXECUTE, error(403, "forbidden"), answer({"data": run(status="pending")}))
    failure = await refused(api, RunAction.FORCE_EXECUTE)
    assert "No run locks the workspace" in failure.cause


@pytest.mark.anyio
async def test_forbidden_force_execute_without_permission_names_it() -> None:
    may = run()["attributes"]["permissions"] | {"can-force-execute": False}
    read = answer({"data": run(status="pending", permissions=may)})
    failure = await refused(refusing(RunAction.FORCE_EXECUTE, error(403, "forbidden"), read), RunAction.FORCE_EXECUTE)
    assert type(failure) is Forbidden
    assert "permission" in failure.cause


@pytest.mark.anyio
@rows(("status", "kind"), [(401, Unauthorized), (404, NotFound), (422, UnprocessableEntity)])
async def test_other_refusals_of_an_action_take_no_extra_request(status: int, kind: type[TfrunsError]) -> None:
    api = refusing(RunAction.APPLY, error(status, "no"), answer({"data": planned()}))
    assert type(await refused(api, RunAction.APPLY)) is kind
    assert api.sent("GET") == []


# -- a workspace that is not free -------------------------------------------------------------------------------------


def create_refused(refusal: Script, **holders: Any) -> FakeApi:
    api = FakeApi().on("POST", "/runs", refusal)
    return api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": workspace(**holders)}))


@pytest.mark.anyio
@pytest.mark.parametrize(("refusal", "kind", "status"), [(LOCKED, WorkspaceLocked, 422), (BUSY, WorkspaceBusy, 409)])
async def test_workspace_locked_by_a_run_names_the_run(
    refusal: httpx2.Response, kind: type[TfrunsError], status: int
) -> None:
    api = create_refused(refusal, locked=True, locked_by=("runs", BLOCKING), current_run=("runs", BLOCKING))
    failure = await refused_to_create(api)
    assert type(failure) is kind
    assert failure.status == status
    assert failure.facts["blocking_run_id"] == BLOCKING
    assert BLOCKING in failure.solution
    for way in ("Wait", "cancel", "discard"):
        assert way in failure.solution
    assert failure.request_id == "req-123"


@pytest.mark.anyio
async def test_busy_workspace_without_a_lock_names_the_current_run() -> None:
    failure = await refused_to_create(create_refused(BUSY, current_run=("runs", BLOCKING)))
    assert isinstance(failure, WorkspaceBusy)
    assert failure.facts["blocking_run_id"] == BLOCKING


@pytest.mark.anyio
@pytest.mark.parametrize("holder", [("users", "user-1234"), ("teams", "team-1234")])
async def test_lock_of_a_user_asks_to_contact_the_user(holder: tuple[str, str]) -> None:
    api = create_refused(
        LOCKED, locked=True, locked_by=holder, locked_reason="maintenance", current_run=("runs", BLOCKING)
    )
    failure = await refused_to_create(api)
    assert isinstance(failure, WorkspaceLocked)
    assert failure.facts["locked_by"] == holder[1]
    assert failure.facts["locked_reason"] == "maintenance"
    assert "blocking_run_id" not in failure.facts
    assert holder[1] in failure.solution
    assert "to unlock the workspace" in failure.solution


@pytest.mark.anyio
async def test_busy_workspace_locked_by_a_user_names_the_active_run() -> None:
    api = create_refused(BUSY, locked=True, locked_by=("users", "user-1234"), current_run=("runs", BLOCKING))
    failure = await refused_to_create(api)
    assert failure.facts["blocking_run_id"] == BLOCKING


@pytest.mark.anyio
@pytest.mark.parametrize("refusal", [LOCKED, BUSY])
async def test_free_workspace_leaves_the_general_advice(refusal: httpx2.Response) -> None:
    failure = await refused_to_create(create_refused(refusal))
    assert isinstance(failure, WorkspaceLocked | WorkspaceBusy)
    assert "Wait" in failure.solution


@pytest.mark.anyio
@rows("reading", [error(404, "not found"), httpx2.ReadError("reset"), answer({"data": 5})])
@rows("refusal", [LOCKED, BUSY])
async def test_unreadable_workspace_leaves_the_apis_own_error(refusal: httpx2.Response, reading: Script) -> None:
    api = FakeApi().on("POST", "/runs", refusal).on("GET", f"/workspaces/{WORKSPACE_ID}", reading)
    failure = await refused_to_create(api)
    assert isinstance(failure, WorkspaceLocked | WorkspaceBusy)
    assert "orkspace" in failure.message
    assert failure.solution


@pytest.mark.anyio
@rows(
    "words",
    [
        "Configuration version is missing",
        "Configuration version is still being processed.",
        "invalid run parameters",
        "Argument or block definition required",
        "Creating runs is blocked for this organization",
    ],
)
async def test_other_422_takes_no_extra_request(words: str) -> None:
    failure = await refused_to_create(api := FakeApi().on("POST", "/runs", error(422, "unprocessable entity", words)))
    assert type(failure) is UnprocessableEntity
    assert words in failure.message
    assert api.sent("GET") == []


@pytest.mark.anyio
@rows(
    "words", ["Workspace is locked", "Unable to queue: LOCKED by run-1", "workspace has a lock on it", "workspace-lock"]
)
async def test_422_about_a_lock_is_workspace_locked(words: str) -> None:
    assert type(await refused_to_create(create_refused(error(422, "unprocessable entity", words)))) is WorkspaceLocked


@pytest.mark.anyio
async def test_detailed_conflicts_are_caught_as_conflict() -> None:
    failure = await refused_to_create(create_refused(BUSY, current_run=("runs", BLOCKING)))
    assert isinstance(failure, Conflict)
