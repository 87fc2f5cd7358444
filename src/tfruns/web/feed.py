"""Live updates of a run's page, as server-sent events.

All open pages of a run share one feed, so that many pages cost about as much as one: they ask at the same moments, and
one request answers all of them. A feed belongs to one visitor, because another visitor may see less.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from starlette.responses import StreamingResponse

from tfruns.errors import TfrunsError
from tfruns.lifecycle import is_final
from tfruns.tool import Tool
from tfruns.views.base import View
from tfruns.views.runs import RunPage, RunRow, RunView
from tfruns.vocabulary import StatusGroup
from tfruns.web.log_lines import LogTextView, log_since
from tfruns.web.visit import Visit

V = TypeVar("V", bound=View)

LOCAL_PERIOD_S = 0.1
REMOTE_PERIOD_S = 2.0  # the API limits the requests per second
_PERIODS_PER_STATUS = 5  # the status changes less often than the log
_MAX_ANSWERS = 200


class Caller(Protocol):
    """Calls tools for a visitor; see `Visit.call`."""

    async def call(self, tool: str, kind: type[V], /, **arguments: Any) -> V:
        """Call a tool."""
        ...

    async def call_tool(self, tool: Tool, kind: type[V], /, **arguments: Any) -> V:
        """Call a tool that may be outside of the registry."""
        ...


class Feed:
    """What open pages read, once for all of them.

    Args:
        caller: calls the tools that read it.
        period_s: the time between two requests of the same kind, in seconds.
    """

    def __init__(self, caller: Caller, period_s: float) -> None:
        self._caller = caller
        self._period_s = period_s
        self._answers: dict[tuple[str, int], tuple[int, asyncio.Task[Any]]] = {}

    async def next_period(self) -> None:
        """Wait for the next period, which begins at the same time for all pages."""
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self._period_s - now % self._period_s)

    async def _shared(self, key: tuple[str, int], read: Callable[[], Awaitable[V]], periods: int = 1) -> V:
        """The answer to a request, which is sent once in a number of periods."""
        period = int(asyncio.get_running_loop().time() / self._period_s) // periods
        asked, answer = self._answers.get(key, (-1, None))
        if answer is None or asked != period:
            answer = asyncio.ensure_future(read())
            self._answers.pop(key, None)
            self._answers[key] = (period, answer)
            while len(self._answers) > _MAX_ANSWERS:
                del self._answers[next(iter(self._answers))]
        found: V = await asyncio.shield(answer)  # a page that is closed does not cancel the request of the others
        return found


class RunFeed(Feed):
    """What the open pages of a run read."""

    def __init__(self, caller: Caller, run_id: str, period_s: float) -> None:
        super().__init__(caller, period_s)
        self._run_id = run_id

    async def run(self) -> RunView:
        """The run, as of at most five periods ago."""
        return await self._shared(
            ("run", 0), lambda: self._caller.call("get_run_details", RunView, run_id=self._run_id), _PERIODS_PER_STATUS
        )

    async def log(self, phase: str, offset: int) -> LogTextView:
        """The next lines of a log from an offset on."""
        return await self._shared(
            (phase, offset),
            lambda: self._caller.call_tool(log_since, LogTextView, run_id=self._run_id, phase=phase, offset=offset),
        )


class OverviewFeed(Feed):
    """What the open overviews of an organization read."""

    def __init__(self, caller: Caller, organization: str, period_s: float) -> None:
        super().__init__(caller, period_s)
        self._organization = organization

    async def digest(self) -> str:
        """Identifies the open runs and their statuses, as of at most five periods ago."""
        found = await self._shared(
            ("runs", 0),
            lambda: self._caller.call(
                "list_runs_in_organization",
                RunPage,
                organization=self._organization,
                page_size=100,
                filter_status_group=StatusGroup.NON_FINAL,
            ),
            _PERIODS_PER_STATUS,
        )
        return runs_digest(found.runs)


def runs_digest(runs: Iterable[RunRow]) -> str:
    """Identifies runs and their statuses."""
    text = " ".join(sorted(f"{run.id}={run.status}" for run in runs))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class RunFeeds:
    """The feeds of all runs with open pages."""

    def __init__(self) -> None:
        self._feeds: WeakValueDictionary[tuple[int, str], RunFeed] = WeakValueDictionary()
        self._overviews: WeakValueDictionary[tuple[int, str], OverviewFeed] = WeakValueDictionary()

    def feed(self, visit: Visit, run_id: str) -> RunFeed:
        """The feed of a run for a visitor, which exists as long as a page uses it."""
        key = (id(visit.session.visitor), run_id)
        found = self._feeds.get(key)
        if found is None:
            found = self._feeds[key] = RunFeed(visit, run_id, _period_s(visit))
        return found

    def overview(self, visit: Visit, organization: str) -> OverviewFeed:
        """The feed of an organization for a visitor, which exists as long as a page uses it."""
        key = (id(visit.session.visitor), organization)
        found = self._overviews.get(key)
        if found is None:
            found = self._overviews[key] = OverviewFeed(visit, organization, _period_s(visit))
        return found


def _period_s(visit: Visit) -> float:
    is_local = visit.session.visitor.gate.client.settings.address.is_loopback
    return LOCAL_PERIOD_S if is_local else REMOTE_PERIOD_S


def streamed(events: AsyncIterator[str]) -> StreamingResponse:
    """A response with events. If they cannot be read any longer, it ends, and the page asks for them again."""

    async def readable() -> AsyncIterator[str]:
        with suppress(TfrunsError):
            async for event in events:
                yield event

    return StreamingResponse(readable(), media_type="text/event-stream")


async def overview_events(feed: OverviewFeed, seen: str, is_signed_in: Callable[[], bool]) -> AsyncIterator[str]:
    """One `status` event for an overview, when the open runs or their statuses differ from what it shows.

    Args:
        feed: the feed of the organization.
        seen: identifies what the overview shows.
        is_signed_in: whether the session of the page has not ended.
    """
    while is_signed_in():
        if await feed.digest() != seen:
            yield _event("status", {})
            return
        await feed.next_period()


async def events(
    feed: RunFeed, status: str, phase: str, offset: int | None, is_signed_in: Callable[[], bool]
) -> AsyncIterator[str]:
    """The events for a page, until the run is final: `log` with the next lines, `status` when the status changes.

    Args:
        feed: the feed of the run.
        status: the status that the page shows.
        phase: the phase of the log that the page shows; empty if it shows none.
        offset: where the log continues; None if it is complete.
        is_signed_in: whether the session of the page has not ended.
    """
    while is_signed_in():
        while phase and offset is not None and is_signed_in():
            lines = await feed.log(phase, offset)
            is_grown = lines.next_offset != offset
            offset = lines.next_offset
            if lines.length:
                yield _event("log", {"lines": [parts for _, parts in lines.lines()], "offset": offset})
            if not is_grown:
                break
        run = await feed.run()
        if run.status != status:
            status = run.status
            yield _event("status", {"status": status})
        if is_final(status) and offset is None:
            yield _event("end", {})
            return
        await feed.next_period()


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
