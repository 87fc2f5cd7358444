"""When a request is retried, and when it must not be.

A read is retried after a failed connection, a lost response, 429, 502, 503 and 504. A change is retried only if it
certainly did not happen: it was never sent, or the API refused it with a 429. A change that the API refuses did not
happen. After any other failure of a change the outcome is unknown, and the caller has to determine it
(`lost_responses`).

Delays grow exponentially with jitter, or are those that the server asks for. Their number and total time are limited.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tfruns.client.clock import Clock
from tfruns.errors import TfrunsError

T = TypeVar("T")

_TRANSIENT_STATUSES = frozenset({502, 503, 504})
_LIMITED, _NOT_IMPLEMENTED = 429, 501


class AttemptFailed(Exception):
    """One attempt of a request failed.

    Attributes:
        error: the error for the caller if no retry succeeds.
        was_sent: whether the server may have received the request.
        is_transient: whether the same request may succeed a moment later.
        is_refusal: whether the API itself refused the request.
        sent_at: when the request was sent, in the clock's monotonic time.
    """

    def __init__(
        self,
        error: TfrunsError,
        *,
        was_sent: bool,
        is_transient: bool,
        is_refusal: bool = False,
        sent_at: float = 0.0,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.was_sent = was_sent
        self.is_transient = is_transient
        self.is_refusal = is_refusal
        self.sent_at = sent_at

    @classmethod
    def from_response(cls, error: TfrunsError, *, is_api: bool = False) -> "AttemptFailed":
        """The failure for an error response.

        Args:
            error: the response's error.
            is_api: whether it has the form of an API error, so that it comes from the API and not from a proxy. A 4xx
                is then a refusal, and after a 429 nothing happened; after a 5xx the change may have happened.
        """
        status = error.status or 0
        is_refusal = is_api and (400 <= status < 500 or status == _NOT_IMPLEMENTED)
        return cls(
            error,
            was_sent=not (is_refusal and status == _LIMITED),
            is_transient=status == _LIMITED or status in _TRANSIENT_STATUSES,
            is_refusal=is_refusal,
        )

    def may_be_repeated(self, *, is_change: bool) -> bool:
        """Whether the request may be retried; a change only if it did not happen."""
        return self.is_transient and not (is_change and self.was_sent)

    @property
    def is_ambiguous(self) -> bool:
        """Whether a failed change may have happened."""
        return self.was_sent and not self.is_refusal


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The limits of retries.

    Attributes:
        attempts: maximum number of requests, including the first.
        budget_s: no attempt starts later than this after the first failure.
        first_wait_s: upper bound of the first delay; it doubles each time.
        longest_wait_s: upper bound of any delay that the server did not ask for.
    """

    attempts: int = 5
    budget_s: float = 60.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0

    def wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Seconds before the next attempt, after `attempt` attempts."""
        if asked_s is not None:
            return asked_s + random.uniform(0, 0.1)  # noqa: S311  # jitter, not a secret
        longest = min(self.longest_wait_s, self.first_wait_s * 2 ** (attempt - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311

    async def run(self, attempt: Callable[[], Awaitable[T]], *, is_change: bool, clock: Clock) -> T:
        """Call `attempt` until it succeeds, or a retry is not allowed or exceeds the limits.

        Raises:
            AttemptFailed: the last failure.
        """
        deadline: float | None = None
        count = 1
        while True:
            try:
                return await attempt()
            except AttemptFailed as failure:
                if deadline is None:
                    deadline = clock.monotonic() + self.budget_s
                wait_s = self.wait_s(count, failure.error.retry_after_s)
                is_within_limits = count < self.attempts and clock.monotonic() + wait_s <= deadline
                if not (is_within_limits and failure.may_be_repeated(is_change=is_change)):
                    raise
            await clock.sleep(wait_s)
            count += 1
