"""Who canceled or discarded a run, and why, as recorded by the API."""

from dataclasses import replace
from datetime import datetime, timedelta

from tfruns.apply_stage import effect_of, interrupted_at
from tfruns.client.client import Client
from tfruns.lifecycle import is_force_canceled
from tfruns.masking.secrets import Mask, masked_line
from tfruns.runs.tolerant import Reads
from tfruns.views.diagnosis import DiagnosisView
from tfruns.vocabulary import RunStatus
from tfruns.wire.activity import Comment, RunEvent, Team, User
from tfruns.wire.runs import Run

_SOON = timedelta(seconds=10)  # between the cause and the end of a run
_STALE = "stale"  # in the name of an event


async def with_ending(client: Client, run: Run, reads: Reads, mask: Mask, view: DiagnosisView) -> DiagnosisView:
    """Add who stopped the run, when, at which stage and why; "not recorded" if the API does not record it."""
    word = "discard" if run.status == RunStatus.DISCARDED else "cancel"
    listing = client.run_events.list_for_run(run.id, include=("actor", "comment"))
    events = sorted(await reads.some("events", listing, size=100), key=_time)
    relevant = [event for event in events if word in (event.action or "") or _STALE in (event.action or "")]
    by_person = [event for event in relevant if event.actor]
    event = by_person[-1] if by_person else relevant[-1] if relevant else None
    actor = _actor(event, mask) if event is not None and event.actor else None
    if actor is None and word == "cancel" and run.canceled_by is not None:
        actor = await _canceled_by(client, run, reads, mask)
    comment = event.follow(event.comment, Comment) if event is not None else None
    is_stale = any(_STALE in (event.action or "") for event in events)
    verb = "Discarded" if word == "discard" else "Killed" if is_force_canceled(run.status, run.passed) else "Canceled"
    return replace(
        view,
        ended_by=actor or ("the service" if is_stale else "not recorded"),
        ended_at=_ended_at(run, event),
        summary=f"{verb} {interrupted_at(run.passed)}. {effect_of(run.status, run.passed) or 'Nothing was applied.'}",
        reason=await _reason(client, run, reads, actor, is_stale=is_stale),
        comment=masked_line(comment.body or "", 200, mask) if comment else "",
    )


def _time(event: RunEvent) -> float:
    return event.created_at.timestamp() if event.created_at else 0.0


def _ended_at(run: Run, event: RunEvent | None) -> datetime | None:
    stamps = run.status_timestamps
    keys = ["discarded-at"] if run.status == RunStatus.DISCARDED else ["force-canceled-at", "canceled-at"]
    found = next((moment for key in keys if (moment := stamps.get(key))), None)
    return found or (event.created_at if event else None) or run.canceled_at


def _actor(event: RunEvent, mask: Mask) -> str:
    user, team = event.follow(event.actor, User), event.follow(event.actor, Team)
    name = (user.username if user else team.name if team else None) or (event.actor.id if event.actor else "")
    return masked_line(name, 60, mask)


async def _canceled_by(client: Client, run: Run, reads: Reads, mask: Mask) -> str | None:
    found = await reads.one("who canceled it", client.runs.read(run.id, include=("canceled_by",)))
    related = run.canceled_by
    user = found.follow(found.canceled_by, User) if found else None
    name = (user.username if user else None) or (related.id if related else None)
    return masked_line(name, 60, mask) if name else None


# -- why --------------------------------------------------------------------------------------------------------------


async def _reason(client: Client, run: Run, reads: Reads, actor: str | None, *, is_stale: bool) -> str:
    was_saved = bool(run.status_timestamps.get("planned-and-saved-at"))
    if run.status == RunStatus.DISCARDED and (is_stale or (was_saved and actor is None)):
        return await _stale_reason(client, run, reads, is_recorded=is_stale)
    by_force = await _forced_by(client, run, reads)
    if by_force is not None:
        return (
            f"{by_force} was force-executed, which discards the current run of the workspace and cancels earlier runs."
        )
    if actor is not None:
        return f"Requested by {actor}."
    if any(failure.startswith("events:") for failure in reads.failed):
        return "Unknown: the run's events could not be read."
    return "Not recorded. The service may have done it."


async def _stale_reason(client: Client, run: Run, reads: Reads, *, is_recorded: bool) -> str:
    """Why a saved plan was discarded: another run changed the state. That run is searched for."""
    ended = run.status_timestamps.get("discarded-at")
    saved = run.status_timestamps.get("planned-and-saved-at")
    others = await _others(client, run, reads)
    applied = [
        (moment, other.id)
        for other in others
        for key in ("applied-at", "errored-at", "canceled-at")
        if (moment := other.status_timestamps.get(key))
        and other.status_timestamps.get("applying-at")
        and ended
        and abs(ended - moment) <= _SOON
        and (not saved or moment >= saved)
    ]
    cause = (
        f" {min(applied, key=lambda pair: abs(ended - pair[0]))[1]} changed it just before."
        if applied and ended
        else (" The change itself is not recorded.")
    )
    if is_recorded:
        return f"The service discarded the saved plan because the workspace's state changed.{cause}"
    if any(failure.startswith("events:") for failure in reads.failed):
        return "Unknown: the run's events could not be read. A saved plan is also discarded if the state changes."
    return f"No person is recorded. The service discards a saved plan when the state changes.{cause}"


async def _forced_by(client: Client, run: Run, reads: Reads) -> str | None:
    """The run whose force-execute stopped this one, according to its events at that time."""
    ended = run.status_timestamps.get("discarded-at") or run.status_timestamps.get("canceled-at") or run.canceled_at
    if ended is None:
        return None
    for other in await _others(client, run, reads):
        queued = other.status_timestamps.get("plan-queued-at")
        if queued is None or abs(queued - ended) > _SOON or (other.created_at and other.created_at > ended):
            continue
        events = await reads.some("events of the next run", client.run_events.list_for_run(other.id), size=100)
        if any("force_execut" in (event.action or "") and _is_near(event, ended) for event in events):
            return other.id
        break  # one run leaves the queue at a time
    return None


def _is_near(event: RunEvent, moment: datetime | None) -> bool:
    return moment is not None and event.created_at is not None and abs(event.created_at - moment) <= _SOON


async def _others(client: Client, run: Run, reads: Reads) -> list[Run]:
    if run.workspace is None:
        return []
    found = await reads.some("other runs", client.runs.list_for_workspace(run.workspace.id), size=50)
    return [other for other in found if other.id != run.id]
