"""The beginning and the end of a phase, as the engine reports them.

Whoever executes a phase holds a lease on its run: a text that is new with each start of the server. A plan may be begun
again, by whoever finds it without a live lease. An apply begins once: whoever finds it without a live lease takes up
what it left. Results are taken only from the holder of the lease.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.lifecycle import PHASE_STATUSES, is_final
from tfruns.local.backend import Backend
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.service.find import find_run
from tfruns.local.service.states import store_state
from tfruns.local.service.transitions import change_status, record_event, release, start_apply
from tfruns.local.store.database import Write
from tfruns.local.store.schema import PhaseRow, RunRow
from tfruns.vocabulary import PhaseStatus, RunOperation, RunPhase, RunStatus

_STATUSES = {phase: status for status, phase in PHASE_STATUSES.items()}


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """How a phase ended.

    Attributes:
        status: `finished`, `errored` or `canceled`.
        has_changes: of a plan: there is something to apply.
        counts: numbers of resources by `additions`, `changes`, `destructions`, `imports`.
        is_configuration_generated: of a plan: it wrote configuration for imports.
        state: the workspace's state after the phase; None where it did not change it.
    """

    status: str
    has_changes: bool = False
    counts: dict[str, int] | None = None
    is_configuration_generated: bool = False
    state: bytes | None = None


@dataclass(frozen=True, slots=True)
class StartedPhase:
    """A phase that was begun.

    Attributes:
        run: as it is now.
        kind: `plan` or `apply`.
        phase_id: the id of the plan or apply.
        is_recovery: it was begun by a server that was killed, and can only be ended.
    """

    run: RunRow
    kind: str
    phase_id: str
    is_recovery: bool = False


def start_phase(backend: Backend, write: Write, run_id: str, kind: str, lease: str) -> StartedPhase | None:
    """Begin a phase that was dispatched, or take it up where a server was killed.

    Returns:
        The phase; None if there is nothing to do, because it has ended or somebody else does it.

    Raises:
        NotFound: the run was deleted.
    """
    run = find_run(write.session, run_id, is_for_update=True)
    phase = RunPhase(kind)
    queued, running = _STATUSES[phase, PhaseStatus.QUEUED], _STATUSES[phase, PhaseStatus.RUNNING]
    phase_id = _phase(write.session, run_id, kind).id
    if run.status == queued and run.cancel_level:  # a cancel decides first, here as at the end of a phase
        change_status(backend, write, run, RunStatus.CANCELED)
        return None
    if run.status == queued:
        change_status(backend, write, run, running, lease=lease, options=_with_version(backend, run, phase))
        return StartedPhase(run, kind, phase_id)
    if run.status == running and run.lease == lease:  # the transaction that began it was committed, and seemed to fail
        return StartedPhase(run, kind, phase_id)
    is_left = run.lease not in (None, lease) and (run.status == running or is_final(run.status))
    if not is_left:
        return None
    run.lease = lease
    is_recovery = kind == "apply" or is_final(run.status)
    event = "recovered" if is_recovery else "planning_again"
    record_event(backend, write.session, run.id, event, actor_id=None)
    return StartedPhase(run, kind, phase_id, is_recovery)


def _with_version(backend: Backend, run: RunRow, phase: RunPhase) -> dict[str, Any]:
    """The options of a run that is planned now, with the Terraform version that plans it."""
    options: dict[str, Any] = run.options
    if phase is RunPhase.PLAN:
        options = {**options, "terraform_version": backend.terraform_version}
    return options


def read_cancel_level(session: Session, run_id: str) -> CancelLevel:
    """How far the cancel of a run has gone. The processes of a deleted run are killed."""
    level = session.scalar(select(RunRow.cancel_level).where(RunRow.id == run_id))
    return CancelLevel.KILL if level is None else level


def finish_phase(backend: Backend, write: Write, run_id: str, kind: str, lease: str, result: PhaseResult) -> bool:
    """Take the result of a phase, and move the run on from there.

    A result without the run's lease is dropped: its holder was declared dead, and another one has continued. So is the
    result of a phase that is not running.

    A cancel that was accepted while the phase ran decides, however the phase ended, with one exception: an apply that
    finished has been applied, and the run says so (its `canceled-at` stays).

    Returns:
        Whether the run is final, so that its directory is not needed any more.

    Raises:
        NotFound: the run was deleted.
    """
    session = write.session
    run = find_run(session, run_id, is_for_update=True)
    running = _STATUSES[RunPhase(kind), PhaseStatus.RUNNING]
    if run.lease != lease or not (run.status == running or is_final(run.status)):
        return run.lease is None and is_final(run.status)
    run.lease = None
    _record(session, run, kind, result)
    if result.state is not None:
        store_state(backend, write, run.workspace_id, result.state, run_id=run.id, user_id=run.created_by_id)
    _go_on(backend, write, run, kind, result)
    return is_final(run.status)


def abandon_phase(backend: Backend, write: Write, run_id: str, kind: str, lease: str) -> None:
    """End a phase as errored that could not be begun, or whose result could not be stored.

    Raises:
        NotFound: the run was deleted.
    """
    run = find_run(write.session, run_id, is_for_update=True)
    ours = {_STATUSES[RunPhase(kind), status] for status in (PhaseStatus.QUEUED, PhaseStatus.RUNNING)}
    is_ours = run.lease == lease or (run.lease is None and run.status in ours)
    if is_ours and (run.status in ours or is_final(run.status)):
        run.lease = None
        _go_on(backend, write, run, kind, PhaseResult(PhaseStatus.ERRORED))


def _go_on(backend: Backend, write: Write, run: RunRow, kind: str, result: PhaseResult) -> None:
    if is_final(run.status):  # force-canceled: only its process was still to end
        if run.holds_workspace:
            release(backend, write, run)
    elif run.cancel_level and not (kind == "apply" and result.status == PhaseStatus.FINISHED):
        change_status(backend, write, run, RunStatus.CANCELED)
    elif result.status != PhaseStatus.FINISHED:
        change_status(backend, write, run, RunStatus(result.status))
    elif kind == "apply":
        change_status(backend, write, run, RunStatus.APPLIED)
    else:
        _go_on_after_plan(backend, write, run, has_changes=result.has_changes)


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


def _go_on_after_plan(backend: Backend, write: Write, run: RunRow, *, has_changes: bool) -> None:
    """Run states, "The Plan Stage", "Leaving this stage"; neither cost estimation nor policies exist here."""
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
