"""The rate limits of HCP Terraform, where they are wanted, and the headers that clients expect in any case.

Source: HCP Terraform API, "Rate Limiting": 30 requests a second, run lists 30 a minute, for each user.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tfruns.errors import RateLimited

_LIMIT = 30
_UNLIMITED = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands.

    Attributes:
        headers: that tell it so.
        refusal: what to answer if there were too many requests.
    """

    headers: dict[str, str]
    refusal: RateLimited | None = None


@dataclass(slots=True)
class _Window:
    started: float = float("-inf")
    requests: int = 0


class RateLimiter:
    """Counts requests in fixed windows.

    Args:
        is_limited: refuse what is above the limits; otherwise they are announced as high ones.
        monotonic: the time in seconds.
    """

    def __init__(self, *, is_limited: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._is_limited = is_limited
        self._monotonic = monotonic
        self._windows: dict[tuple[str, bool], _Window] = defaultdict(_Window)
        self._lock = threading.Lock()

    def take(self, user_id: str, *, is_run_list: bool) -> Standing:
        """Count a request."""
        if not self._is_limited:
            return self.unused()
        length_s = 60.0 if is_run_list else 1.0
        with self._lock:
            window = self._windows[user_id, is_run_list]
            now = self._monotonic()
            if now - window.started >= length_s:
                window.started, window.requests = now, 0
            window.requests += 1
            reset_s = window.started + length_s - now
        headers = _headers(_LIMIT, max(0, _LIMIT - window.requests), reset_s)
        if window.requests > _LIMIT:
            return Standing(headers, RateLimited("too many requests", retry_after_s=reset_s))
        return Standing(headers)

    def unused(self) -> Standing:
        """Where a client stands that has asked for nothing yet, as one of which nobody knows who it is."""
        limit = _LIMIT if self._is_limited else _UNLIMITED
        return Standing(_headers(limit, limit, 1.0))


def _headers(limit: int, remaining: int, reset_s: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": f"{reset_s:.3f}",
    }
