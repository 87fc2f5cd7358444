"""The actions on a run. The table in `lifecycle` decides whether an action is allowed; this module carries it out.

Source: HCP Terraform API, "Runs": apply, discard, cancel, force-cancel, force-execute.
"""

from sqlalchemy import select

from tfruns.errors import Forbidden, TransitionNotAllowed
from tfruns.lifecycle import ACTIONS, act, allowed_actions
from tfruns.local.backend import Backend
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.service.find import find_run, run_for_update, workspace_for_update
from tfruns.local.service.transitions import (
    change_status,
    held_workspaces,
    promote_next,
    queue_of,
    record_event,
    release_stale_hold,
    start_apply,
)
from tfruns.local.store.database import Write
from tfruns.local.store.schema import RunRow
from tfruns.phases import UNSTARTED_STATUSES
from tfruns.vocabulary import RunAction, RunStatus
from tfruns.wire.base import wire_time


def allowed_now(backend: Backend, run: RunRow, *, is_workspace_free: bool) -> frozenset[RunAction]:
    """The actions that the run's payload shows as possible.

    Args:
        backend: the backend.
        run: the run.
        is_workspace_free: whether its workspace is neither held nor locked. Only a saved plan depends on it, see
            `needs_free_workspace`.
    """
    available = run.force_cancel_available_at
    allowed = allowed_actions(
        run.status,
        is_cancel_asked=run.cancel_level is not CancelLevel.NONE,
        is_cool_off_over=available is not None and backend.now() >= available,
    )
    return allowed - {RunAction.APPLY} if needs_free_workspace(run) and not is_workspace_free else allowed


def needs_free_workspace(run: RunRow) -> bool:
    """Whether the run is a saved plan, which does not hold its workspace until it is applied."""
    return run.status == RunStatus.PLANNED_AND_SAVED


def perform(
    backend: Backend, write: Write, run_id: str, action: RunAction, *, user_id: str, comment: str | None
) -> None:
    """Perform an action on a run. An action that is refused changes nothing.

    Raises:
        NotFound: 404, the run does not exist.
        TransitionNotAllowed: 409, the run's status does not allow the action.
        Forbidden: 403, a force-execute of a run that is not pending, or whose workspace is not held by a run.
    """
    run = run_for_update(write.session, run_id)
    if action is RunAction.FORCE_EXECUTE:
        _force_execute(backend, write, run, user_id)
        return
    available = run.force_cancel_available_at
    act(
        RunStatus(run.status),
        action,
        is_cancel_asked=run.cancel_level is not CancelLevel.NONE,
        is_cool_off_over=available is not None and backend.now() >= available,
    )
    _PERFORM[action](backend, write, run, user_id, comment)


def _apply(backend: Backend, write: Write, run: RunRow, user_id: str, comment: str | None) -> None:
    if needs_free_workspace(run) and held_workspaces(write.session, [run.workspace_id]):
        raise TransitionNotAllowed("A saved plan can be applied only while its workspace is free.")
    start_apply(backend, write, run, actor_id=user_id, comment=comment)


def _discard(backend: Backend, write: Write, run: RunRow, user_id: str, comment: str | None) -> None:
    change_status(backend, write, run, RunStatus.DISCARDED, actor_id=user_id, comment=comment)


def _cancel(backend: Backend, write: Write, run: RunRow, user_id: str, comment: str | None) -> None:
    """Cancel a run that has not started immediately; interrupt a process, after which the status changes."""
    now = backend.now()
    run.cancel_level = CancelLevel.INTERRUPT
    run.canceled_at = now
    run.canceled_by_id = user_id
    run.force_cancel_available_at = now + backend.force_cancel_after
    write.session.flush()
    if run.status in UNSTARTED_STATUSES:
        change_status(backend, write, run, RunStatus.CANCELED, actor_id=user_id, comment=comment)
    else:
        record_event(backend, write.session, run.id, "cancel_requested", actor_id=user_id, comment=comment)


def _force_cancel(backend: Backend, write: Write, run: RunRow, user_id: str, comment: str | None) -> None:
    """Cancel the run now. The workspace is released when the run's process, if any, has been killed."""
    change_status(
        backend, write, run, RunStatus.CANCELED,
        actor_id=user_id, comment=comment, event="force_canceled", cancel_level=CancelLevel.KILL,
        is_process_alive=run.lease is not None,
    )  # fmt: skip
    run.status_timestamps = {**run.status_timestamps, "force-canceled-at": wire_time(backend.now())}
    write.session.flush()


_PERFORM = {
    RunAction.APPLY: _apply,
    RunAction.DISCARD: _discard,
    RunAction.CANCEL: _cancel,
    RunAction.FORCE_CANCEL: _force_cancel,
}


def _force_execute(backend: Backend, write: Write, run: RunRow, user_id: str) -> None:
    """Discard the run that holds the workspace, and cancel the runs that are queued before this one."""
    session = write.session
    workspace = workspace_for_update(session, run.workspace_id)
    was_stale = release_stale_hold(backend, write, workspace.id)
    queue = queue_of(session, workspace)
    if run.status != RunStatus.PENDING or (queue.holder is None and not was_stale):
        raise Forbidden(ACTIONS[RunAction.FORCE_EXECUTE].refusal)
    holder = find_run(session, queue.holder) if queue.holder is not None else None
    if holder is not None and RunAction.DISCARD not in allowed_now(backend, holder, is_workspace_free=False):
        raise TransitionNotAllowed("The run locking the workspace was not in a discardable state.")
    for earlier in session.scalars(select(RunRow).where(RunRow.id.in_(queue.earlier_than(run.id)))):
        change_status(
            backend,
            write,
            earlier,
            RunStatus.CANCELED,
            actor_id=user_id,
            canceled_at=backend.now(),
            canceled_by_id=user_id,
        )
    record_event(backend, session, run.id, "force_executed", actor_id=user_id)
    if holder is not None:
        change_status(backend, write, holder, RunStatus.DISCARDED, actor_id=user_id)
    promote_next(backend, write, run.workspace_id)
