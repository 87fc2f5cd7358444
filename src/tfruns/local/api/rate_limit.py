"""HCP Terraform's rate limits, if they are enabled, and the headers that clients always expect.

Source: HCP Terraform API, "Rate Limiting": each user can send 30 requests per second, and list runs 30 times per
minute.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tfruns.errors import RateLimited

_LIMIT = 30
_UNLIMITED = 100_000


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """A caller's rate limit after a request.

    Attributes:
        headers: the headers that report the limit and the remaining requests.
        error: the error to respond with if the limit is exceeded.
    """

    headers: Mapping[str, str]
    error: RateLimited | None = None


@dataclass(slots=True)
class _Window:
    started: float = float("-inf")
    requests: int = 0


class RateLimiter:
    """Counts requests in fixed windows.

    Args:
        is_limited: enforce HCP Terraform's limits; otherwise nothing is limited and the headers report a high limit.
        monotonic: the clock, in seconds.
    """

    def __init__(self, *, is_limited: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._is_limited = is_limited
        self._monotonic = monotonic
        self._windows: dict[tuple[str, bool], _Window] = defaultdict(_Window)
        self._lock = threading.Lock()
        limit = _LIMIT if is_limited else _UNLIMITED
        self._initial_state = RateLimitState(_headers(limit, limit, 1.0))

    def count(self, caller_id: str, *, is_run_list: bool) -> RateLimitState:
        """Count a request of a user or run."""
        if not self._is_limited:
            return self.initial_state()
        length_s = 60.0 if is_run_list else 1.0
        with self._lock:
            window = self._windows[caller_id, is_run_list]
            now = self._monotonic()
            if now - window.started >= length_s:
                window.started, window.requests = now, 0
            window.requests += 1
            reset_s = window.started + length_s - now
        headers = _headers(_LIMIT, max(0, _LIMIT - window.requests), reset_s)
        if window.requests > _LIMIT:
            return RateLimitState(headers, RateLimited("too many requests", retry_after_s=reset_s))
        return RateLimitState(headers)

    def initial_state(self) -> RateLimitState:
        """The state before the first request, also for requests without a known caller."""
        return self._initial_state


def _headers(limit: int, remaining: int, reset_s: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": f"{reset_s:.3f}",
    }
