"""Reads that are sent once for all callers of one task, such as the parts of a page, which read the same run.

Within `shared_reads()`, the same document is not read again, so that all parts show the same state.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_reads: ContextVar[dict[Hashable, "asyncio.Future[Any]"] | None] = ContextVar("shared_reads", default=None)


@contextmanager
def shared_reads() -> Iterator[None]:
    """Send each read once within this context and the tasks that it starts."""
    token = _reads.set({})
    try:
        yield
    finally:
        _reads.reset(token)


async def read_once(key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
    """The result of a read, which is shared with the other callers of the context.

    Args:
        key: identifies the read.
        read: sends it.

    Raises: as `read`; a read that failed is sent again.
    """
    reads = _reads.get()
    if reads is None:
        return await read()
    if key not in reads or (reads[key].done() and (reads[key].cancelled() or reads[key].exception())):
        reads[key] = asyncio.ensure_future(read())
        reads[key].add_done_callback(_note_failure)
    found: T = await asyncio.shield(reads[key])
    return found


def _note_failure(read: "asyncio.Future[Any]") -> None:
    """Retrieve the error of a read that all callers have given up, so that asyncio does not report it."""
    if not read.cancelled():
        read.exception()
