"""What is at stake in a run that waits for a person: the changes of its plan by effect.

These are tools, so that they pass the gate, and they are not in the registry, because only the overview needs them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tfruns.arguments import RunId
from tfruns.errors import TfrunsError
from tfruns.policy import Toolset
from tfruns.runs.organizations import visible_organizations
from tfruns.runs.plans import plan_summary
from tfruns.tool import Context, tool
from tfruns.views.base import View
from tfruns.web.plan_changes import plan_facets
from tfruns.web.plan_views import FacetView

_MAX_KEPT = 200
_MAX_PARALLEL = 3  # plans that are read at the same time: one may have hundreds of megabytes


@dataclass(frozen=True, slots=True)
class StakeView(View):
    """The changes of a plan by effect, the most dangerous effect first; without changes, a note."""

    counts: tuple[FacetView, ...] = ()
    note: str = ""


@tool(title="Count the changes of a plan", toolset=Toolset.REVIEW, order=0, is_read_only=True)
async def plan_stake(context: Context, run_id: RunId) -> StakeView:
    """Count the changes of a run's plan by effect."""
    run = await context.client.runs.read(run_id)
    summary = await plan_summary(context.client, run)
    if summary is None:
        return StakeView(note="The plan is not available.")
    counts = plan_facets(summary, is_refresh_only=bool(run.refresh_only))
    note = "" if counts else "The changes are not fully known." if summary.doubts else "No changes."
    return StakeView(counts, note)


@dataclass(frozen=True, slots=True)
class OrganizationsView(View):
    """The organizations that the token can read."""

    names: tuple[str, ...]


@tool(title="List organizations", toolset=Toolset.RUNS, order=0, is_read_only=True)
async def organizations(context: Context) -> OrganizationsView:
    """List the organizations that the token can read."""
    return OrganizationsView(tuple(await visible_organizations(context.scope, context.client)))


@dataclass(slots=True)
class Stakes:
    """The stakes of one visitor. A plan never changes, so that each is counted once."""

    _tasks: dict[str, asyncio.Task[StakeView]] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MAX_PARALLEL))

    async def read(
        self, run_ids: Iterable[str], read: Callable[[str], Awaitable[StakeView]], timeout_s: float
    ) -> Mapping[str, StakeView]:
        """The stakes of runs. Those that are not known in time are counted for the next page."""
        tasks = {run_id: self._task(run_id, read) for run_id in run_ids}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=timeout_s)
        return {run_id: _result(task) for run_id, task in tasks.items()}

    def _task(self, run_id: str, read: Callable[[str], Awaitable[StakeView]]) -> asyncio.Task[StakeView]:
        found = self._tasks.get(run_id)
        if found is None or (found.done() and (found.cancelled() or found.exception())):
            found = self._tasks[run_id] = asyncio.ensure_future(self._limited(run_id, read))
            while len(self._tasks) > _MAX_KEPT:
                del self._tasks[next(iter(self._tasks))]
        return found

    async def _limited(self, run_id: str, read: Callable[[str], Awaitable[StakeView]]) -> StakeView:
        async with self._slots:
            return await read(run_id)


def _result(task: asyncio.Task[StakeView]) -> StakeView:
    if not task.done():
        return StakeView(note="The plan is still being read.")
    try:
        return task.result()
    except TfrunsError as error:
        return StakeView(note=f"The plan cannot be read: {error.message}")
