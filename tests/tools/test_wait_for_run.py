"""`wait_for_run`: when the wait ends, its result, and the number of requests."""

from collections.abc import Mapping
from typing import Any

import anyio
import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error
from tests.support.clock import FakeClock
from tests.support.tables import rows
from tests.tools.calls import ASSISTANT, RUN_ID, TOOLS, WORKSPACE_ID
from tests.unit.review.plans import change, resource
from tests.unit.review.plans import plan as plan_json
from tfruns.client.client import Client
from tfruns.client.run_wait import Until, outcome_of
from tfruns.errors import InvalidInput, NotFound, RequestTimedOut
from tfruns.gate.pipeline import Gate
from tfruns.lifecycle import RULES, is_final, is_planned, needs_person
from tfruns.progress import NoProgress
from tfruns.views.base import as_json
from tfruns.vocabulary import RunAction, RunStatus
from tfruns.wire.runs import Run

PATH = f"/runs/{RUN_ID}"
PLAN_PATH = "/plans/plan-8F5JFydVYAmtTjET"
APPLY_PATH = "/applies/apply-47MBvjwzBG8YKc2v"
LOG = "https://archivist.example.com/v1/object/secretPermission"
CONFIRMABLE = samples.actions("confirmable", "discardable")
CANCELABLE = samples.actions("cancelable")


class Listener:
    """Records the progress messages of a tool."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, float, float | None]] = []

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        self.heard.append((message, done, total))


def phase(kind: str, id_: str, status: str = "finished", **attributes: Any) -> dict[str, Any]:
    """A plan or an apply."""
    fields = {"status": status, "log-read-url": LOG, "resource-additions": 3, "resource-changes": 1}
    fields |= {"resource-destructions": 0, "resource-imports": 0}
    fields |= {name.replace("_", "-"): value for name, value in attributes.items()}
    return {"id": id_, "type": kind, "attributes": fields}


def plan(**attributes: Any) -> dict[str, Any]:
    return phase("plans", "plan-8F5JFydVYAmtTjET", **attributes)


def bare(id_: str = RUN_ID, **attributes: Any) -> dict[str, Any]:
    """A run without stages between plan and apply."""
    run = samples.run(id_, **attributes)
    run["relationships"]["cost-estimate"] = {"data": None}
    run["relationships"]["policy-checks"] = {"data": []}
    run["relationships"]["task-stages"] = {"data": []}
    return run


def waiting_run(**attributes: Any) -> dict[str, Any]:
    return bare(**{"status": "planned", "has_changes": True, "actions": CONFIRMABLE, **attributes})


def task_stage(status: str) -> dict[str, Any]:
    return {"id": "ts-8tL3f1o2Vz5Zzq9a", "type": "task-stages", "attributes": {"status": status, "stage": "post_plan"}}


def document(run: Mapping[str, Any], *included: Mapping[str, Any]) -> httpx2.Response:
    return answer({"data": run, "included": [samples.workspace(), samples.user(), *included]})


def api_with(*runs: Mapping[str, Any]) -> FakeApi:
    api = FakeApi().on("GET", PATH, *(document(run) for run in runs))
    return api.on("GET", PLAN_PATH, answer({"data": plan()}))


async def wait(
    api: FakeApi,
    *,
    clock: FakeClock | None = None,
    listener: Listener | None = None,
    is_raw: bool = False,
    **arguments: Any,
) -> Any:
    async with client_for(api, clock or FakeClock()) as client:
        gate = Gate(client, ASSISTANT, is_raw=is_raw, progress=listener or NoProgress())
        return as_json(await gate.call(TOOLS["wait_for_run"], {"run_id": RUN_ID, **arguments}))


# -- the decision -----------------------------------------------------------------------------------------------------


def run_of(status: str, **attributes: Any) -> Run:
    return Run.from_wire(bare(status=status, actions=None, **attributes))


FINAL = {"applied", "discarded", "errored", "canceled", "force_canceled", "planned_and_finished", "policy_soft_failed"}
FINAL |= {"assessed"}
UNPLANNED = {"pending", "fetching", "fetching_completed", "pre_plan_running", "pre_plan_completed", "queuing"}
UNPLANNED |= {"plan_queued", "planning", "pre_plan_awaiting_decision", "assessing"}
DECISIONS = {"pre_plan_awaiting_decision", "post_plan_awaiting_decision", "tf_policy_override", "policy_override"}
DECISIONS |= {"planned_and_saved"}
PAUSES = {"planned", "tf_policy_checked", "post_plan_completed", "cost_estimated", "policy_checked"}


@rows("status", RunStatus)
def test_each_status_ends_each_kind_of_wait_or_continues_it(status: RunStatus) -> None:
    run = run_of(status)
    is_end = status in FINAL
    assert outcome_of(run, "final") == ("final" if is_end else None)
    needs = status in DECISIONS | PAUSES
    assert outcome_of(run, "attention") == ("final" if is_end else "attention" if needs else None)
    planned = None if status in UNPLANNED else "planned"
    otherwise = "attention" if status in DECISIONS else None
    assert outcome_of(run, "planned") == ("final" if is_end else planned or otherwise)


@rows("status", sorted(PAUSES))
def test_pause_of_an_auto_apply_run_needs_no_person(status: str) -> None:
    assert outcome_of(run_of(status, auto_apply=True), "attention") is None


@rows("status", sorted(DECISIONS))
def test_decision_needs_a_person_even_with_auto_apply(status: str) -> None:
    assert outcome_of(run_of(status, auto_apply=True), "attention") == "attention"


@rows("status", sorted(PAUSES))
def test_paused_status_without_a_possible_apply_does_not_end_the_wait(status: str) -> None:
    run = Run.from_wire(bare(status=status, actions=samples.actions("discardable")))
    assert outcome_of(run, "attention") is None


def test_run_needs_a_person_even_if_this_token_may_not_apply_it() -> None:
    run = Run.from_wire(waiting_run(permissions={"can-apply": False}))
    assert run.allowed_actions == [RunAction.DISCARD]
    assert outcome_of(run, "attention") == "attention"


def test_plan_only_run_never_awaits_confirmation() -> None:
    assert outcome_of(run_of("planned", plan_only=True), "attention") is None


@rows(
    ("possible", "expected"),
    [
        ({RunAction.APPLY, RunAction.DISCARD}, True),
        ({RunAction.DISCARD}, True),
        ({RunAction.CANCEL, RunAction.DISCARD}, False),
        ({RunAction.CANCEL}, False),
        (set(), False),
    ],
)
def test_possible_actions_decide_about_an_unknown_status(possible: set[RunAction], expected: bool) -> None:
    assert needs_person("warp_paused", possible) is expected
    assert not is_final("warp_paused")
    assert is_planned("warp_paused", ["planned-at"])
    assert not is_planned("warp_paused", ["plan-queued-at"])


def test_decision_is_never_final_or_cancelable() -> None:
    for rule in RULES.values():
        assert not (rule.is_final and rule.is_decision)
        assert not (rule.is_decision and RunAction.CANCEL in rule.actions)


# -- the wait ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_wait_returns_when_the_run_awaits_confirmation() -> None:
    api = api_with(bare(), bare(status="planning", actions=CANCELABLE), waiting_run())
    view = await wait(api)
    assert view["outcome"] == "attention"
    assert view["status"] == "planned"
    assert view["allowed_actions"] == ["apply", "discard"]
    assert view["follows"] == "Waits for a person to apply or discard it."
    assert view["plan"] == {"add": 3, "change": 1, "destroy": 0}
    assert view["has_changes"] is True
    assert view["workspace_name"] == "network"
    assert len(api.sent("GET", PATH)) == 3


NOT_COUNTED = {"resource_additions": 0, "resource_changes": 0, "resource_destructions": 0}
ZEROS = {"add": 0, "change": 0, "destroy": 0}
DRIFT = resource("a.b", before={"x": 1}, after={"x": 2})
ACTION = {"address": "action.a.b", "invoke_action_trigger": {}}
PLANS: list[tuple[dict[str, Any], dict[str, Any], dict[str, int]]] = [
    ({"action_invocations": [ACTION]}, {}, {"invoke": 1}),
    ({"output_changes": {"o": change(["create"], after=1)}}, {}, {"outputs": 1}),
    ({"resource_changes": [resource("a.b", ["forget"])]}, {}, {"forget": 1}),
    ({"resource_changes": [resource("a.b", ["no-op"], previous_address="a.c")]}, {}, {"move": 1}),
    ({"resource_changes": [resource("a.b", ["of_tomorrow"])]}, {}, {"unknown": 1}),
    ({"resource_drift": [DRIFT]}, {"refresh_only": True}, {"drift": 1}),
    ({"resource_drift": [DRIFT]}, {}, {}),
]


def api_without_counts(run: Mapping[str, Any]) -> FakeApi:
    """An API with a run whose plan has no changes that the API counts."""
    api = FakeApi().on("GET", PATH, document(run))
    return api.on("GET", PLAN_PATH, answer({"data": plan(**NOT_COUNTED)}))


@pytest.mark.anyio
async def test_changes_that_the_api_omits_are_counted_in_the_plan() -> None:
    for sections, attributes, counts in PLANS:
        api = api_without_counts(waiting_run(**attributes))
        api.on("GET", f"{PLAN_PATH}/json-output", answer(plan_json(**sections)))
        assert (await wait(api))["plan"] == ZEROS | counts, sections


@pytest.mark.anyio
async def test_unreadable_or_unchanged_plan_has_the_counts_of_the_api() -> None:
    view = await wait(api_without_counts(waiting_run()))
    assert (view["plan"], view["has_changes"]) == (ZEROS, True)
    api = api_without_counts(waiting_run(has_changes=False))
    assert (await wait(api))["plan"] == ZEROS
    assert api.sent("GET", "json-output") == []


@pytest.mark.anyio
@rows("status", ["post_plan_completed", "cost_estimated", "policy_checked"])
async def test_wait_returns_immediately_if_the_run_can_be_confirmed(status: str) -> None:
    run = waiting_run(status=status)
    assert (await wait(api_with(run), clock=(clock := FakeClock())))["outcome"] == "attention"
    assert clock.sleeps == []


@pytest.mark.anyio
async def test_wait_for_an_auto_apply_run_continues_until_it_is_applied() -> None:
    auto: dict[str, Any] = {"auto_apply": True}
    api = api_with(
        bare(status="planning", actions=CANCELABLE, **auto),
        waiting_run(**auto),
        waiting_run(status="cost_estimated", **auto),
        bare(status="confirmed", actions=CANCELABLE, **auto),
        bare(status="applying", actions=CANCELABLE, **auto),
        bare(status="applied", actions=samples.actions(), **auto),
    )
    assert (await wait(api))["status"] == "applied"


@pytest.mark.anyio
async def test_wait_continues_until_the_expected_policies_are_checked() -> None:
    def after_plan(status: str, possible: dict[str, bool], *passed: str) -> dict[str, Any]:
        stamps = {f"{name}-at": "2026-01-02T03:04:04Z" for name in passed}
        return samples.run(status=status, actions=possible, has_changes=True, status_timestamps=stamps)

    api = api_with(
        after_plan("planned", CONFIRMABLE, "planned"),
        after_plan("cost_estimated", CONFIRMABLE, "planned", "cost-estimated"),
        after_plan("policy_checking", CANCELABLE, "planned", "cost-estimated"),
        after_plan("policy_override", samples.actions("discardable"), "planned", "cost-estimated"),
    )
    view = await wait(api)
    assert (view["outcome"], view["status"]) == ("attention", "policy_override")
    assert "override" in view["follows"]


@pytest.mark.anyio
async def test_wait_gives_up_on_an_expected_check_that_never_starts() -> None:
    run = samples.planned(status_timestamps={"planned-at": "2026-01-02T03:04:04Z"})
    view = await wait(api_with(run))
    assert view["outcome"] == "attention"
    assert 10 <= view["waited_s"] <= 15


@pytest.mark.anyio
async def test_run_planned_long_ago_is_returned_immediately() -> None:
    run = samples.planned(status_timestamps={"planned-at": "2026-01-01T00:00:00Z"})
    assert (await wait(api_with(run)))["waited_s"] == 0


@pytest.mark.anyio
async def test_task_stage_that_awaits_an_override_needs_a_person() -> None:
    run = samples.run(status="post_plan_running", actions=samples.actions("discardable"))
    api = FakeApi().on(
        "GET", PATH, document(run, task_stage("running")), document(run, task_stage("awaiting_override"))
    )
    assert (await wait(api))["outcome"] == "attention"
    assert len(api.sent("GET", PATH)) == 2


@pytest.mark.anyio
async def test_include_without_task_stages_is_used_for_an_old_server() -> None:
    api = FakeApi().on("GET", PATH, error(400, "invalid include parameter"), document(waiting_run()))
    assert (await wait(api))["outcome"] == "attention"
    asked = [request.url.params["include"] for request in api.sent("GET", PATH)]
    assert asked == ["workspace,created_by,task_stages", "workspace,created_by"]


@pytest.mark.anyio
async def test_until_planned_does_not_wait_for_later_stages() -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE), bare(status="cost_estimating", actions=CANCELABLE))
    view = await wait(api, until="planned")
    assert (view["outcome"], view["status"]) == ("planned", "cost_estimating")


@pytest.mark.anyio
async def test_until_final_waits_through_a_confirmation() -> None:
    api = api_with(waiting_run(), bare(status="applying", actions=CANCELABLE), bare(status="applied"))
    assert (await wait(api, until="final"))["outcome"] == "final"


@pytest.mark.anyio
async def test_failed_run_suggests_diagnose_run() -> None:
    view = await wait(api_with(bare(status="errored", actions=samples.actions())))
    assert view["outcome"] == "final"
    assert view["next_actions"] == [
        {"tool": "diagnose_run", "arguments": {"run_id": RUN_ID}, "reason": "explains the failure"},
        {"tool": "rerun", "arguments": {"run_id": RUN_ID}, "reason": "plans it again"},
    ]


@pytest.mark.anyio
async def test_raw_result_is_the_document_of_the_api() -> None:
    assert (await wait(api_with(waiting_run()), is_raw=True))["data"]["id"] == RUN_ID


# -- the time ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_timeout_returns_a_result_with_the_next_call() -> None:
    api = api_with(bare()).on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(bare("run-before"))))
    view = await wait(api, timeout_s=50)
    assert view["outcome"] == "timeout"
    assert view["status"] == "pending"
    assert view["waited_s"] == 50
    assert view["next_actions"] == [
        {"tool": "wait_for_run", "arguments": {"run_id": RUN_ID}, "reason": "continues to wait"}
    ]
    assert view["queue"] == "1 before it in the queue"


@pytest.mark.anyio
async def test_zero_timeout_reads_the_run_once() -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE))
    assert (await wait(api, timeout_s=0))["outcome"] == "timeout"
    assert len(api.sent("GET", PATH)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("timeout_s", [-1, 3_601])
async def test_invalid_timeout_is_refused(timeout_s: int) -> None:
    api = FakeApi()
    with pytest.raises(InvalidInput, match="between 0 and 3600"):
        await wait(api, timeout_s=timeout_s)
    assert api.requests == []


@pytest.mark.anyio
async def test_longest_wait_stays_far_below_the_rate_limits() -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE))
    clock = FakeClock()
    await wait(api, clock=clock, timeout_s=3_600)
    assert clock.sleeps[0] == 0.5
    assert max(clock.sleeps) == 5.0
    assert 720 <= len(api.requests) <= 740


@pytest.mark.anyio
async def test_queue_of_a_pending_run_is_read_less_often_than_the_run() -> None:
    api = api_with(bare()).on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(bare("run-before"))))
    await wait(api, listener=Listener(), timeout_s=600)
    lists = len(api.sent("GET", f"/workspaces/{WORKSPACE_ID}/runs"))
    assert 2 <= lists <= 15


@pytest.mark.anyio
async def test_polling_is_fast_again_after_a_change() -> None:
    slow = [bare(status="planning", actions=CANCELABLE)] * 12
    clock = FakeClock()
    await wait(api_with(*slow, bare(status="confirmed", actions=CANCELABLE), bare(status="applied")), clock=clock)
    assert clock.sleeps[-1] == 0.5
    assert clock.sleeps[-2] == 5.0


# -- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_wait_survives_a_short_outage_of_the_api() -> None:
    away = [httpx2.ConnectError("refused")] * 7
    api = FakeApi().on(
        "GET", PATH, document(bare(status="planning", actions=CANCELABLE)), *away, document(waiting_run())
    )
    api.on("GET", PLAN_PATH, answer({"data": plan()}))
    view = await wait(api)
    assert view["outcome"] == "attention"
    assert "note" not in view


@pytest.mark.anyio
async def test_outage_at_the_timeout_is_noted() -> None:
    api = FakeApi().on("GET", PATH, document(bare(status="planning", actions=CANCELABLE)), httpx2.ReadTimeout("slow"))
    view = await wait(api, timeout_s=20)
    assert (view["outcome"], view["status"]) == ("timeout", "planning")
    assert "before the API stopped responding" in view["note"]


@pytest.mark.anyio
async def test_long_outage_is_an_error() -> None:
    api = FakeApi().on("GET", PATH, document(bare(status="planning", actions=CANCELABLE)), httpx2.ReadTimeout("slow"))
    clock = FakeClock()
    with pytest.raises(RequestTimedOut):
        await wait(api, clock=clock, timeout_s=3_600)
    assert clock.monotonic() < 1_000 + 120


@pytest.mark.anyio
async def test_missing_run_is_an_error_immediately() -> None:
    clock = FakeClock()
    with pytest.raises(NotFound):
        await wait(FakeApi(), clock=clock)
    assert clock.sleeps == []


@pytest.mark.anyio
async def test_revoked_permission_ends_the_wait() -> None:
    api = FakeApi().on("GET", PATH, document(bare()), error(404, "not found"))
    with pytest.raises(NotFound):
        await wait(api)


@pytest.mark.anyio
async def test_canceling_the_call_sends_nothing() -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE))
    async with Client(http_transport=api, address="https://tfe.example.com", token="x") as client:
        with anyio.move_on_after(0.02) as scope:
            await Gate(client, ASSISTANT).call(TOOLS["wait_for_run"], {"run_id": RUN_ID})
    assert scope.cancelled_caught
    assert {request.method for request in api.requests} == {"GET"}


# -- progress ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_progress_contains_queue_position_phase_and_last_log_line() -> None:
    api = api_with(
        bare(),
        bare(status="planning", actions=CANCELABLE),
        bare(status="applying", actions=CANCELABLE),
        bare(status="applied"),
    )
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(bare("run-before"))))
    api.on("GET", APPLY_PATH, answer({"data": phase("applies", "apply-47MBvjwzBG8YKc2v", status="running")}))
    lines = b'\x02Terraform v1.11.4\n{"@level":"info","@message":"aws_vpc.main: Creating...","type":"apply_start"}\n'
    api.on("GET", LOG, httpx2.Response(200, content=lines))
    listener = Listener()
    await wait(api, listener=listener)
    assert [message for message, _, _ in listener.heard] == [
        "pending: 1 before it in the queue",
        "planning: aws_vpc.main: Creating...",
        "applying: aws_vpc.main: Creating...",
    ]
    dones = [done for _, done, _ in listener.heard]
    assert dones == sorted(set(dones))
    assert {total for _, _, total in listener.heard} == {50.0}


@pytest.mark.anyio
async def test_log_is_not_read_if_nobody_receives_progress() -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE), bare(status="planned_and_finished"))
    await wait(api)
    assert not [request for request in api.requests if "archivist" in request.url.host]


@pytest.mark.anyio
async def test_unreadable_log_does_not_end_the_wait() -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE), bare(status="planned_and_finished"))
    api.on("GET", LOG, httpx2.Response(403))
    listener = Listener()
    assert (await wait(api, listener=listener))["outcome"] == "final"
    assert [message for message, _, _ in listener.heard] == ["planning"]


@pytest.mark.anyio
async def test_unchanged_progress_is_repeated_periodically() -> None:
    listener = Listener()
    await wait(api_with(bare(status="cost_estimating", actions=CANCELABLE)), listener=listener, timeout_s=60)
    assert 4 <= len(listener.heard) <= 8
    assert {message for message, _, _ in listener.heard} == {"cost_estimating"}


@pytest.mark.anyio
async def test_log_line_in_progress_is_sanitized_and_masked() -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE), bare(status="planned_and_finished"))
    evil = "ok \x1b[31mred\x1b[0m \u202eevil fakeToken1234.atlasv1.neverShownAnywhere5678\r\n".encode()
    api.on("GET", LOG, httpx2.Response(200, content=evil))
    listener = Listener()
    await wait(api, listener=listener)
    assert listener.heard[0][0] == "planning: ok red evil [removed]"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "log",
    [b"Terraform v1.11.4\nit is correct-hor", b"Terraform v1.11.4\n" + b"correct-horse-battery" * 1_000],
    ids=["being written", "longer than what is read"],
)
async def test_incomplete_log_line_is_never_reported(log: bytes) -> None:
    api = api_with(bare(status="planning", actions=CANCELABLE), bare(status="planned_and_finished"))
    api.on("GET", LOG, httpx2.Response(200, content=log))
    listener = Listener()
    await wait(api, listener=listener)
    assert "hor" not in str(listener.heard)


def test_values_of_until_are_those_of_the_schema() -> None:
    node = TOOLS["wait_for_run"].input_schema["properties"]["until"]
    assert node["enum"] == list(Until.__args__)  # type: ignore[attr-defined]
