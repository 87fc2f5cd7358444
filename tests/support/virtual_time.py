"""An event loop in which waiting takes no time, so that concurrent tasks can be timed exactly.

A module uses it with its own `anyio_backend` fixture: `return "asyncio", {"loop_factory": VirtualTimeLoop}`.
"""

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

import httpx2

from tests.support.api import FakeApi
from tfruns.client.clock import SystemClock

_START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class _VirtualSelector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events:
            return events
        if timeout is None:
            raise RuntimeError("all tasks wait, and nothing will wake one")
        self.now += max(timeout, 0.0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer when no task can continue."""

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class LoopClock(SystemClock):
    """The system's selector, with the time of the event loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return _START + timedelta(seconds=self.monotonic())


class TimedApi(FakeApi):
    """A scripted API that records the start of each request, and responds after a delay."""

    def __init__(self, latency_s: float = 0.0) -> None:
        super().__init__()
        self.starts: list[float] = []
        self._latency_s = latency_s

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._latency_s)
        return await super().handle_async_request(request)


def most_within(starts: list[float], window_s: float) -> int:
    """The maximum number of starts in a window of this length."""
    ordered = sorted(starts)
    return max((sum(start <= other < start + window_s for other in ordered) for start in ordered), default=0)
