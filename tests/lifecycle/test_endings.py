"""The endings of runs."""

from tests.support.tables import rows
from tfruns.lifecycle import RULES, TRANSITIONS, ending_of, is_final, is_force_canceled, is_queued
from tfruns.vocabulary import RunEnding, RunOperation, RunStatus


@rows("status", RunStatus)
def test_only_final_statuses_have_an_ending(status: RunStatus) -> None:
    assert (ending_of(status) is not None) is is_final(status) is (TRANSITIONS[status] == frozenset())


@rows(
    ("ending", "statuses"),
    [
        (RunEnding.DONE, {"applied", "planned_and_finished", "assessed"}),
        (RunEnding.FAILED, {"errored", "policy_soft_failed"}),
        (RunEnding.ABORTED, {"canceled", "force_canceled", "discarded"}),
    ],
)
def test_each_ending_lists_its_statuses(ending: RunEnding, statuses: set[str]) -> None:
    assert {status.value for status, rule in RULES.items() if rule.ending is ending} == statuses


def test_unknown_status_has_no_ending() -> None:
    assert ending_of("warped") is None


@rows("operation", RunOperation)
def test_only_plan_only_and_saved_plan_runs_skip_the_queue(operation: RunOperation) -> None:
    assert is_queued(operation) is (operation not in {RunOperation.PLAN_ONLY, RunOperation.SAVE_PLAN})


def test_force_canceled_run_is_recognized_by_its_timestamps() -> None:
    canceled = {"canceled-at"}
    assert is_force_canceled("force_canceled", ())
    assert is_force_canceled("canceled", canceled | {"force-canceled-at"})
    assert not is_force_canceled("canceled", canceled)
    assert not any(is_force_canceled(status, canceled) for status in RULES if status != RunStatus.FORCE_CANCELED)
