"""Time, as the client sees it: one seam, so that tests of waiting need not wait."""

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """A source of time and of waiting."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        ...

    def now(self) -> datetime:
        """The present time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def wait_for(self, event: anyio.Event, timeout_s: float) -> None:
        """Wait until the event is set, or until the time is up."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def wait_for(self, event: anyio.Event, timeout_s: float) -> None:
        with anyio.move_on_after(timeout_s):
            await event.wait()
