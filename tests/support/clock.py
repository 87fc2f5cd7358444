"""A clock on which waiting takes no time."""

from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel


class FakeClock:
    """Time that passes only by waiting. `sleeps` contains the seconds of each wait."""

    def __init__(self, now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._start = now
        self._elapsed = 0.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def pass_time(self, seconds: float) -> None:
        """Advance the time without a wait."""
        self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._elapsed += seconds
        await anyio.lowlevel.checkpoint()

    async def wait_for(self, event: anyio.Event, timeout_s: float) -> None:
        await anyio.lowlevel.checkpoint()
        if not event.is_set():
            await self.sleep(timeout_s)
