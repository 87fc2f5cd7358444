"""The start and the end of a phase, as the engine reports them.

A worker that executes a phase has a lease on its run: a text that is unique to this start of the server. Without a live
lease, a plan may be started again by any worker. An apply starts only once: a worker that finds it without a live lease
recovers its state. Only the worker with the lease can store a result.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.lifecycle import is_final
from tfruns.local.backend import Backend
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.service.find import run_for_update
from tfruns.local.service.states import store_state
from tfruns.local.service.transitions import change_status, record_event, release, start_apply
from tfruns.local.store.database import AnySession, Write
from tfruns.local.store.schema import PhaseRow, RunRow
from tfruns.phases import PHASE_STATUSES
from tfruns.vocabulary import PhaseStatus, RunOperation, RunPhase, RunStatus

_STATUSES = {phase: status for status, phase in PHASE_STATUSES.items()}


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """The result of a phase.

    Attributes:
        status: `finished`, `errored` or `canceled`.
        has_changes: whether a plan contains changes to apply.
        counts: the numbers of resources by `additions`, `changes`, `destructions`, `imports`.
        is_configuration_generated: whether a plan wrote configuration for imports.
        state: the workspace's state after the phase; None if the phase did not change it.
    """

    status: str
    has_changes: bool = False
    counts: dict[str, int] | None = None
    is_configuration_generated: bool = False
    state: bytes | None = None


@dataclass(frozen=True, slots=True)
class StartedPhase:
    """A phase that a worker has started.

    Attributes:
        run: the run, with its current values.
        kind: `plan` or `apply`.
        phase_id: the id of the plan or apply.
        is_recovery: whether a server that was killed had started it, so that only its state can be recovered.
    """

    run: RunRow
    kind: str
    phase_id: str
    is_recovery: bool = False


def start_phase(backend: Backend, write: Write, run_id: str, kind: str, lease: str) -> StartedPhase | None:
    """Start a dispatched phase, or resume one whose server was killed.

    Returns:
        The phase; None if it has finished, or another worker executes it.

    Raises:
        NotFound: the run was deleted.
    """
    run = run_for_update(write.session, run_id)
    phase = RunPhase(kind)
    queued, running = _STATUSES[phase, PhaseStatus.QUEUED], _STATUSES[phase, PhaseStatus.RUNNING]
    phase_id = _phase(write.session, run_id, kind).id
    if run.status == queued and run.cancel_level:  # a cancel takes precedence, as at the end of a phase
        change_status(backend, write, run, RunStatus.CANCELED)
        return None
    if run.status == queued:
        change_status(backend, write, run, running, lease=lease, options=_with_version(backend, run, phase))
        return StartedPhase(run, kind, phase_id)
    if run.status == running and run.lease == lease:  # the commit succeeded although it was reported as failed
        return StartedPhase(run, kind, phase_id)
    is_orphaned = run.lease not in (None, lease) and (run.status == running or is_final(run.status))
    if not is_orphaned:
        return None
    run.lease = lease
    is_recovery = kind == "apply" or is_final(run.status)
    event = "recovered" if is_recovery else "planning_again"
    record_event(backend, write.session, run.id, event, actor_id=None)
    return StartedPhase(run, kind, phase_id, is_recovery)


def _with_version(backend: Backend, run: RunRow, phase: RunPhase) -> dict[str, Any]:
    """The options of a run, with the Terraform version of its plan if this phase is the plan."""
    options: dict[str, Any] = run.options
    if phase is RunPhase.PLAN:
        options = {**options, "terraform_version": backend.terraform_version}
    return options


def read_cancel_level(session: AnySession, run_id: str) -> CancelLevel:
    """How far the cancel of a run has gone. The processes of a deleted run are killed."""
    level = session.scalar(select(RunRow.cancel_level).where(RunRow.id == run_id))
    return CancelLevel.KILL if level is None else level


def finish_phase(backend: Backend, write: Write, run_id: str, kind: str, lease: str, result: PhaseResult) -> bool:
    """Store the result of a phase, and advance the run.

    A result without the run's lease is ignored: its worker was considered dead, and another one has continued. The
    result of a phase that is not running is ignored too.

    A cancel that was accepted during the phase takes precedence over its result, with one exception: a finished apply
    was applied, and the run's status is `applied` (its `canceled-at` stays).

    Returns:
        Whether the run is final, so that its directory is no longer needed.

    Raises:
        NotFound: the run was deleted.
    """
    session = write.session
    run = run_for_update(session, run_id)
    running = _STATUSES[RunPhase(kind), PhaseStatus.RUNNING]
    if run.lease != lease or not (run.status == running or is_final(run.status)):
        return run.lease is None and is_final(run.status)
    run.lease = None
    _record(session, run, kind, result)
    if result.state is not None:
        store_state(backend, write, run.workspace_id, result.state, run_id=run.id, user_id=run.created_by_id)
    _advance(backend, write, run, kind, result)
    return is_final(run.status)


def abandon_phase(backend: Backend, write: Write, run_id: str, kind: str, lease: str) -> None:
    """Mark a phase as errored that could not be started, or whose result could not be stored.

    Raises:
        NotFound: the run was deleted.
    """
    run = run_for_update(write.session, run_id)
    unfinished = {_STATUSES[RunPhase(kind), status] for status in (PhaseStatus.QUEUED, PhaseStatus.RUNNING)}
    has_lease = run.lease == lease or (run.lease is None and run.status in unfinished)
    if has_lease and (run.status in unfinished or is_final(run.status)):
        run.lease = None
        _advance(backend, write, run, kind, PhaseResult(PhaseStatus.ERRORED))


def _advance(backend: Backend, write: Write, run: RunRow, kind: str, result: PhaseResult) -> None:
    if is_final(run.status):  # force-canceled: only its process had still to stop
        if run.holds_workspace:
            release(backend, write, run)
    elif run.cancel_level and not (kind == "apply" and result.status == PhaseStatus.FINISHED):
        change_status(backend, write, run, RunStatus.CANCELED)
    elif result.status != PhaseStatus.FINISHED:
        change_status(backend, write, run, RunStatus(result.status))
    elif kind == "apply":
        change_status(backend, write, run, RunStatus.APPLIED)
    else:
        _advance_after_plan(backend, write, run, has_changes=result.has_changes)


def _phase(session: Session, run_id: str, kind: str) -> PhaseRow:
    return session.scalars(select(PhaseRow).where(PhaseRow.run_id == run_id, PhaseRow.kind == kind)).one()


def _record(session: Session, run: RunRow, kind: str, result: PhaseResult) -> None:
    phase = _phase(session, run.id, kind)
    for name, number in (result.counts or {}).items():
        setattr(phase, f"resource_{name}", number)
    if kind == "plan":
        phase.has_changes = run.has_changes = result.has_changes
        phase.generated_configuration = result.is_configuration_generated
    session.flush()


def _advance_after_plan(backend: Backend, write: Write, run: RunRow, *, has_changes: bool) -> None:
    """Run states, "The Plan Stage", "Leaving this stage". This backend has neither cost estimation nor policies."""
    options: dict[str, Any] = run.options
    is_empty = not has_changes and not options["allow_empty_apply"]
    if run.operation == RunOperation.PLAN_ONLY or is_empty:
        change_status(backend, write, run, RunStatus.PLANNED_AND_FINISHED)
    elif run.operation == RunOperation.SAVE_PLAN:
        change_status(backend, write, run, RunStatus.PLANNED_AND_SAVED)
    else:
        change_status(backend, write, run, RunStatus.PLANNED)
        if run.auto_apply:
            start_apply(backend, write, run, actor_id=None, comment=None)
