"""The start after whatever end: the runs say themselves what is still to be executed, and it is dispatched again."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tfruns.lifecycle import has_phase_begun, is_final, phase_status_of
from tfruns.local.backend import Backend
from tfruns.local.queue import Priority, plan_priority
from tfruns.local.store.schema import UNDER_WAY, PhaseRow, RunRow


def take_up(backend: Backend) -> None:
    """Dispatch what is queued, and what was under way when the server ended; `begin_phase` tells them apart.

    A run that was force-canceled is over, but its process was still to end.
    """
    with backend.database.read() as session:
        runs = session.scalars(select(RunRow).where(text(UNDER_WAY)).order_by(RunRow.sequence)).all()
        phases = [(run, _kind(session, run)) for run in runs]
    for run, kind in phases:
        backend.dispatcher.dispatch(run.id, kind, Priority.APPLY if kind == "apply" else plan_priority(run.operation))


def is_any_under_way(backend: Backend) -> bool:
    """Whether anything is executed, or about to be. A run that waits for a person or for a lock is not."""
    with backend.database.read() as session:
        return session.scalars(select(RunRow.id).where(text(UNDER_WAY)).limit(1)).first() is not None


def _kind(session: Session, run: RunRow) -> str:
    under_way = phase_status_of(run.status)
    if under_way is not None and not is_final(run.status):
        return under_way[0].value
    status = session.scalar(select(PhaseRow.status).where(PhaseRow.run_id == run.id, PhaseRow.kind == "apply"))
    return "apply" if status is not None and has_phase_begun(status) else "plan"
