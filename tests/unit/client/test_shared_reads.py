"""Reads that are shared by the callers of one task."""

import asyncio

import pytest

from tfruns.client.shared_reads import read_once, shared_reads


class Api:
    """Counts its reads; the first ones fail."""

    def __init__(self, failures: int = 0) -> None:
        self.reads = 0
        self._failures = failures

    async def read(self) -> int:
        self.reads += 1
        number = self.reads
        await asyncio.sleep(0)
        if number <= self._failures:
            raise ValueError(str(number))
        return number


async def test_without_a_context_every_read_is_sent() -> None:
    api = Api()
    assert [await read_once("a", api.read) for _ in range(2)] == [1, 2]


async def test_within_a_context_equal_reads_are_sent_once() -> None:
    api = Api()
    with shared_reads():
        assert await asyncio.gather(*(read_once(key, api.read) for key in "aab")) == [1, 1, 2]
        assert await read_once("a", api.read) == 1
    assert await read_once("a", api.read) == 3


async def test_a_failed_read_fails_for_its_callers_and_is_sent_again() -> None:
    api = Api(failures=1)
    with shared_reads():
        results = await asyncio.gather(*(read_once("a", api.read) for _ in range(2)), return_exceptions=True)
        assert [str(result) for result in results] == ["1", "1"]
        assert await read_once("a", api.read) == 2


async def test_a_canceled_caller_does_not_cancel_the_others() -> None:
    api = Api()
    with shared_reads():
        first = asyncio.create_task(read_once("a", api.read))
        second = asyncio.create_task(read_once("a", api.read))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second == 1
