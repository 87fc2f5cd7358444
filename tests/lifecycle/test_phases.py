"""The statuses of plans and applies."""

import re

from tests.support.tables import rows
from tfruns.lifecycle import TRANSITIONS
from tfruns.local.store.schema import ACTIVE
from tfruns.phases import (
    PHASE_STATUSES,
    UNSTARTED_STATUSES,
    has_phase_begun,
    has_phase_ended,
    has_phase_failed,
    phase_status_after,
    phase_status_of,
    phase_timestamp_key,
    phase_waiting_for_worker,
    statuses_of_phases,
)
from tfruns.vocabulary import PhaseStatus, RunPhase, RunStatus


def test_unknown_status_has_no_phase_status() -> None:
    assert phase_status_of("warped") is None
    assert phase_waiting_for_worker("warped") is None


@rows("phase", [RunPhase.PLAN, RunPhase.APPLY])
def test_phase_status_goes_from_queued_to_running_to_finished(phase: RunPhase) -> None:
    by_status = {status: run for run, (of, status) in PHASE_STATUSES.items() if of is phase}
    assert by_status[PhaseStatus.RUNNING] in TRANSITIONS[by_status[PhaseStatus.QUEUED]]
    assert by_status[PhaseStatus.FINISHED] in TRANSITIONS[by_status[PhaseStatus.RUNNING]]


def test_index_of_active_runs_matches_the_table() -> None:
    active = statuses_of_phases(PhaseStatus.QUEUED, PhaseStatus.RUNNING)
    assert re.findall(r"'(\w+)'", ACTIVE) == [status.value for status in active]


def test_only_pending_and_queued_runs_have_not_started() -> None:
    assert {"pending", "plan_queued", "apply_queued"} == UNSTARTED_STATUSES


@rows("status", RunStatus)
def test_queued_phase_waits_for_a_worker(status: RunStatus) -> None:
    queued = {"queuing": "plan", "plan_queued": "plan", "queuing_apply": "apply", "apply_queued": "apply"}
    assert phase_waiting_for_worker(status) == queued.get(status)


@rows("status", PhaseStatus)
def test_finished_phase_has_started_unless_unreachable(status: PhaseStatus) -> None:
    waiting = {"created", "pending", "queued", "managed_queued", "agent_queued"}
    assert has_phase_begun(status) is (status.value not in waiting | {"unreachable"})
    assert has_phase_ended(status) is (status.value not in waiting | {"running"})
    assert has_phase_failed(status) is (status.value in {"errored", "canceled"})


@rows(
    ("plan", "apply", "run", "expected"),
    [
        ("pending", "pending", "plan_queued", ("queued", "pending")),
        ("queued", "pending", "planning", ("running", "pending")),
        ("running", "pending", "planned", ("finished", "pending")),
        ("running", "pending", "planned_and_finished", ("finished", "unreachable")),
        ("running", "pending", "planned_and_saved", ("finished", "pending")),
        ("finished", "pending", "confirmed", ("finished", "pending")),
        ("finished", "pending", "apply_queued", ("finished", "queued")),
        ("finished", "queued", "applying", ("finished", "running")),
        ("finished", "running", "applied", ("finished", "finished")),
        ("pending", "pending", "canceled", ("unreachable", "unreachable")),
        ("pending", "pending", "discarded", ("unreachable", "unreachable")),
        ("queued", "pending", "canceled", ("canceled", "unreachable")),
        ("running", "pending", "errored", ("errored", "unreachable")),
        ("finished", "pending", "discarded", ("finished", "unreachable")),
        ("finished", "queued", "canceled", ("finished", "canceled")),
        ("finished", "running", "errored", ("finished", "errored")),
        ("finished", "running", "canceled", ("finished", "canceled")),
    ],
)
def test_phases_follow_the_status_of_their_run(plan: str, apply: str, run: str, expected: tuple[str, str]) -> None:
    to = RunStatus(run)
    assert (phase_status_after("plan", plan, to), phase_status_after("apply", apply, to)) == expected


def test_running_phase_has_a_timestamp_of_its_start() -> None:
    keys = {status.value: phase_timestamp_key(status) for status in (PhaseStatus.RUNNING, PhaseStatus.FINISHED)}
    assert keys == {"running": "started-at", "finished": "finished-at"}
