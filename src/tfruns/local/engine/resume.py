"""Unfinished phases: found in the database and dispatched, at every start and by housekeeping.

So a lost dispatch, or a phase whose worker failed, is dispatched again within a minute.
"""

from sqlalchemy import select, text

from tfruns.lifecycle import is_final
from tfruns.local.backend import Backend
from tfruns.local.queue import Priority, plan_priority
from tfruns.local.service.transitions import promote_next, stale_holders
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import ACTIVE, PhaseRow, RunRow
from tfruns.phases import has_phase_begun, phase_status_of


def resume(backend: Backend) -> None:
    """Dispatch every phase that is queued or running. A worker ignores a phase that this server already executes.

    This includes force-canceled runs, which are final, but whose process may still run.
    """
    release_stale_holders(backend)
    with backend.database.read() as session:
        runs = session.scalars(select(RunRow).where(text(ACTIVE)).order_by(RunRow.sequence)).all()
        phases = [(run, _kind(session, run)) for run in runs]
    for run, kind in phases:
        backend.dispatcher.dispatch(run.id, kind, Priority.APPLY if kind == "apply" else plan_priority(run.operation))


def release_stale_holders(backend: Backend) -> None:
    """Release every workspace whose current run is final and has no process."""
    with backend.database.read() as session:
        workspace_ids = [run.workspace_id for run in session.scalars(stale_holders())]
    for workspace_id in workspace_ids:
        with backend.database.write() as write:
            promote_next(backend, write, workspace_id)


def has_active_runs(backend: Backend) -> bool:
    """Whether a phase is running or queued. A run that waits for confirmation or for a lock does not count."""
    with backend.database.read() as session:
        return session.scalars(select(RunRow.id).where(text(ACTIVE)).limit(1)).first() is not None


def active_runs(backend: Backend) -> list[str]:
    """The ids of the runs with a running or queued phase, in the order of their creation."""
    with backend.database.read() as session:
        return list(session.scalars(select(RunRow.id).where(text(ACTIVE)).order_by(RunRow.sequence)))


def _kind(session: AnySession, run: RunRow) -> str:
    active = phase_status_of(run.status)
    if active is not None and not is_final(run.status):
        return active[0].value
    status = session.scalar(select(PhaseRow.status).where(PhaseRow.run_id == run.id, PhaseRow.kind == "apply"))
    return "apply" if status is not None and has_phase_begun(status) else "plan"
