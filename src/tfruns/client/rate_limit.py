"""Staying below the API's rate limits, instead of running into them.

HCP Terraform allows 30 requests a second, and 30 run lists a minute, for each token. A `RateLimit` counts what was
started within the window that ends now, and lets a call wait for its turn; calls go in the order in which they came.
The server's headers correct it: a server that announces more gets more, and one that says "none left" gets none until
its window ends, since other programs may use the same token.

Source: HCP Terraform API, "Rate Limiting"; "Runs" for the lists.
"""

import logging
import math
from collections import deque
from collections.abc import Mapping

import anyio

from tfruns.client.clock import Clock

_LONGEST_BLOCK_S = 10.0  # the windows are a second and a minute
_log = logging.getLogger(__name__)
_MARGIN = 0.9  # the server's clock and the network do not keep the distances that we kept


class RateLimit:
    """At most so many starts in any window of so many seconds."""

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
        """Starts in one window, a little below the announced limit."""
        return self._allowed

    def set_limit(self, limit: int) -> None:
        """Take another limit; who waits for a turn looks again."""
        allowed = max(1, int(limit * _MARGIN))
        if allowed != self._allowed:
            self._allowed = allowed
            self._wake()

    def refused(self, asked_s: float) -> None:
        """After a 429: let nobody start as long as the server asks, if that is a time in which its limit can end.

        A longer time is for the caller that was refused. Others find out for themselves, and are not blocked by it.
        """
        longest_s = max(self._window_s, _LONGEST_BLOCK_S)
        if asked_s > longest_s:
            _log.warning(
                "The API asks to wait %.0f s (HTTP 429). Other requests are sent after %.0f s.", asked_s, self._window_s
            )
        self.block(asked_s if asked_s <= longest_s else self._window_s)

    def block(self, seconds: float) -> None:
        """Let nobody start within the next seconds."""
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + seconds)

    async def wait_for_turn(self, wider: "RateLimit | None" = None) -> None:
        """Wait until a request may start, and count it.

        Args:
            wider: a limit that the request has to keep as well; its turn is waited for last, since others want it too.
        """
        async with self._turn:
            is_free = False
            while not is_free:
                while (delay := self._delay()) > 0:
                    await self._clock.wait_for(self._changed, delay)
                if wider is not None:
                    await wider.wait_for_turn()
                is_free = self._delay() <= 0  # a 429 may have come while we waited for the other one
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
        """Correct the limit by what an answer's headers say."""
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
    """The two limits of the run API: one for every request, one for run lists."""

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
        """Correct the limit that an answer's headers are about."""
        (self._run_lists if is_run_list else self._requests).learn(headers)

    def block(self, seconds: float, *, is_run_list: bool) -> None:
        """After a 429: let nobody start before the server wants it."""
        (self._run_lists if is_run_list else self._requests).refused(seconds)
