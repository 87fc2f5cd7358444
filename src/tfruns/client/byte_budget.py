"""A limit on the bytes that concurrent downloads hold in memory together."""

import anyio


class ByteBudget:
    """A shared memory budget.

    Args:
        limit: total bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = limit
        self._turn = anyio.Lock()
        self._released = anyio.Event()

    async def take(self, size: int) -> None:
        """Wait until this many bytes are free, and take them. First come, first served."""
        async with self._turn:
            while self._free < size:
                self._released = anyio.Event()
                await self._released.wait()
            self._free -= size

    def give_back(self, size: int) -> None:
        """Return bytes that were taken."""
        self._free += size
        self._released.set()


class Reservation:
    """The part of a budget that one download holds. A download of unknown size takes the whole budget."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._held = 0

    @property
    def max_bytes(self) -> int:
        """The largest object that fits in the budget."""
        return self._budget.limit

    async def reserve(self, size: int | None) -> None:
        """Release what is held, then wait for room for an object of this size."""
        self.release()
        size = self.max_bytes if size is None else min(size, self.max_bytes)
        await self._budget.take(size)
        self._held = size

    def shrink_to(self, size: int) -> None:
        """Release the bytes beyond this size."""
        unused = max(0, self._held - size)
        self._held -= unused
        self._budget.give_back(unused)

    def release(self) -> None:
        """Release everything."""
        self.shrink_to(0)
