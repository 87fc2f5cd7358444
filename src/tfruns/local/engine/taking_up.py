"""The start after whatever end: the runs say themselves what is still to be executed, and it is dispatched again."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.lifecycle import is_final
from tfruns.local.backend import Backend
from tfruns.local.queue import Priority, plan_priority
from tfruns.local.store.schema import PhaseRow, RunRow
from tfruns.vocabulary import PhaseStatus, RunStatus

_PLAN = {RunStatus.PLAN_QUEUED, RunStatus.PLANNING}
_APPLY = {RunStatus.APPLY_QUEUED, RunStatus.APPLYING}
_NOT_BEGUN = {PhaseStatus.PENDING, PhaseStatus.QUEUED, PhaseStatus.UNREACHABLE}


def take_up(backend: Backend) -> None:
    """Dispatch what is queued, and what was under way when the server ended; `begin_phase` tells them apart."""
    with backend.database.read() as session:
        unfinished = select(RunRow).where(RunRow.status.in_(_PLAN | _APPLY)).order_by(RunRow.sequence)
        killed = select(RunRow).where(RunRow.holds_workspace)  # force-canceled, and its process was still to end
        runs = [*session.scalars(unfinished), *(run for run in session.scalars(killed) if is_final(run.status))]
        phases = [(run, _kind(session, run)) for run in runs]
    for run, kind in phases:
        backend.dispatcher.dispatch(run.id, kind, Priority.APPLY if kind == "apply" else plan_priority(run.operation))


def is_any_under_way(backend: Backend) -> bool:
    """Whether anything is executed, or about to be. A run that waits for a person or for a lock is not."""
    under_way = select(RunRow.id).where(RunRow.status.in_(_PLAN | _APPLY) | RunRow.lease.is_not(None)).limit(1)
    with backend.database.read() as session:
        return session.scalars(under_way).first() is not None


def _kind(session: Session, run: RunRow) -> str:
    if not is_final(run.status):
        return "plan" if run.status in _PLAN else "apply"
    status = session.scalar(select(PhaseRow.status).where(PhaseRow.run_id == run.id, PhaseRow.kind == "apply"))
    return "plan" if status in _NOT_BEGUN else "apply"
