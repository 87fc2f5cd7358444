"""Waking the queue's threads, so that they need not look often.

DBOS looks for queued workflows in intervals. Short ones cost idle CPU, long ones delay every phase. Its threads wait on
events between two looks; here those events can end the wait early, without being set (which would end the thread).
"""

import threading
import time

_HOT_POLL_S = 0.03  # what was just queued may not be visible to the first look
_HOT_FOR_S = 1.0


class WakeEvent(threading.Event):
    """An event whose waiters can be woken without setting it."""

    _generation: int
    _seen: dict[int, int]
    _hot_until: float

    @classmethod
    def adopt(cls, event: threading.Event) -> None:
        """Make this of an event that exists already and that others hold."""
        event.__class__ = cls
        woken: WakeEvent = event  # type: ignore[assignment]
        woken._generation, woken._seen, woken._hot_until = 0, {}, 0.0

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, until the time is over, or until `wake`, also one since this thread's last wait."""
        thread = threading.get_ident()
        if not self.is_set() and self._seen.get(thread, self._generation) == self._generation:
            if time.monotonic() < self._hot_until:
                timeout = _HOT_POLL_S if timeout is None else min(timeout, _HOT_POLL_S)
            super().wait(timeout)
        self._seen[thread] = self._generation
        return self.is_set()

    def wake(self) -> None:
        """End the present wait of every waiter."""
        with self._cond:  # type: ignore[attr-defined]  # Event's own condition
            self._hot_until = time.monotonic() + _HOT_FOR_S
            self._generation += 1
            self._cond.notify_all()  # type: ignore[attr-defined]


class WakeEvents(list[threading.Event]):
    """A list that makes every plain event that is put into it one that can be woken."""

    def append(self, event: threading.Event) -> None:
        if type(event) is threading.Event:
            WakeEvent.adopt(event)
        super().append(event)

    def wake(self) -> None:
        """Wake the waiters of all events."""
        for event in self:
            if isinstance(event, WakeEvent):
                event.wake()
