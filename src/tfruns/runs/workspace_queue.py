"""The queue of a workspace: the runs before a run, the reason why it waits, and the runs that it blocks.

The API does not tell the position of a run in the queue, so the unfinished runs are listed.
"""

from datetime import datetime

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.client.run_filters import RunFilters
from tfruns.errors import TfrunsError
from tfruns.jsonapi import JSON
from tfruns.lifecycle import is_final, is_queued, needs_person, rule_of
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import masked_line
from tfruns.masking.text import one_line
from tfruns.runs.masks import masker_from_cache
from tfruns.runs.tolerant import Reads
from tfruns.views import next_step, shown_time
from tfruns.vocabulary import RunPhase, RunStatus, StatusGroup
from tfruns.wire.activity import Team, User
from tfruns.wire.base import Related
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_QUEUED = {RunStatus.PLAN_QUEUED: "plan", RunStatus.APPLY_QUEUED: "apply", RunStatus.QUEUING: "plan"}
_NOT_STARTED = {RunPhase.PENDING, RunPhase.FETCH, RunPhase.PRE_PLAN}
_APPLYING = {RunPhase.PRE_APPLY, RunPhase.APPLY, RunPhase.POST_APPLY}
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
    """The workspace of a run, and the unfinished runs before it in the queue; None if that is not to be had."""
    try:
        run = await client.runs.read(run_id)
        if run.workspace is None:
            return None
        before = await unfinished_before(client, run)
    except TfrunsError:
        return None
    return run.workspace.id, [other.id for other in before]


async def displaced_by(client: Client, before: tuple[str, list[str]] | None) -> dict[str, JSON]:
    """Those of the runs before that have ended now, with how, and those that have not; a part of the tool's answer."""
    if before is None:
        return {"note": "Which runs were displaced is not known: the queue could not be read before."}
    workspace_id, ids = before
    try:
        page = await client.runs.list_for_workspace(workspace_id).page(size=100)
    except TfrunsError:
        return {"note": f"The queue could not be read afterwards. Before this run were: {', '.join(ids) or 'none'}."}
    found = [run for run in page.items if run.id in ids]
    view: dict[str, JSON] = {
        "displaced": [{"id": run.id, "status": str(run.status)} for run in found if is_final(run.status)]
    }
    unfinished = [run.id for run in found if not is_final(run.status)]
    return view | ({"not_ended_yet": unfinished} if unfinished else {})


# -- runs that are released --------------------------------------------------------------------------------------------


async def released_auto_applies(client: Client, run: Run) -> list[str]:
    """The runs that would apply without a question if this one ended now, and would not otherwise.

    A run that applies makes way for them anyway, and a run in the queue blocks them only if it is the first.

    Raises:
        TfrunsError: the queue cannot be read.
    """
    rule = rule_of(run.status)
    if not is_queued(run.operation) or run.workspace is None or (rule is not None and rule.phase in _APPLYING):
        return []
    others = [
        other
        async for other in client.runs.list_for_workspace(run.workspace.id, _UNFINISHED)
        if other.id != run.id and is_queued(other.operation) and not is_final(other.status)
    ]
    if not has_started(run) and any(has_started(other) for other in others):
        return []  # another run holds the workspace
    return [other.id for other in others if other.auto_apply is not False and not has_started(other)]


def has_started(run: Run) -> bool:
    """Whether the run is beyond the queue; one whose status is not known counts as not started."""
    rule = rule_of(run.status)
    return rule is not None and rule.phase not in _NOT_STARTED


# -- why a run waits ---------------------------------------------------------------------------------------------------


def since(run: Run) -> datetime | None:
    """When the run came into its present status; where it does not say so, the last time that it tells."""
    at = run.status_timestamps.get(f"{str(run.status).replace('_', '-')}-at")
    told = [moment for moment in run.status_timestamps.values() if moment]
    return at or max(told, default=run.created_at)


async def blocked_by(client: Client, run: Run, reads: Reads) -> dict[str, JSON]:
    """Who or what holds a pending run up, and what would free it."""
    if not is_queued(run.operation) or run.workspace is None:
        return {"reason": "It does not queue behind others: it waits for a free worker."}
    workspace = await reads.one("workspace", client.workspaces.read(run.workspace.id, include=("locked_by",)))
    before = await reads.one("queue", unfinished_before(client, run))
    view: dict[str, JSON] = {}
    if before is not None:
        view |= {"position": len(before) + 1, "before": [other.id for other in before[:5]]}
    if workspace is None:
        return view | {"reason": "The workspace could not be read."}
    holder = workspace.locked_by
    current = workspace.current_run
    if workspace.locked and holder is not None and holder.type != "runs":
        return view | _by_lock(workspace, holder)
    holding = holder.id if holder is not None and holder.type == "runs" else current.id if current else None
    if holding is None or holding == run.id:
        if before:
            return view | {"reason": "Runs before it are not final.", "freed_by": "These runs becoming final."}
        return view | _by_lock(workspace, None) if workspace.locked else view | {"reason": "It is next."}
    return view | await _by_run(client, holding, reads)


def _by_lock(workspace: Workspace, holder: Related | None) -> dict[str, JSON]:
    user, team = workspace.follow(holder, User), workspace.follow(holder, Team)
    name = (user.username if user else team.name if team else None) or (holder.id if holder else "somebody")
    return {
        "reason": "The workspace is locked.",
        "locked_by": one_line(name, 60),
        "lock_reason": one_line(redact(workspace.locked_reason or ""), 200),
        "freed_by": "Whoever locked it unlocking it.",
    }


async def _by_run(client: Client, run_id: str, reads: Reads) -> dict[str, JSON]:
    view: dict[str, JSON] = {"reason": "Another run holds the workspace.", "held_by": {"id": run_id}}
    other = await reads.one("the run that holds the workspace", client.runs.read(run_id, include=("created_by",)))
    if other is None:
        return view | {"freed_by": "That run becoming final."}
    creator = other.follow(other.created_by, User)
    message = await to_thread.run_sync(_message, client, other)
    view["held_by"] = {
        "id": run_id,
        "status": str(other.status),
        "since": shown_time(since(other)),
        "created_by": one_line((creator.username if creator else None) or "", 60),
        "message": message,
        "next": next_step(other),
    }
    is_paused = needs_person(str(other.status), other.possible_actions or (), is_auto_apply=bool(other.auto_apply))
    view["freed_by"] = (
        "A person applying or discarding that run." if is_paused else "That run becoming final, or being canceled."
    )
    return view


def _message(client: Client, run: Run) -> str:
    return masked_line(run.message or "", 80, masker_from_cache(client, run.id, run.variables))


def waiting_for_worker(run: Run) -> dict[str, JSON]:
    """What a run waits for whose turn has come."""
    kind = _QUEUED.get(run.status) if isinstance(run.status, RunStatus) else None
    if kind is None:
        return {}
    return {
        "reason": f"The {kind} waits for a free worker.",
        "freed_by": "Another run of the organization ending; with agents, an idle agent in the workspace's pool; "
        "a higher limit of concurrent runs.",
    }
