"""A limit on log lines that clients can cause, so that nobody can fill the disk with them."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_PERIOD_S = 60.0


@dataclass(slots=True)
class _Window:
    started: float
    lines: int = 0
    dropped: int = 0


class LogRateLimit(logging.Filter):
    """Pass a number of records a minute of each kind; a kind is a format string.

    The first record of the next minute says how many were dropped.

    Args:
        lines_per_minute: how many records of one kind pass.
        monotonic: the time in seconds.
    """

    def __init__(self, lines_per_minute: int = 1, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._lines_per_minute = lines_per_minute
        self._monotonic = monotonic
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        kind, now = str(record.msg), self._monotonic()
        with self._lock:
            window = self._windows.setdefault(kind, _Window(now))
            if now - window.started >= _PERIOD_S:
                if window.dropped:
                    record.msg = f"{kind} ({window.dropped} more lines like this were dropped)"
                self._windows[kind] = window = _Window(now)
            window.lines += 1
            if window.lines <= self._lines_per_minute:
                return True
            window.dropped += 1
            return False
