"""The queue of a workspace, as pure functions."""

from tests.support.tables import rows
from tfruns.lifecycle import is_queued
from tfruns.local.queue import Priority, Queue, plan_priority
from tfruns.vocabulary import RunOperation


@rows(
    ("queue", "next_run"),
    [
        (Queue([]), None),
        (Queue(["run-1"]), "run-1"),
        (Queue(["run-1", "run-2"]), "run-1"),
        (Queue(["run-2"], holder="run-1"), None),
        (Queue(["run-1"], is_locked=True), None),
        (Queue(["run-2"], holder="run-1", is_locked=True), None),
        (Queue([], holder="run-1"), None),
    ],
)
def test_oldest_run_is_next_unless_the_workspace_is_held(queue: Queue, next_run: str | None) -> None:
    assert queue.next_run() == next_run


def test_position_in_the_queue_starts_at_one() -> None:
    queue = Queue(["run-1", "run-2"], holder="run-0")
    assert [queue.position(id_) for id_ in ("run-0", "run-1", "run-2")] == [None, 1, 2]


@rows(("run_id", "earlier"), [("run-1", []), ("run-3", ["run-1", "run-2"]), ("run-0", []), ("run-9", [])])
def test_only_pending_runs_are_earlier(run_id: str, earlier: list[str]) -> None:
    assert list(Queue(["run-1", "run-2", "run-3"], holder="run-0").earlier_than(run_id)) == earlier


def test_all_operations_queue_except_plan_only_and_saved_plans() -> None:
    # Contract notes: "Plan-only runs and the plan of a saved-plan run ignore queue and lock."
    unqueued = {operation for operation in RunOperation if not is_queued(operation)}
    assert unqueued == {RunOperation.PLAN_ONLY, RunOperation.SAVE_PLAN}


def test_applies_precede_plans_and_speculative_plans_are_last() -> None:
    # Contract notes: "Priority across workspaces: applies, then plans, then speculative plans."
    speculative, ordinary = plan_priority(RunOperation.PLAN_ONLY), plan_priority(RunOperation.PLAN_AND_APPLY)
    assert sorted([speculative, ordinary, Priority.APPLY]) == [Priority.APPLY, ordinary, speculative]
    assert plan_priority(RunOperation.SAVE_PLAN) == ordinary
