"""`change_status`: the only function that changes the status of a run, together with everything that depends on it.

One transaction changes the status and its timestamp, the statuses of plan and apply, and the counts of the workspace's
runs, and adds an event. When a run becomes final, the same transaction releases its workspace and promotes the next
run. The UPDATE is conditional on the previous status: if another request has changed it, the change is refused and
nothing happens.
"""

import logging
from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import CursorResult, Select, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from tfruns.errors import TransitionNotAllowed
from tfruns.lifecycle import advance, is_final, is_queued, statuses_in, timestamp_key
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id
from tfruns.local.queue import Priority, Queue, plan_priority
from tfruns.local.service.find import workspace_for_update
from tfruns.local.store.database import AnySession, Write
from tfruns.local.store.schema import CommentRow, PhaseRow, RunEventRow, RunRow, WorkspaceRow
from tfruns.phases import phase_status_after, phase_timestamp_key
from tfruns.vocabulary import RunStatus, StatusGroup
from tfruns.wire.base import wire_time

_log = logging.getLogger(__name__)

_ADD = """\
INSERT INTO run_counts (workspace_id, operation, status, runs) VALUES {rows}
ON CONFLICT (workspace_id, operation, status) DO UPDATE SET runs = run_counts.runs + excluded.runs
"""
_ONE_MORE = "(:workspace_id, :operation, :status, 1)"
_COUNT_NEW = text(_ADD.format(rows=_ONE_MORE))
_COUNT_CHANGED = text(_ADD.format(rows=f"(:workspace_id, :operation, :before, -1), {_ONE_MORE}"))


def change_status(
    backend: Backend,
    write: Write,
    run: RunRow,
    to: RunStatus,
    *,
    actor_id: str | None = None,
    comment: str | None = None,
    event: str | None = None,
    is_process_alive: bool = False,
    **values: Any,
) -> None:
    """Change the status of a run, and everything that depends on it.

    Args:
        backend: the backend.
        write: the transaction.
        run: the run, as read in this transaction; the object is updated too.
        to: the new status.
        actor_id: the user who performed the action; None for the backend itself.
        comment: the user's comment, which is stored with the run.
        event: the name of the event. Default: the name of the status.
        is_process_alive: whether a process of the run must still be killed; the workspace is released afterwards.
        values: other columns of the run to set.

    Raises:
        TransitionNotAllowed: the lifecycle does not allow the transition, or another request changed the run first.
            Nothing has changed.
    """
    before = RunStatus(run.status)
    advance(before, to)
    now = backend.now()
    values |= {"status": to.value, "status_timestamps": {**run.status_timestamps, timestamp_key(to): wire_time(now)}}
    _update(write.session, run, before, values)
    count_run(write.session, run, before=before)
    _change_phases(write.session, run.id, to, now)
    record_event(backend, write.session, run.id, event or to.value, actor_id=actor_id, comment=comment)
    if is_final(to) and run.holds_workspace and not is_process_alive:
        release(backend, write, run)
    elif before is RunStatus.PENDING and is_final(to):
        promote_next(backend, write, run.workspace_id)  # the queue has a new first run


def _update(session: Session, run: RunRow, before: RunStatus, values: dict[str, Any]) -> None:
    condition = (RunRow.id == run.id) & (RunRow.status == before.value)
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(RunRow).where(condition).values(**values).execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        raise TransitionNotAllowed("The run changed in the meantime.", facts={"run_status": before.value})
    for name, value in values.items():
        set_committed_value(run, name, value)


def count_run(session: Session, run: RunRow, *, before: str | None) -> None:
    """Count a run under its current status instead of the one before; `before` is None for a new run.

    Counts are stored because counting a million rows takes too long.
    """
    row = {"workspace_id": run.workspace_id, "operation": run.operation, "status": str(run.status)}
    if before is None:
        session.execute(_COUNT_NEW, row)
    else:
        session.execute(_COUNT_CHANGED, {**row, "before": str(before)})


def _change_phases(session: Session, run_id: str, to: RunStatus, now: datetime) -> None:
    """Update the statuses of plan and apply after the run has changed to another status."""
    for phase in session.scalars(select(PhaseRow).where(PhaseRow.run_id == run_id)):
        status = phase_status_after(phase.kind, phase.status, to)
        if status != phase.status:
            phase.status = status.value
            phase.status_timestamps = {**phase.status_timestamps, phase_timestamp_key(status): wire_time(now)}
    session.flush()


def record_event(
    backend: Backend, session: Session, run_id: str, action: str, *, actor_id: str | None, comment: str | None = None
) -> str | None:
    """Record an event of a run, and the comment on it.

    Returns:
        The id of the comment, if one was given.
    """
    comment_id = None
    if comment:
        comment_id = new_id("wsc")
        session.add(CommentRow(id=comment_id, run_id=run_id, body=comment))
    session.add(
        RunEventRow(
            id=new_id("re"),
            run_id=run_id,
            action=action,
            created_at=backend.now(),
            actor_id=actor_id,
            comment_id=comment_id,
        )
    )
    session.flush()
    return comment_id


# -- the workspace's queue --------------------------------------------------------------------------------------------


def queue_of(session: AnySession, workspace: WorkspaceRow) -> Queue:
    """The current queue of a workspace."""
    pending = session.execute(
        select(RunRow.id, RunRow.operation)
        .where(RunRow.workspace_id == workspace.id, RunRow.status == RunStatus.PENDING)
        .order_by(RunRow.sequence)
    )
    holder = session.scalar(select(RunRow.id).where(RunRow.workspace_id == workspace.id, RunRow.holds_workspace))
    return Queue(
        pending=[id_ for id_, operation in pending if is_queued(operation)],
        holder=holder,
        is_locked=workspace.locked_by_user_id is not None,
    )


def held_workspaces(session: AnySession, ids: Collection[str]) -> set[str]:
    """The workspaces among these that are held by a run or locked by a person."""
    by_runs = select(RunRow.workspace_id).where(RunRow.workspace_id.in_(ids), RunRow.holds_workspace)
    by_people = select(WorkspaceRow.id).where(WorkspaceRow.id.in_(ids), WorkspaceRow.locked_by_user_id.is_not(None))
    return {*session.scalars(by_runs), *session.scalars(by_people)}


def promote_next(backend: Backend, write: Write, workspace_id: str) -> None:
    """Start the next run of the queue, if the workspace is free.

    A run that only a person's lock blocks is already the current run: the Terraform CLI uses that to tell the person
    what it waits for.
    """
    workspace = workspace_for_update(write.session, workspace_id)
    release_stale_hold(backend, write, workspace_id)
    queue = queue_of(write.session, workspace)
    if queue.holder is None and queue.pending:
        workspace.current_run_id = queue.pending[0]
    run_id = queue.next_run()
    if run_id is None:
        return
    run = write.session.scalars(select(RunRow).where(RunRow.id == run_id)).one()
    start_plan(backend, write, run, holds_workspace=True)


def start_plan(backend: Backend, write: Write, run: RunRow, *, holds_workspace: bool) -> None:
    """Queue the plan of a pending run."""
    change_status(backend, write, run, RunStatus.PLAN_QUEUED, holds_workspace=holds_workspace)
    priority = plan_priority(run.operation)
    write.after_commit.append(partial(backend.dispatcher.dispatch, run.id, "plan", priority))


def start_apply(backend: Backend, write: Write, run: RunRow, *, actor_id: str | None, comment: str | None) -> None:
    """Confirm a run and queue its apply. From now on the run holds its workspace, if it did not already."""
    change_status(
        backend, write, run, RunStatus.CONFIRMED,
        actor_id=actor_id, comment=comment, confirmed_by_id=actor_id, holds_workspace=True,
    )  # fmt: skip
    workspace = workspace_for_update(write.session, run.workspace_id)
    workspace.current_run_id = run.id
    change_status(backend, write, run, RunStatus.APPLY_QUEUED)
    write.after_commit.append(partial(backend.dispatcher.dispatch, run.id, "apply", Priority.APPLY))


def stale_holders() -> Select[RunRow]:
    """The final runs that still hold a workspace although they have no process. A run with a process has a lease."""
    return select(RunRow).where(
        RunRow.holds_workspace, RunRow.lease.is_(None), RunRow.status.in_(statuses_in(StatusGroup.FINAL))
    )


def release_stale_hold(backend: Backend, write: Write, workspace_id: str) -> bool:
    """Release a workspace that a finished run still holds. The transaction has already locked the workspace.

    Returns:
        Whether a finished run held it.
    """
    run = write.session.scalars(stale_holders().where(RunRow.workspace_id == workspace_id)).first()
    if run is None:
        return False
    _log.warning("Released workspace %s: its run %s is %s and has no process.", workspace_id, run.id, run.status)
    run.holds_workspace = False
    record_event(backend, write.session, run.id, "workspace_released", actor_id=None)
    return True


def release(backend: Backend, write: Write, run: RunRow) -> None:
    """Release the workspace of a finished run, and start the next run."""
    run.holds_workspace = False
    write.session.flush()
    promote_next(backend, write, run.workspace_id)
