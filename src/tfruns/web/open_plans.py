"""The plans of open pages. A plan stays in memory for a minute after it was shown, because the next page of it follows.

The documents of all open plans of a client share one budget of bytes; see `runs.plans`.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.review.filters import select
from tfruns.review.plan_document import Action, Change
from tfruns.review.rows import ReviewEntry, collect_entries
from tfruns.runs.plan_reading import OpenPlan
from tfruns.runs.plans import open_plan
from tfruns.web.page_rows import PageRows, module_of
from tfruns.wire.runs import Run

KEPT_S = 60.0
_MAX_KEPT = 2
_OTHER_FILTERS = ("output", "import", "move", "deferred", "drift", "read")
_MAX_FACETS = 100  # modules and types that the page offers as filters

Facets = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan and its changes.

    Attributes:
        plan: the plan.
        is_refresh_only: whether its apply only records changes made outside of Terraform.
        entries: all changes.
        rows: the rows of the changes that are shown without a filter.
        actions: the actions of these changes, and how many of them have each.
        modules: their modules.
        types: their resource types.
        also: the other filters that match a change, and how many changes each matches.
        unknown: the number of updates and replacements with values that are known only after the apply.
    """

    plan: OpenPlan
    is_refresh_only: bool
    entries: list[ReviewEntry]
    rows: PageRows
    actions: Facets
    modules: Facets
    types: Facets
    also: Facets
    unknown: int


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
    shown = [entry for entry in entries if entry.is_shown]
    return ShownPlan(
        plan,
        is_refresh_only,
        entries,
        PageRows(shown, plan.known.secrets),
        _facets(entry.change.action.value for entry in shown),
        _facets(module_of(entry.change) for entry in shown),
        _facets(entry.change.type for entry in shown),
        [(name, count) for name in _OTHER_FILTERS if (count := len(select(entries, name)))],
        sum(_is_partly_unknown(change) for change in plan.document.changes),
    )


def _facets(names: Iterable[str]) -> Facets:
    counts = Counter(name for name in names if name)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_FACETS]


def _is_partly_unknown(change: Change) -> bool:
    return change.action in {Action.UPDATE, Action.REPLACE} and _has_mark(change.change.get("after_unknown"))


def _has_mark(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(map(_has_mark, marks.values()))
    return any(map(_has_mark, marks)) if isinstance(marks, list) else marks is True
