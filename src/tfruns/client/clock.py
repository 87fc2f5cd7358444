"""The client's clock. Tests replace it, so that they do not wait."""

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """Time and waiting."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes backward."""
        ...

    def now(self) -> datetime:
        """The current time in UTC, timezone-aware."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def wait_for(self, event: anyio.Event, timeout_s: float) -> None:
        """Wait until the event is set or the timeout ends."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def wait_for(self, event: anyio.Event, timeout_s: float) -> None:
        with anyio.move_on_after(timeout_s):
            await event.wait()
