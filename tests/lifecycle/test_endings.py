"""The endings of runs, and the statuses of their plans and applies."""

import re

from tests.support.tables import rows
from tfruns.lifecycle import (
    PHASE_STATUSES,
    RULES,
    TRANSITIONS,
    ending_of,
    has_phase_begun,
    has_phase_ended,
    is_final,
    is_force_canceled,
    is_queued,
    phase_status_of,
    statuses_of_phases,
)
from tfruns.local.store.schema import UNDER_WAY
from tfruns.vocabulary import PhaseStatus, RunEnding, RunOperation, RunPhase, RunStatus


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


def test_unknown_status_has_no_ending_and_no_phase_status() -> None:
    assert ending_of("warped") is None
    assert phase_status_of("warped") is None


@rows("phase", [RunPhase.PLAN, RunPhase.APPLY])
def test_phase_status_goes_from_queued_to_running_to_finished(phase: RunPhase) -> None:
    by_status = {status: run for run, (of, status) in PHASE_STATUSES.items() if of is phase}
    assert by_status[PhaseStatus.RUNNING] in TRANSITIONS[by_status[PhaseStatus.QUEUED]]
    assert by_status[PhaseStatus.FINISHED] in TRANSITIONS[by_status[PhaseStatus.RUNNING]]


@rows("operation", RunOperation)
def test_only_plan_only_and_saved_plan_runs_skip_the_queue(operation: RunOperation) -> None:
    assert is_queued(operation) is (operation not in {RunOperation.PLAN_ONLY, RunOperation.SAVE_PLAN})


def test_index_of_active_runs_matches_the_table() -> None:
    under_way = statuses_of_phases(PhaseStatus.QUEUED, PhaseStatus.RUNNING)
    assert re.findall(r"'(\w+)'", UNDER_WAY) == [status.value for status in under_way]


@rows("status", PhaseStatus)
def test_finished_phase_has_started_unless_unreachable(status: PhaseStatus) -> None:
    if has_phase_ended(status):
        assert has_phase_begun(status) is (status is not PhaseStatus.UNREACHABLE)
    assert has_phase_begun(status) or status.value in {
        "created",
        "pending",
        "queued",
        "managed_queued",
        "agent_queued",
        "unreachable",
    }


def test_force_canceled_run_is_recognized_by_its_timestamps() -> None:
    canceled = {"canceled-at"}
    assert is_force_canceled("force_canceled", ())
    assert is_force_canceled("canceled", canceled | {"force-canceled-at"})
    assert not is_force_canceled("canceled", canceled)
    assert not any(is_force_canceled(status, canceled) for status in RULES if status != RunStatus.FORCE_CANCELED)
