"""What a person should know about the workspace before they decide about a run: other open runs, its lock, and whether
the plan may be out of date.

This is a tool, so that it passes the gate, and it is not in the registry, because only the page of a run needs it.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from tfruns.arguments import RunId
from tfruns.client.client import Client
from tfruns.client.listing import Page
from tfruns.client.run_filters import RunFilters
from tfruns.errors import TfrunsError
from tfruns.policy import Toolset
from tfruns.runs.masks import masker_from_cache
from tfruns.runs.workspace_lock import read_lock
from tfruns.tool import Context, tool
from tfruns.views.base import View
from tfruns.views.runs import RunRow, run_row
from tfruns.vocabulary import StatusGroup
from tfruns.wire.runs import Run
from tfruns.wire.state_versions import StateVersion  # noqa: TC001
from tfruns.wire.workspaces import Workspace

T = TypeVar("T")

_MAX_OTHERS = 5
_OPEN = RunFilters(status_group=StatusGroup.NON_FINAL)


@dataclass(frozen=True, slots=True)
class RunSituationView(View):
    """The workspace of a run.

    Attributes:
        others: the newest other open runs of the workspace.
        has_more: whether there are further ones.
        lock: the holder, time and reason of a lock that is not the run's own; empty without one.
        state_changed_at: when another run or person changed the state after the plan was made.
        has_newer_configuration: whether a newer configuration was uploaded; None if the API does not tell.
        could_not_read: what could not be read, with the reason.
    """

    others: tuple[RunRow, ...] = ()
    has_more: bool = False
    lock: str = ""
    state_changed_at: datetime | None = None
    has_newer_configuration: bool | None = None
    could_not_read: tuple[str, ...] = ()


@tool(title="Read the situation of a run", toolset=Toolset.REVIEW, order=0, is_read_only=True)
async def run_situation(context: Context, run_id: RunId) -> RunSituationView:
    """Read the state of a run's workspace, as far as it matters for a decision about the run."""
    client = context.client
    run = await client.runs.read(run_id)
    if run.workspace is None:
        return RunSituationView(could_not_read=("workspace: the API does not name it",))
    failed: list[str] = []
    workspace, others = await asyncio.gather(
        _read("workspace", client.workspaces.read(run.workspace.id, include=("locked_by",)), failed),
        _read("other runs", client.runs.list_for_workspace(run.workspace.id, _OPEN).page(size=_MAX_OTHERS + 1), failed),
    )
    found = _others(client, run, others)
    return RunSituationView(
        others=found[:_MAX_OTHERS],
        has_more=len(found) > _MAX_OTHERS or bool(others and others.pagination.next_page),
        lock=await _foreign_lock(client, workspace, run) if workspace else "",
        state_changed_at=await _state_changed_at(client, workspace, run, failed) if workspace else None,
        has_newer_configuration=_has_newer_configuration(workspace, run) if workspace else None,
        could_not_read=tuple(failed),
    )


async def _read(name: str, reading: Awaitable[T], failed: list[str]) -> T | None:
    try:
        return await reading
    except TfrunsError as error:
        failed.append(f"{name}: {error.message}")
        return None


def _others(client: Client, run: Run, page: Page[Run] | None) -> tuple[RunRow, ...]:
    return tuple(
        run_row(other, masker_from_cache(client, other.id, other.variables))
        for other in (page.items if page else ())
        if other.id != run.id
    )


async def _foreign_lock(client: Client, workspace: Workspace, run: Run) -> str:
    if workspace.locked_by is not None and workspace.locked_by.id == run.id:
        return ""
    lock = await read_lock(client, workspace)
    return lock.text if lock else ""


async def _state_changed_at(client: Client, workspace: Workspace, run: Run, failed: list[str]) -> datetime | None:
    """When the state was changed after the plan was made; None if it was not, or if that is unknown."""
    planned = run.status_timestamps.get("planned-at") or run.status_timestamps.get("planned-and-saved-at")
    if planned is None or workspace.current_state_version is None:
        return None
    state: StateVersion | None = await _read(
        "state", client.state_versions.read(workspace.current_state_version.id), failed
    )
    if state is None or state.created_at is None or (state.run is not None and state.run.id == run.id):
        return None
    return state.created_at if state.created_at > planned else None


def _has_newer_configuration(workspace: Workspace, run: Run) -> bool | None:
    current, own = workspace.current_configuration_version, run.configuration_version
    return None if current is None or own is None else current.id != own.id
