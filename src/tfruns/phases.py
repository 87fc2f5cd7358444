"""The statuses of plan and apply, as tables.

A plan or apply has a status of its own. It follows from the status of the run, which `lifecycle` describes.

Sources: HCP Terraform API, "Plans", "Applies"; observation of the service for a phase that does not finish.
"""

from collections.abc import Mapping

from tfruns.lifecycle import is_final
from tfruns.vocabulary import PhaseStatus, RunPhase, RunStatus

_S = RunStatus
_P = RunPhase

# The status of the plan or apply that follows from the run's status.
PHASE_STATUSES: Mapping[RunStatus, tuple[RunPhase, PhaseStatus]] = {
    _S.PLAN_QUEUED: (_P.PLAN, PhaseStatus.QUEUED),
    _S.PLANNING: (_P.PLAN, PhaseStatus.RUNNING),
    _S.PLANNED: (_P.PLAN, PhaseStatus.FINISHED),
    _S.PLANNED_AND_FINISHED: (_P.PLAN, PhaseStatus.FINISHED),
    _S.PLANNED_AND_SAVED: (_P.PLAN, PhaseStatus.FINISHED),
    _S.APPLY_QUEUED: (_P.APPLY, PhaseStatus.QUEUED),
    _S.APPLYING: (_P.APPLY, PhaseStatus.RUNNING),
    _S.APPLIED: (_P.APPLY, PhaseStatus.FINISHED),
}

# The statuses in which no process of the run has started.
UNSTARTED_STATUSES = frozenset(
    {_S.PENDING, *(status for status, (_, phase) in PHASE_STATUSES.items() if phase is PhaseStatus.QUEUED)}
)

# The phase that starts when a worker is free.
_QUEUED_PHASES: Mapping[str, RunPhase] = {
    _S.QUEUING: _P.PLAN,
    _S.PLAN_QUEUED: _P.PLAN,
    _S.QUEUING_APPLY: _P.APPLY,
    _S.APPLY_QUEUED: _P.APPLY,
}

# A phase that was queued or running when its run failed or was canceled.
_INTERRUPTED: Mapping[RunStatus, PhaseStatus] = {_S.ERRORED: PhaseStatus.ERRORED, _S.CANCELED: PhaseStatus.CANCELED}

_FAILED = frozenset({PhaseStatus.ERRORED, PhaseStatus.CANCELED})
_ENDED = _FAILED | {PhaseStatus.FINISHED, PhaseStatus.UNREACHABLE}
_BEGUN = _FAILED | {PhaseStatus.RUNNING, PhaseStatus.FINISHED}


def phase_status_of(status: str) -> tuple[RunPhase, PhaseStatus] | None:
    """The status of the plan or apply that follows from a run's status; None if it implies neither."""
    return PHASE_STATUSES.get(status)  # type: ignore[call-overload, no-any-return]  # as in `lifecycle.rule_of`


def statuses_of_phases(*wanted: PhaseStatus) -> list[RunStatus]:
    """The statuses of runs whose plan or apply has one of these phase statuses."""
    return [status for status, (_, phase_status) in PHASE_STATUSES.items() if phase_status in wanted]


def phase_waiting_for_worker(status: str) -> RunPhase | None:
    """The phase, plan or apply, that starts when a worker is free; None if none waits for one."""
    return _QUEUED_PHASES.get(status)


def phase_status_after(phase: str, current: str, status: RunStatus) -> PhaseStatus:
    """The status of a plan or apply after its run has changed to `status`.

    Args:
        phase: plan or apply.
        current: the status of the plan or apply before the change.
        status: the new status of the run.
    """
    changed_phase, phase_status = phase_status_of(status) or (None, None)
    if phase_status is not None and phase == changed_phase:
        return phase_status
    if is_final(status) and current == PhaseStatus.PENDING:
        return PhaseStatus.UNREACHABLE
    if current in {PhaseStatus.QUEUED, PhaseStatus.RUNNING}:
        return _INTERRUPTED.get(status, PhaseStatus(current))
    return PhaseStatus(current)


def phase_timestamp_key(status: PhaseStatus) -> str:
    """The key of a phase status in the status timestamps: `started-at` for `running`, else as `finished-at`."""
    return "started-at" if status is PhaseStatus.RUNNING else f"{status.value}-at"


def has_phase_begun(status: str) -> bool:
    """Whether a plan or apply in this status has started and may have a log."""
    return status in _BEGUN


def has_phase_failed(status: str) -> bool:
    """Whether a plan or apply in this status failed or was canceled."""
    return status in _FAILED


def has_phase_ended(status: str) -> bool:
    """Whether a plan or apply in this status has finished."""
    return status in _ENDED
