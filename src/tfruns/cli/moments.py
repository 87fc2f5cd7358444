"""Times for people: relative on a terminal, exact in UTC in a pipe, exact with the local zone with --exact-times."""

import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from tfruns.views.base import shown_time

ARE_EXACT = ContextVar("ARE_EXACT", default=False)
"""Whether --exact-times is given."""

_UNITS_S = (("y", 365 * 86_400), ("mo", 30 * 86_400), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def moment_text(at: datetime) -> str:
    """A time for the current standard output."""
    if not sys.stdout.isatty():
        return shown_time(at) or ""
    if ARE_EXACT.get():
        return at.astimezone().isoformat(timespec="seconds")
    return relative(at, datetime.now(UTC))


def relative(at: datetime, now: datetime) -> str:
    """A time relative to another, in the largest whole unit: `5m ago`, `in 3h`, `now`."""
    seconds = (now - at).total_seconds()
    for unit, length in _UNITS_S:
        if number := int(abs(seconds) // length):
            return f"{number}{unit} ago" if seconds > 0 else f"in {number}{unit}"
    return "now"
