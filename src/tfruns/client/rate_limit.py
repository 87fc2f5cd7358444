"""Client-side rate limits that keep requests below those of the API.

HCP Terraform allows each token 30 requests a second and 30 run lists a minute. A `RateLimit` counts the requests
started in a sliding window and queues further ones, first come, first served. The server's headers adjust it: a higher
announced limit is used, and after "none remaining" no request starts until the window ends, because other programs may
use the same token.

Source: HCP Terraform API, "Rate Limiting"; "Runs" for the lists.
"""

import logging
import math
from collections import deque
from collections.abc import Mapping

import anyio

from tfruns.client.clock import Clock

_MAX_BLOCK_S = 10.0  # the windows are one second and one minute
_log = logging.getLogger(__name__)
_MARGIN = 0.9  # network delays and the server's clock change the spacing of requests


class RateLimit:
    """A limit on the requests started in any window of `window_s` seconds."""

    def __init__(self, limit: int, window_s: float, clock: Clock) -> None:
        self._window_s = window_s
        self._clock = clock
        self._starts: deque[float] = deque()
        self._blocked_until = float("-inf")
        self._turn = anyio.Lock(fast_acquire=True)
        self._changed = anyio.Event()
        self._allowed = 0
        self.set_limit(limit)

    @property
    def allowed(self) -> int:
        """Requests per window, slightly below the announced limit."""
        return self._allowed

    def set_limit(self, limit: int) -> None:
        """Change the limit and wake the waiting requests."""
        allowed = max(1, int(limit * _MARGIN))
        if allowed != self._allowed:
            self._allowed = allowed
            self._wake()

    def refused(self, asked_s: float) -> None:
        """After a 429: start nothing for the time the server asks, if its limit can end within that time.

        A longer time affects only the refused request. Others are not blocked by it.
        """
        longest_s = max(self._window_s, _MAX_BLOCK_S)
        if asked_s > longest_s:
            _log.warning(
                "The API asks for a delay of %.0f s (HTTP 429). Other requests resume after %.0f s.",
                asked_s,
                self._window_s,
            )
        self.block(asked_s if asked_s <= longest_s else self._window_s)

    def block(self, seconds: float) -> None:
        """Start nothing for this many seconds."""
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + seconds)

    async def wait_for_turn(self, wider: "RateLimit | None" = None) -> None:
        """Wait until a request may start, and count it.

        Args:
            wider: another limit that applies to the request; waited for last, because more requests share it.
        """
        async with self._turn:
            is_free = False
            while not is_free:
                while (delay := self._delay()) > 0:
                    await self._clock.wait_for(self._changed, delay)
                if wider is not None:
                    await wider.wait_for_turn()
                is_free = self._delay() <= 0  # a 429 may have arrived meanwhile
            self._starts.append(self._clock.monotonic())

    def _delay(self) -> float:
        now = self._clock.monotonic()
        starts = self._starts
        while starts and starts[0] <= now - self._window_s:
            starts.popleft()
        free_at = starts[-self._allowed] + self._window_s if len(starts) >= self._allowed else now
        return max(free_at, self._blocked_until) - now

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def learn(self, headers: Mapping[str, str]) -> None:
        """Adjust the limit to a response's headers."""
        limit = _number(headers.get("x-ratelimit-limit"))
        if limit is not None and limit >= 1:
            self.set_limit(int(limit))
        if _number(headers.get("x-ratelimit-remaining")) == 0:
            self.block(min(_number(headers.get("x-ratelimit-reset")) or 0.0, self._window_s))


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class RateLimits:
    """The API's two limits: one for all requests, one for run lists."""

    def __init__(self, clock: Clock) -> None:
        self._requests = RateLimit(30, 1.0, clock)
        self._run_lists = RateLimit(30, 60.0, clock)

    async def wait_for_turn(self, *, is_run_list: bool) -> None:
        """Wait until a request may start, and count it."""
        if is_run_list:
            await self._run_lists.wait_for_turn(self._requests)
        else:
            await self._requests.wait_for_turn()

    def learn(self, headers: Mapping[str, str], *, is_run_list: bool) -> None:
        """Adjust the limit that a response's headers describe."""
        (self._run_lists if is_run_list else self._requests).learn(headers)

    def block(self, seconds: float, *, is_run_list: bool) -> None:
        """After a 429: start nothing until the server allows it."""
        (self._run_lists if is_run_list else self._requests).refused(seconds)
