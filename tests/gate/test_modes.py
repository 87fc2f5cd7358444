"""Modes: the tools that a mode offers, and the permitted effects of their calls."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer, body, query
from tests.support.tables import rows
from tests.tools.calls import PATHS, REQUIRED, RUN_ID, WORKSPACE_ID, call, failure_of, willing_api
from tests.tools.listing import listed_tools
from tfruns.errors import RefusedByMode
from tfruns.gate.registry import offered_tools
from tfruns.policy import Confirm, Mode, Policy

READ = [
    "list_runs_in_workspace",
    "list_runs_in_organization",
    "get_run_details",
    "list_workspaces",
    "explain_runs",
    "get_workspace_details",
    "wait_for_run",
    "review_run",
    "get_run_logs",
    "get_run_history",
    "diagnose_run",
]
PLAN = [
    *READ,
    "create_run",
    "discard_run",
    "cancel_run",
    "comment_on_run",
    "upload_configuration",
    "set_workspace_lock",
    "rerun",
]
ADMINISTRATION = ["set_variable", "save_workspace", "delete_workspace", "roll_back_state"]
APPLY = [*PLAN, *ADMINISTRATION, "apply_run", "force_cancel_run", "force_execute_run", "override_policy_check"]

PLANNING = Policy(Mode.PLAN)
ASKING = Policy(confirm=Confirm.ALWAYS)


@rows(("mode", "names"), [(Mode.READ, READ), (Mode.PLAN, PLAN), (Mode.APPLY, APPLY)])
@rows("confirm", Confirm)
def test_mode_offers_its_tools(mode: Mode, names: list[str], confirm: Confirm) -> None:
    assert {tool.name for tool in offered_tools(Policy(mode, confirm))} == set(names)
    assert set(listed_tools(mode, confirm)) == set(names)


def test_read_offers_only_read_only_tools() -> None:
    assert all(tool.is_read_only for tool in offered_tools(Policy(Mode.READ)))


@rows("mode", Mode)
@rows("other", Mode)
def test_mode_includes_lower_modes(mode: Mode, other: Mode) -> None:
    order = ["read", "plan", "apply"]
    assert mode.includes(other) is (order.index(other) <= order.index(mode))


# -- plan: nothing is applied -----------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_plan_refuses_auto_apply() -> None:
    api = willing_api()
    arguments = {"workspace_id": WORKSPACE_ID, "params": {"auto_apply": True}}
    refusal = await failure_of("create_run", arguments, api=api, policy=PLANNING)
    assert isinstance(refusal, RefusedByMode)
    assert api.requests == []


@pytest.mark.anyio
@rows("policy", [PLANNING, Policy(Mode.PLAN)], ids=["assistant", "another caller"])
@rows("params", [{}, {"message": "x"}, {"auto_apply": False}])
async def test_plan_disables_auto_apply_of_the_workspace(policy: Policy, params: dict[str, Any]) -> None:
    api = willing_api()
    await call("create_run", {"workspace_id": WORKSPACE_ID, "params": params}, api=api, policy=policy)
    (request,) = api.sent("POST")
    assert body(request)["data"]["attributes"]["auto-apply"] is False


_APPLIES = [
    "confirmed",
    "pre_apply_running",
    "pre_apply_completed",
    "queuing_apply",
    "apply_queued",
    "applying",
    "post_apply_running",
    "post_apply_completed",
    "warp_running",  # an unknown status
]


@pytest.mark.anyio
@rows("tool", ["cancel_run", "discard_run"])
@rows("status", _APPLIES)
async def test_plan_does_not_interfere_with_an_apply(tool: str, status: str) -> None:
    api = willing_api(samples.run(status=status))
    refusal = await failure_of(tool, api=api, policy=PLANNING)
    assert isinstance(refusal, RefusedByMode)
    assert refusal.facts["run_status"] == status
    assert api.sent("POST") == []


def _api(run: dict[str, Any], *pending: dict[str, Any]) -> FakeApi:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": run}))
    for path in PATHS.values():
        api.on("POST", f"/runs/{RUN_ID}/actions/{path}", accepted())
    return api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(*pending)))


@pytest.mark.anyio
@rows("tool", ["cancel_run", "discard_run"])
@rows("run", [samples.run(status="planning"), samples.planned()], ids=["planning", "planned"])
async def test_plan_does_not_release_a_run_with_auto_apply(tool: str, run: dict[str, Any]) -> None:
    api = _api(run, samples.run("run-patient"), samples.run("run-eager", auto_apply=True))
    refusal = await failure_of(tool, api=api, policy=PLANNING)
    assert isinstance(refusal, RefusedByMode)
    assert refusal.facts["waiting_run_ids"] == ["run-eager"]
    assert api.sent("POST") == []
    (listed,) = api.sent("GET", "/runs")
    assert query(listed)["filter[status_group]"] == "non_final"


@pytest.mark.anyio
@rows("tool", ["cancel_run", "discard_run"])
@rows(
    ("run", "pending"),
    [
        (samples.planned(), [samples.run("run-patient")]),
        (samples.planned(), []),
        # These do not hold their workspace.
        (samples.run(status="planning", plan_only=True), [samples.run("run-eager", auto_apply=True)]),
        (samples.planned(save_plan=True), [samples.run("run-eager", auto_apply=True)]),
        # A run does not free itself.
        (samples.run(auto_apply=True), [samples.run(auto_apply=True)]),
    ],
    ids=["others wait", "no others", "plan-only", "saved plan", "itself"],
)
async def test_plan_stops_a_run_that_blocks_no_auto_apply(
    tool: str, run: dict[str, Any], pending: list[dict[str, Any]]
) -> None:
    api = _api(run, *pending)
    view = await call(tool, api=api, policy=PLANNING)
    assert view["accepted"] is True
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_plan_checks_the_whole_queue() -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": samples.planned()}))
    first = answer(samples.page(samples.run("run-patient"), next_page=2))
    second = answer(samples.page(samples.run("run-eager", auto_apply=True), number=2))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", first, second)
    refusal = await failure_of("discard_run", api=api, policy=PLANNING)
    assert refusal.facts["waiting_run_ids"] == ["run-eager"]


@pytest.mark.anyio
@pytest.mark.parametrize("tool", ["cancel_run", "discard_run"])
async def test_plan_sends_nothing_if_the_queue_is_unknown(tool: str) -> None:
    api = FakeApi().on("POST", f"/runs/{RUN_ID}/actions/{PATHS[tool]}", accepted())
    await failure_of(tool, api=api, policy=PLANNING)  # the run cannot be read
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": samples.planned()}))
    await failure_of(tool, api=api, policy=PLANNING)  # the queue cannot be read
    assert api.sent("POST") == []


@pytest.mark.anyio
@pytest.mark.parametrize("tool", ["cancel_run", "discard_run"])
async def test_apply_sends_all_actions(tool: str) -> None:
    api = _api(samples.run(status="applying"), samples.run("run-eager", auto_apply=True))
    assert (await call(tool, api=api, policy=Policy()))["accepted"] is True
    assert api.sent("GET", f"/workspaces/{WORKSPACE_ID}/runs") == []


# -- confirmation -----------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows(
    ("tool", "more"),
    [
        ("apply_run", {}),
        ("force_cancel_run", {}),
        ("force_execute_run", {}),
        ("override_policy_check", {}),
        ("create_run", {"params": {"auto_apply": True}}),
        ("create_run", {"params": {"is_destroy": True}}),
    ],
)
async def test_always_refuses_if_no_person_can_be_asked(tool: str, more: dict[str, Any]) -> None:
    run = samples.planned(actions=samples.actions("confirmable", "force-cancelable"))
    api = willing_api(run)
    refusal = await failure_of(tool, REQUIRED[tool] | more, api=api, policy=ASKING)
    assert isinstance(refusal, RefusedByMode)
    assert "--confirm" in refusal.solution
    assert api.sent("POST") == []


@pytest.mark.anyio
@rows("tool", PLAN)
async def test_reversible_call_needs_no_confirmation(tool: str) -> None:
    assert await call(tool, api=willing_api(), policy=ASKING)


@pytest.mark.anyio
@rows("tool", APPLY)
async def test_never_asks_no_one(tool: str) -> None:
    assert await call(tool, api=willing_api(), policy=Policy(confirm=Confirm.NEVER))
