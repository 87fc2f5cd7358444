"""Why each of many open runs waits, from one list of them, and few further reads."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import anyio
from anyio import to_thread

from tfruns.checks import is_in_checks
from tfruns.client.client import Client
from tfruns.client.run_wait import needs_person
from tfruns.errors import TfrunsError
from tfruns.lifecycle import is_final, is_queued
from tfruns.masking.secrets import masked_line
from tfruns.runs.diagnosis import diagnosis
from tfruns.runs.masks import masker_from_cache
from tfruns.runs.plans import counted_by_api
from tfruns.runs.workspace_queue import (
    by_itself,
    by_lock,
    by_run,
    by_unknown_run,
    holding_run,
    is_locked_by_person,
    since,
    waiting_for_worker,
)
from tfruns.views.diagnosis import DiagnosisView, WaitsFor
from tfruns.views.explained import Cause, ExplainedRun
from tfruns.views.runs import what_comes_next
from tfruns.vocabulary import RunAction, RunStatus
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace
from tfruns.wording import truncated

Item = TypeVar("Item")
T = TypeVar("T")

_MESSAGE = 60  # characters
_WHY = 300
_AT_ONCE = 8  # reads


async def explained_open(client: Client, runs: Sequence[Run], at_most: int) -> list[ExplainedRun]:
    """The first open runs with why each waits: those that need a person first, then by the time of their wait."""
    open_runs = _OpenRuns(client, {run.id: run for run in runs})
    rows = await _each(list(runs), open_runs.explained)
    rows.sort(key=lambda row: (not row.needs_person, row.waits_for is None, row.since or _LAST))
    return await _each(rows[:at_most], open_runs.with_plan)


_LAST = datetime.max.replace(tzinfo=UTC)


async def explained_failures(client: Client, runs: Sequence[Run]) -> list[ExplainedRun]:
    """Failed runs with the first error of each."""

    async def explained(run: Run) -> ExplainedRun:
        try:
            return replace(await _row(client, run), why=_first_error(await diagnosis(client, run)))
        except TfrunsError as error:
            return replace(await _row(client, run), why=f"Unknown: {error.message}"[:_WHY])

    return await _each(runs, explained)


def _first_error(found: DiagnosisView) -> str:
    if not found.errors:
        return truncated(" ".join(filter(None, (found.summary, *found.last_lines))) or found.follows, _WHY)
    error = found.errors[0]
    place = ", ".join(filter(None, (error.address, error.where)))
    number = len(found.errors) + (found.omitted_errors or 0) - 1
    more = f" And {number} more." if number else ""
    text = f"{error.summary}: {error.detail}" if error.detail else error.summary
    return truncated(" ".join(f"{text}{f' ({place})' if place else ''}".split()), _WHY) + more


@dataclass(frozen=True, slots=True)
class _OpenRuns:
    """The open runs of an organization by id, and what was read about them."""

    client: Client
    runs: Mapping[str, Run]
    workspaces: dict[str, Workspace] = field(default_factory=dict)

    async def explained(self, run: Run) -> ExplainedRun:
        """The row of a run. What cannot be read is omitted."""
        row = await _row(self.client, run)
        cause, waits = await self._wait_of(run)
        if waits is None:
            return replace(row, why=what_comes_next(run))
        why = what_comes_next(run) if run.needs_person else _why(waits)
        blocking = waits.held_by.id if waits.held_by else None
        return replace(row, waits_for=cause, why=why, needs_person=waits.needs_person, blocked_by=blocking)

    async def _wait_of(self, run: Run) -> tuple[Cause | None, WaitsFor | None]:
        if run.needs_person or await self._awaits_override(run):
            return "person", by_itself(run)
        if run.status != RunStatus.PENDING or not is_queued(run.operation):
            waits = waiting_for_worker(run)
            return ("worker", waits) if waits else (None, None)
        workspace = run.follow(run.workspace, Workspace)
        return (None, None) if workspace is None else await self._wait_in_queue(run, workspace)

    async def _wait_in_queue(self, run: Run, workspace: Workspace) -> tuple[Cause | None, WaitsFor | None]:
        holding = None if is_locked_by_person(workspace) else holding_run(workspace) or self._first_before(run)
        if holding is not None and holding != run.id:
            return await self._wait_for_run(holding)
        if workspace.locked:
            return "lock", by_lock(WaitsFor(), await self._with_holder(workspace))
        return None, None

    async def _wait_for_run(self, run_id: str) -> tuple[Cause | None, WaitsFor | None]:
        other = self.runs.get(run_id) or await _or_none(self.client.runs.read(run_id))
        if other is None:
            return "run", by_unknown_run(WaitsFor(), run_id)
        if is_final(other.status):
            return None, None  # the workspace has just become free
        return "run", by_run(WaitsFor(), other, "")

    async def _awaits_override(self, run: Run) -> bool:
        if not run.task_stages or not is_in_checks(run.status):
            return False
        read = await _or_none(self.client.runs.read(run.id, include=("task_stages",)))
        return read is not None and needs_person(read)

    def _first_before(self, run: Run) -> str | None:
        """The oldest open run of the same workspace, if it is older than this one."""
        same = [
            other for other in self.runs.values() if other.workspace == run.workspace and is_queued(other.operation)
        ]
        first = min(same, key=lambda other: other.created_at or _LAST, default=run)
        return first.id if first.id != run.id else None

    async def _with_holder(self, workspace: Workspace) -> Workspace:
        if workspace.id not in self.workspaces:
            read = self.client.workspaces.read(workspace.id, include=("locked_by",))
            self.workspaces[workspace.id] = await _or_none(read) or workspace
        return self.workspaces[workspace.id]

    async def with_plan(self, row: ExplainedRun) -> ExplainedRun:
        """The row with the counts of a plan that waits for a person."""
        run = self.runs[row.id]
        if row.waits_for != "person" or run.plan is None or RunAction.APPLY not in run.possible_actions:
            return row
        plan = await _or_none(self.client.plans.read(run.plan.id))
        counts = counted_by_api(plan) if plan else {}
        return replace(row, plan={name: count for name, count in counts.items() if count} or None)


def _why(waits: WaitsFor) -> str:
    """What it waits for, in one or two sentences."""
    if waits.locked_by:
        reason = f" ({waits.lock_reason})" if waits.lock_reason else ""
        return f"{waits.locked_by} locked the workspace{reason}."
    if waits.held_by:
        return f"{waits.held_by.id} is before it: {waits.held_by.status}. {waits.held_by.follows}".rstrip()
    return f"{waits.reason} {waits.freed_by}".rstrip()


async def _row(client: Client, run: Run) -> ExplainedRun:
    workspace = run.follow(run.workspace, Workspace)
    return ExplainedRun(
        id=run.id,
        status=str(run.status),
        workspace_id=run.workspace.id if run.workspace else None,
        workspace_name=workspace.name if workspace else None,
        message=await to_thread.run_sync(_message, client, run),
        since=since(run),
    )


def _message(client: Client, run: Run) -> str:
    return masked_line(run.message or "", _MESSAGE, masker_from_cache(client, run.id, run.variables))


async def _or_none(read: Awaitable[T]) -> T | None:
    try:
        return await read
    except TfrunsError:
        return None


async def _each(items: Sequence[Item], explain: Callable[[Item], Awaitable[ExplainedRun]]) -> list[ExplainedRun]:
    """The rows of all items, in their order, some at a time."""
    rows: dict[int, ExplainedRun] = {}
    limit = anyio.CapacityLimiter(_AT_ONCE)

    async def one(number: int, item: Item) -> None:
        async with limit:
            rows[number] = await explain(item)

    async with anyio.create_task_group() as tasks:
        for number, item in enumerate(items):
            tasks.start_soon(one, number, item)
    return [rows[number] for number in range(len(items))]
