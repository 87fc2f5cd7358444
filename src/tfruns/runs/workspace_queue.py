"""The queue of a workspace: the runs before a run, the reason why it waits, and the runs that it blocks.

The API does not tell the position of a run in the queue, so the unfinished runs are listed.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.client.run_filters import RunFilters
from tfruns.errors import TfrunsError
from tfruns.lifecycle import has_left_queue, is_confirmed, is_final, is_queued, timestamp_key
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import masked_line
from tfruns.masking.text import one_line
from tfruns.phases import phase_waiting_for_worker
from tfruns.runs.masks import masker_from_cache
from tfruns.runs.tolerant import Reads
from tfruns.views.diagnosis import BlockingRun, WaitsFor
from tfruns.views.runs import ActionView, RunStatusView, what_comes_next
from tfruns.vocabulary import RunAction, StatusGroup
from tfruns.wire.activity import Team, User
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_UNFINISHED = RunFilters(status_group=StatusGroup.NON_FINAL)


async def unfinished_before(client: Client, run: Run) -> list[Run]:
    """The unfinished runs of the same workspace that come before this one, the newest first; at most a hundred.

    Raises:
        TfrunsError: the list cannot be read.
    """
    if run.workspace is None:
        return []
    page = await client.runs.list_for_workspace(run.workspace.id, _UNFINISHED).page(size=100)
    return [other for other in page.items if _is_before(other, run)]


def _is_before(other: Run, run: Run) -> bool:
    if other.id == run.id or not is_queued(other.operation):
        return False
    return other.created_at is None or run.created_at is None or other.created_at <= run.created_at


# -- force-execute -----------------------------------------------------------------------------------------------------


async def runs_before(client: Client, run_id: str) -> tuple[str, list[str]] | None:
    """The workspace of a run, and the unfinished runs before it in the queue; None if they cannot be read."""
    try:
        run = await client.runs.read(run_id)
        if run.workspace is None:
            return None
        before = await unfinished_before(client, run)
    except TfrunsError:
        return None
    return run.workspace.id, [other.id for other in before]


async def with_displaced(client: Client, before: tuple[str, list[str]] | None, view: ActionView) -> ActionView:
    """Add the runs that were before it in the queue: those that are final now, and those that are not."""
    if before is None:
        return replace(view, note="The displaced runs are unknown: the queue could not be read before the call.")
    workspace_id, ids = before
    try:
        page = await client.runs.list_for_workspace(workspace_id).page(size=100)
    except TfrunsError:
        runs = ", ".join(ids) or "none"
        return replace(view, note=f"The queue could not be read after the call. The runs before this one were: {runs}.")
    found = [run for run in page.items if run.id in ids]
    return replace(
        view,
        displaced=tuple(RunStatusView(run.id, str(run.status)) for run in found if is_final(run.status)),
        unfinished=tuple(run.id for run in found if not is_final(run.status)),
    )


# -- runs that are released --------------------------------------------------------------------------------------------


async def released_auto_applies(client: Client, run: Run) -> list[str]:
    """The runs that would apply without confirmation if this run stopped now, and would not otherwise.

    An applying run releases them anyway, and a queued run blocks them only if it is the first.

    Raises:
        TfrunsError: the queue cannot be read.
    """
    if not is_queued(run.operation) or run.workspace is None or is_confirmed(run.status):
        return []
    others = [other for other in await _unfinished_queued(client, run.workspace.id) if other.id != run.id]
    if not has_left_queue(run.status) and any(has_left_queue(other.status) for other in others):
        return []  # another run blocks the workspace
    return _waiting_auto_applies(others)


async def auto_applies_behind_lock(client: Client, workspace_id: str) -> list[str]:
    """The runs that would apply without confirmation if the workspace were unlocked, and would not otherwise.

    Raises:
        TfrunsError: the queue cannot be read.
    """
    runs = await _unfinished_queued(client, workspace_id)
    return [] if any(has_left_queue(run.status) for run in runs) else _waiting_auto_applies(runs)


async def _unfinished_queued(client: Client, workspace_id: str) -> list[Run]:
    """The unfinished runs of a workspace that use its queue."""
    listing = client.runs.list_for_workspace(workspace_id, _UNFINISHED)
    return [run async for run in listing if is_queued(run.operation) and not is_final(run.status)]


def _waiting_auto_applies(runs: Iterable[Run]) -> list[str]:
    return [run.id for run in runs if run.auto_apply is not False and not has_left_queue(run.status)]


# -- why a run waits ---------------------------------------------------------------------------------------------------


def since(run: Run) -> datetime | None:
    """The time at which the run reached its current status; if it is missing, its last known time."""
    at = run.status_timestamps.get(timestamp_key(run.status))
    told = [moment for moment in run.status_timestamps.values() if moment]
    return at or max(told, default=run.created_at)


async def blocked_by(client: Client, run: Run, reads: Reads) -> WaitsFor:
    """What blocks a pending run, and what would end the wait."""
    if not is_queued(run.operation) or run.workspace is None:
        return WaitsFor(reason="It does not wait in the workspace's queue: it waits for a free worker.")
    workspace = await reads.one("workspace", client.workspaces.read(run.workspace.id, include=("locked_by",)))
    workspace = workspace or run.follow(run.workspace, Workspace)
    before = await reads.one("queue", unfinished_before(client, run))
    view = WaitsFor()
    if before is not None:
        view = replace(view, position=len(before) + 1, before=tuple(other.id for other in before[:5]))
    if workspace is None:
        return replace(view, reason="The workspace could not be read.")
    return await _blocked_in(client, workspace, run, view, reads)


async def _blocked_in(client: Client, workspace: Workspace, run: Run, view: WaitsFor, reads: Reads) -> WaitsFor:
    if is_locked_by_person(workspace):
        return by_lock(view, workspace)
    holding = holding_run(workspace)
    if holding is None or holding == run.id:
        if view.before:
            return replace(view, reason="Runs before it are not final.", freed_by="These runs becoming final.")
        return by_lock(view, workspace) if workspace.locked else replace(view, reason="It is next.")
    read = client.runs.read(holding, include=("created_by",))
    other = await reads.one("the run that blocks the workspace", read)
    if other is None:
        return by_unknown_run(view, holding)
    if is_final(other.status):
        return replace(view, reason="It is next.")  # the workspace has just become free
    return by_run(view, other, await to_thread.run_sync(_message, client, other))


def is_locked_by_person(workspace: Workspace) -> bool:
    """Whether a user or team locked the workspace."""
    holder = workspace.locked_by
    return bool(workspace.locked) and holder is not None and holder.type != "runs"


def holding_run(workspace: Workspace) -> str | None:
    """The id of the run that locks the workspace, or of its current run."""
    holder, current = workspace.locked_by, workspace.current_run
    return holder.id if holder is not None and holder.type == "runs" else current.id if current else None


def by_lock(view: WaitsFor, workspace: Workspace) -> WaitsFor:
    """A wait for a person who locked the workspace, which was read with `include=locked_by`."""
    holder = workspace.locked_by
    user, team = workspace.follow(holder, User), workspace.follow(holder, Team)
    name = (user.username if user else team.name if team else None) or (holder.id if holder else "an unknown user")
    return replace(
        view,
        needs_person=True,
        reason="The workspace is locked.",
        locked_by=one_line(redact(name), 60),
        locked_since=workspace.locked_at,
        lock_reason=one_line(redact(workspace.locked_reason or ""), 200),
        freed_by="The holder of the lock unlocking the workspace.",
    )


def by_unknown_run(view: WaitsFor, run_id: str) -> WaitsFor:
    """A wait for a run of which only the id is known."""
    return replace(
        view,
        reason="Another run blocks the workspace.",
        held_by=BlockingRun(run_id),
        freed_by="That run becoming final.",
    )


def by_run(view: WaitsFor, other: Run, message: str) -> WaitsFor:
    """A wait for another run, with its masked message."""
    creator = other.follow(other.created_by, User)
    held_by = BlockingRun(
        id=other.id,
        status=str(other.status),
        since=since(other),
        created_by=one_line((creator.username if creator else None) or "", 60),
        message=message,
        follows=what_comes_next(other),
    )
    return replace(
        view,
        needs_person=other.needs_person or None,
        reason="Another run blocks the workspace.",
        held_by=held_by,
        freed_by=_decision(other, "that run") if other.needs_person else "That run becoming final or canceled.",
    )


def by_itself(run: Run) -> WaitsFor:
    """A wait for a person to decide about the run itself."""
    return WaitsFor(needs_person=True, reason="A person has to decide.", freed_by=_decision(run, "it"))


def _decision(run: Run, what: str) -> str:
    if RunAction.APPLY in run.possible_actions:
        return f"A person applying or discarding {what}."
    return f"A person overriding the failed check of {what}, or discarding {what}."


def _message(client: Client, run: Run) -> str:
    return masked_line(run.message or "", 80, masker_from_cache(client, run.id, run.variables))


def waiting_for_worker(run: Run) -> WaitsFor | None:
    """What a run waits for if no other run of its workspace blocks it."""
    phase = phase_waiting_for_worker(run.status)
    if phase is None:
        return None
    return WaitsFor(
        reason=f"The {phase} waits for a free worker.",
        freed_by="Another run of the organization finishing; with agents, an idle agent in the workspace's pool; "
        "a higher limit of concurrent runs.",
    )
