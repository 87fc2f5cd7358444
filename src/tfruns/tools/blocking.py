"""What a run waits for: a person, the runs before it, a lock, or a free worker."""

from datetime import datetime

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.jsonapi import JSON
from tfruns.lifecycle import is_queued, needs_person
from tfruns.masking.redaction import redact
from tfruns.masking.text import one_line
from tfruns.tools.masks import masked_line, masker_from_cache
from tfruns.tools.queueing import unfinished_before
from tfruns.tools.reads import Reads
from tfruns.tools.views import next_step, shown_time
from tfruns.vocabulary import RunStatus
from tfruns.wire.activity import Team, User
from tfruns.wire.base import Related
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_QUEUED = {RunStatus.PLAN_QUEUED: "plan", RunStatus.APPLY_QUEUED: "apply", RunStatus.QUEUING: "plan"}


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
