"""The plans of open pages. A plan stays in memory for a minute after it was shown, because the next page of it follows.

The documents of all open plans of a client share one budget of bytes; see `runs.plans`.
"""

import asyncio
from collections import OrderedDict
from contextlib import AsyncExitStack
from dataclasses import dataclass

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.review.rows import ReviewEntry, ReviewRow, collect_entries, group_rows
from tfruns.runs.plan_reading import OpenPlan
from tfruns.runs.plans import open_plan
from tfruns.wire.runs import Run

KEPT_S = 60.0
_MAX_KEPT = 2


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan and its changes.

    Attributes:
        plan: the plan.
        entries: all changes.
        rows: the rows of the changes that are shown without a filter.
    """

    plan: OpenPlan
    entries: list[ReviewEntry]
    rows: list[ReviewRow]


@dataclass(slots=True)
class _Kept:
    shown: ShownPlan
    stack: AsyncExitStack
    timer: asyncio.TimerHandle


class OpenPlans:
    """The plans of the open pages of one client."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    async def read(self, client: Client, run: Run) -> ShownPlan | None:
        """The plan of a run; None if it has none.

        Raises: as `open_plan`.
        """
        plan_id = run.plan.id if run.plan else ""
        if (kept := self._kept.get(plan_id)) is not None:
            self._keep(plan_id, kept.shown, kept.stack)
            return kept.shown
        stack = AsyncExitStack()
        plan = await stack.enter_async_context(open_plan(client, run))
        if plan is None:
            await stack.aclose()
            return None
        shown = await to_thread.run_sync(_prepared, plan, bool(run.refresh_only))
        self._keep(plan_id, shown, stack)
        return shown

    def _keep(self, plan_id: str, shown: ShownPlan, stack: AsyncExitStack) -> None:
        """Keep a plan for another minute."""
        if (before := self._kept.pop(plan_id, None)) is not None:
            before.timer.cancel()
            if before.stack is not stack:  # another page has read the same plan meanwhile
                self._close(before.stack)
        timer = asyncio.get_running_loop().call_later(KEPT_S, self._drop, plan_id)
        self._kept[plan_id] = _Kept(shown, stack, timer)
        while len(self._kept) > _MAX_KEPT:
            self._drop(next(iter(self._kept)))

    def _drop(self, plan_id: str) -> None:
        kept = self._kept.pop(plan_id)
        kept.timer.cancel()
        self._close(kept.stack)

    def _close(self, stack: AsyncExitStack) -> None:
        task = asyncio.ensure_future(stack.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _prepared(plan: OpenPlan, is_refresh_only: bool) -> ShownPlan:
    entries = collect_entries(plan.document, is_refresh_only=is_refresh_only)
    rows = group_rows([entry for entry in entries if entry.is_shown], plan.known.secrets)
    return ShownPlan(plan, entries, rows)
