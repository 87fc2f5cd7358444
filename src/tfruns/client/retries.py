"""When a request is sent again, and when it must not be.

Reading is repeated after a failed connection, a lost answer, 429, 502, 503 and 504. A change is repeated only where the
server certainly did not act: it was never sent, or the API refused it with a 429. A change that the API refuses did not
happen. Any other failure of a change is ambiguous, and its caller has to find out what happened (`recovery`).

Waiting grows exponentially with jitter, or is what the server asked for; it is bounded in count and in time.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from tfruns.client.clock import Clock
from tfruns.errors import TfrunsError

T = TypeVar("T")

_PASSING_STATUSES = frozenset({502, 503, 504})
_LIMITED, _NOT_IMPLEMENTED = 429, 501


class AttemptFailed(Exception):
    """One attempt to get an answer failed.

    Attributes:
        error: what the caller will see if no further attempt helps.
        was_sent: whether the server may have received the request.
        is_passing: whether the same request may succeed a moment later.
        is_refusal: whether the API itself answered that it does not do it.
        sent_at: when it was sent, by the clock's monotonic time.
    """

    def __init__(
        self,
        error: TfrunsError,
        *,
        was_sent: bool,
        is_passing: bool,
        is_refusal: bool = False,
        sent_at: float = 0.0,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.was_sent = was_sent
        self.is_passing = is_passing
        self.is_refusal = is_refusal
        self.sent_at = sent_at

    @classmethod
    def by_answer(cls, error: TfrunsError, *, is_api: bool = False) -> "AttemptFailed":
        """The server answered with this error.

        Args:
            error: the answer's error.
            is_api: whether it has the form of the API's errors, and so comes from the API and not from a proxy. A 4xx
                is then a refusal, and a 429 was not acted on; a server that failed may have acted.
        """
        status = error.status or 0
        is_refusal = is_api and (400 <= status < 500 or status == _NOT_IMPLEMENTED)
        return cls(
            error,
            was_sent=not (is_refusal and status == _LIMITED),
            is_passing=status == _LIMITED or status in _PASSING_STATUSES,
            is_refusal=is_refusal,
        )

    def may_be_repeated(self, *, is_change: bool) -> bool:
        """Whether to send the request again: a change only where it was not acted on."""
        return self.is_passing and not (is_change and self.was_sent)

    @property
    def is_ambiguous(self) -> bool:
        """Whether a change may have happened although it seems to have failed."""
        return self.was_sent and not self.is_refusal


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try.

    Attributes:
        attempts: requests at most, the first one included.
        budget_s: no further attempt begins later than this after the first has failed.
        first_wait_s: upper bound of the first wait; it doubles each time.
        longest_wait_s: upper bound of any wait that the server did not ask for.
    """

    attempts: int = 5
    budget_s: float = 60.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0

    def wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Seconds before the next attempt, after so many."""
        if asked_s is not None:
            return asked_s + random.uniform(0, 0.1)  # noqa: S311  # jitter, no secret
        longest = min(self.longest_wait_s, self.first_wait_s * 2 ** (attempt - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311

    async def run(self, attempt: Callable[[], Awaitable[T]], *, is_change: bool, clock: Clock) -> T:
        """Call until an attempt succeeds or trying again is not allowed or not worth it.

        Raises:
            AttemptFailed: the last attempt's failure.
        """
        try:
            return await attempt()  # almost always all there is to it
        except AttemptFailed as failure:
            first = failure
        if not first.may_be_repeated(is_change=is_change):
            raise first

        is_first = True

        async def again() -> T:
            nonlocal is_first
            if is_first:
                is_first = False
                raise first
            return await attempt()

        return await tenacity.AsyncRetrying(
            sleep=clock.sleep,
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, AttemptFailed) and error.may_be_repeated(is_change=is_change)
            ),
            wait=lambda state: self.wait_s(state.attempt_number, _asked_s(state)),
            stop=tenacity.stop_after_attempt(self.attempts) | _StopAt(clock, clock.monotonic() + self.budget_s),
            reraise=True,
        )(again)


class _StopAt(tenacity.stop.stop_base):
    """No further attempt begins after this moment."""

    def __init__(self, clock: Clock, deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        return self._clock.monotonic() + retry_state.upcoming_sleep > self._deadline


def _asked_s(state: tenacity.RetryCallState) -> float | None:
    failure = state.outcome.exception() if state.outcome else None
    return failure.error.retry_after_s if isinstance(failure, AttemptFailed) else None
