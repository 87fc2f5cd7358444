"""A wait that only a person can end names the obstacle, instead of suggesting to wait longer."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer
from tests.support.clock import FakeClock
from tests.tools.calls import RUN_ID, WORKSPACE_ID
from tests.tools.test_wait_for_run import CANCELABLE, api_with, bare, document, task_stage, wait, waiting_run

pytestmark = pytest.mark.anyio

OTHER = "run-0therRun00000001"


async def waited(api: FakeApi, **arguments: Any) -> Any:
    return await wait(api, clock=FakeClock(), timeout_s=20, **arguments)


def pending_in(workspace: dict[str, Any], *included: dict[str, Any], other: dict[str, Any] | None = None) -> FakeApi:
    """An API with a pending run in this workspace, behind another run if there is one."""
    api = api_with(bare(status="pending", actions=CANCELABLE))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": workspace, "included": list(included)}))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(*([other] if other else []), total=1)))
    return api if other is None else api.on("GET", f"/runs/{OTHER}", document(other))


def held(by: str = "runs") -> dict[str, Any]:
    return samples.workspace(locked=True, locked_by=(by, OTHER), current_run=("runs", OTHER))


async def test_run_that_waits_for_a_person_blocks_the_run() -> None:
    other = waiting_run(id_=OTHER, message="Grow the pool", created_at="2020-01-02T03:00:00Z")
    view = await waited(pending_in(held(), other=other))
    assert view["outcome"] == "timeout"
    blocked = view["blocked_by"]
    assert (blocked["needs_person"], blocked["position"]) == (True, 2)
    held_by = blocked["held_by"]
    assert (held_by["id"], held_by["status"], held_by["created_by"]) == (OTHER, "planned", "operator")
    assert held_by["follows"] == "Waits for a person to apply or discard it."
    assert blocked["freed_by"] == "A person applying or discarding that run."
    assert view["queue"] == f"1 before it in the queue, current run {OTHER}, which waits for a person"
    assert [(step["tool"], step["arguments"]["run_id"]) for step in view["next_actions"]] == [("review_run", OTHER)]


async def test_check_of_another_run_blocks_the_run() -> None:
    view = await waited(
        pending_in(
            held(),
            other=bare(OTHER, created_at="2020-01-02T03:00:00Z", status="policy_override", actions=samples.actions()),
        )
    )
    assert view["blocked_by"]["freed_by"] == "A person overriding the failed check of that run, or discarding that run."
    assert [(step["tool"], step["arguments"]["run_id"]) for step in view["next_actions"]] == [("diagnose_run", OTHER)]


async def test_lock_blocks_the_run() -> None:
    user = {"id": "user-1", "type": "users", "attributes": {"username": "operator"}}
    workspace = samples.workspace(locked=True, locked_by=("users", "user-1"))
    workspace["attributes"] |= {"locked-reason": "maintenance", "locked-at": "2026-01-02T03:00:00Z"}
    view = await waited(pending_in(workspace, user))
    assert view["blocked_by"] == {
        "needs_person": True,
        "position": 1,
        "reason": "The workspace is locked.",
        "locked_by": "operator",
        "locked_since": "2026-01-02T03:00:00Z",
        "lock_reason": "maintenance",
        "freed_by": "The holder of the lock unlocking the workspace.",
    }
    assert "next_actions" not in view


async def test_run_that_works_does_not_need_a_person() -> None:
    view = await waited(
        pending_in(held(), other=bare(OTHER, created_at="2020-01-02T03:00:00Z", status="applying", actions=CANCELABLE))
    )
    assert "blocked_by" not in view
    assert view["queue"] == f"1 before it in the queue, current run {OTHER}"
    assert [step["tool"] for step in view["next_actions"]] == ["wait_for_run"]


async def test_run_itself_waits_for_a_person() -> None:
    stage = task_stage("awaiting_override")
    overridden = bare(status="post_plan_running", actions=samples.actions("discardable"))
    overridden["relationships"]["task-stages"] = {"data": [{"id": stage["id"], "type": "task-stages"}]}
    for api, freed_by, tool in (
        (api_with(waiting_run()), "A person applying or discarding it.", "review_run"),
        (
            FakeApi().on("GET", f"/runs/{RUN_ID}", document(overridden, stage)),
            "A person overriding the failed check of it, or discarding it.",
            "diagnose_run",
        ),
    ):
        view = await waited(api, until="final")
        assert view["outcome"] == "timeout"
        assert view["blocked_by"] == {"needs_person": True, "reason": "A person has to decide.", "freed_by": freed_by}
        assert [step["tool"] for step in view["next_actions"]] == [tool]


async def test_final_run_has_a_next_step_or_needs_none() -> None:
    for status, tools in (("applied", []), ("errored", ["diagnose_run", "rerun"]), ("canceled", ["rerun"])):
        view = await waited(api_with(bare(status=status)))
        assert [step["tool"] for step in view.get("next_actions", ())] == tools
        assert ("Nothing is left to do." in view["follows"]) is (status == "applied")
