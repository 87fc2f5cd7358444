"""Blocking calls of the asynchronous client, which runs in an event loop in a thread of its own."""

import asyncio
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from anyio.from_thread import BlockingPortal, start_blocking_portal

from tfruns.client import listing as asynchronous
from tfruns.client.listing import Page
from tfruns.wire.base import Resource

T = TypeVar("T")
R = TypeVar("R", bound=Resource)

_Request = Callable[[], None]


class Loop:
    """An event loop in a thread, started by the first call. Any thread may call it.

    Args:
        close: closes the resources of the loop, in the loop.
    """

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        self._close = close
        self._lock = threading.Lock()
        self._started: tuple[int, BlockingPortal] | None = None
        self._stop: weakref.finalize[..., Loop] | None = None
        self._is_closed = False

    def call(self, function: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        """Call a coroutine function, and wait for its result. If the wait is interrupted, the call is canceled.

        Functions among the options are called in the thread that waits.

        Raises:
            RuntimeError: the loop is closed, or belongs to another process.
        """
        requests: SimpleQueue[_Request | None] = SimpleQueue()
        options = {name: _from(requests, value) if callable(value) else value for name, value in options.items()}
        future = self._portal().start_task_soon(partial(function, *args, **options))
        future.add_done_callback(lambda _: requests.put(None))
        try:
            while request := requests.get():
                request()
            return future.result()
        except CancelledError:
            raise RuntimeError("The client was closed before the call returned.") from None
        finally:
            future.cancel()  # no effect after the result

    def iterate(self, items: AsyncGenerator[T]) -> Iterator[T]:
        """The items of an asynchronous generator, each read when it is reached."""
        try:
            while True:
                try:
                    yield self.call(partial(anext, items))
                except StopAsyncIteration:
                    return
        finally:
            with suppress(RuntimeError):
                self.call(items.aclose)

    def entered(self, manager: AbstractAsyncContextManager[T]) -> AbstractContextManager[T]:
        """A synchronous form of a context manager that is entered and exited in the loop."""
        return self._portal().wrap_async_context_manager(manager)

    def close(self) -> None:
        """Cancel the calls in progress, and stop the loop. Later calls fail."""
        with self._lock:
            self._is_closed, stop = True, self._stop
        if stop is not None and self._is_of_this_process():
            stop()

    def _portal(self) -> BlockingPortal:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("The client is closed. Create another one.")
            if self._started is None:
                stack = ExitStack()
                portal = stack.enter_context(start_blocking_portal(name="tfruns.sync"))
                self._started = os.getpid(), portal
                self._stop = weakref.finalize(self, _stop, portal, stack, self._close)
            if not self._is_of_this_process():
                raise RuntimeError("The client belongs to another process. Create one in each process.")
            return self._started[1]

    def _is_of_this_process(self) -> bool:
        return self._started is not None and self._started[0] == os.getpid()


def _stop(portal: BlockingPortal, stack: ExitStack, close: Callable[[], Awaitable[None]]) -> None:
    """Stop an event loop: at the end of its client, or of the program."""
    with suppress(RuntimeError):  # another thread has stopped it
        portal.call(close)
        portal.call(portal.stop, True)
    stack.close()


def _from(requests: "SimpleQueue[_Request | None]", function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """A coroutine function that has a function called by the thread that reads the requests."""

    async def call(*args: Any) -> Any:
        answer: Future[Any] = Future()
        requests.put(partial(_answer, answer, partial(function, *args)))
        return await asyncio.wrap_future(answer)

    return call


def _answer(answer: "Future[Any]", function: Callable[[], Any]) -> None:
    if not answer.set_running_or_notify_cancel():
        return  # the call was canceled
    try:
        answer.set_result(function())
    except Exception as error:  # noqa: BLE001  # raised in the coroutine that called the function
        answer.set_exception(error)


class Listing(Generic[R]):
    """A list of resources, read lazily.

    for run in client.runs.list_for_workspace("ws-…"): ...
    page = client.runs.list_for_workspace("ws-…").page(2, size=50)
    """

    def __init__(self, listing: asynchronous.Listing[R], loop: Loop) -> None:
        self._listing = listing
        self._loop = loop

    def page(self, number: int = 1, *, size: int = 20) -> Page[R]:
        """Read one page. A page past the end is empty.

        Args:
            number: from 1.
            size: items per page, at most 100.

        Raises:
            InvalidInput: the number or size is out of range.
            TfrunsError: any API error.
        """
        return self._loop.call(self._listing.page, number, size=size)

    def __iter__(self) -> Iterator[R]:
        """All items; each page is read when it is reached."""
        return self._loop.iterate(cast("AsyncGenerator[R]", aiter(self._listing)))
