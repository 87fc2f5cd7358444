"""Calls of an assistant that wait for the decision of a person on a web page.

A request takes one decision, within ten minutes, for one call with one impact. The decision is then valid for one call,
for ten minutes: the call that waits for it, or the same call when it is repeated. Requests are kept in memory and end
with the process.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import anyio

from tfruns.elapsed import elapsed_s
from tfruns.gate.codes import subject_digest
from tfruns.progress import Progress

if TYPE_CHECKING:
    from tfruns.gate.pending_call import PendingCall
    from tfruns.impact import Impact

LIFETIME_S = 600.0
WAIT_S = 50.0  # how long a call waits for a decision; clients cancel calls after 60 seconds
REQUESTS_PATH = "/app/-/requests/"
_REPORT_S = 5.0
_MAX_REQUESTS = 64


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of a person.

    Attributes:
        is_confirmed: whether the call may be sent.
        by: the name of the person's user.
    """

    is_confirmed: bool
    by: str


@dataclass(slots=True)
class DecisionRequest:
    """A call that waits for a decision.

    Attributes:
        call: the call.
        impact: its impact when it was made.
        key: identifies the call with this impact.
        expires_at: until when it takes a decision or, after it, until when the decision is valid.
        decision: the decision; None before it.
        is_used: a call has used the decision.
        id: identifies the request in the address of its page.
    """

    call: "PendingCall"
    impact: "Impact"
    key: str
    expires_at: float
    decision: Decision | None = None
    is_used: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    _decided: anyio.Event = field(default_factory=anyio.Event, repr=False)

    def is_for(self, impact: "Impact") -> bool:
        """Whether the call still has the impact for which the request was made."""
        return _key(self.call, impact) == self.key

    def set_decision(self, decision: Decision) -> None:
        """Store the decision, and wake the calls that wait for it."""
        self.decision = decision
        self._decided.set()

    async def wait(self, progress: Progress, timeout_s: float = WAIT_S) -> None:
        """Wait until a person has decided, at most for a number of seconds, and report the progress."""
        started = anyio.current_time()
        while not self._decided.is_set() and (waited := anyio.current_time() - started) < timeout_s:
            await progress.report("Waiting for a person to decide on the page", done=waited, total=timeout_s)
            with anyio.move_on_after(min(_REPORT_S, timeout_s - waited)):
                await self._decided.wait()


class DecisionRequests:
    """The requests of one process.

    Args:
        now: the clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = elapsed_s) -> None:
        self._now = now
        self._requests: dict[str, DecisionRequest] = {}

    def open(self, call: "PendingCall", impact: "Impact") -> DecisionRequest:
        """The request of a call with its current impact; a new one unless the same call was made before."""
        found = self.of(call, impact)
        if found is None:
            if len(self._requests) >= _MAX_REQUESTS:
                del self._requests[self._least_needed()]
            found = DecisionRequest(call, impact, _key(call, impact), self._now() + LIFETIME_S)
            self._requests[found.id] = found
        return found

    def _least_needed(self) -> str:
        """The oldest request that has ended; otherwise, one of the caller with most requests, preferably undecided."""
        counts = Counter(request.call.caller for request in self._requests.values())

        def need(request: DecisionRequest) -> tuple[bool, int, bool]:
            is_needed = self.is_valid(request) and not request.is_used
            return is_needed, -counts[request.call.caller], request.decision is not None

        return min(self._requests.values(), key=need).id

    def of(self, call: "PendingCall", impact: "Impact") -> DecisionRequest | None:
        """The request of an earlier, equal call, if it is open or its decision is not used yet."""
        key = _key(call, impact)
        requests = (request for request in self._requests.values() if request.key == key)
        return next((request for request in requests if not request.is_used and self.is_valid(request)), None)

    def find(self, request_id: str) -> DecisionRequest | None:
        """The request with this id, also if it has expired or was used."""
        return self._requests.get(request_id)

    def is_valid(self, request: DecisionRequest) -> bool:
        """Whether the request has not expired, and was not withdrawn."""
        return self._requests.get(request.id) is request and self._now() < request.expires_at

    def remaining_s(self, request: DecisionRequest) -> float:
        """The time until the request expires."""
        return max(0.0, request.expires_at - self._now())

    def decide(self, request: DecisionRequest, impact: "Impact", decision: Decision) -> bool:
        """Take the first decision about a request; False if it is decided, expired, or its impact has changed."""
        if request.decision is not None or not self.is_valid(request) or not request.is_for(impact):
            return False
        request.expires_at = self._now() + LIFETIME_S
        request.set_decision(decision)
        return True

    def use(self, request: DecisionRequest) -> Decision | None:
        """Use the decision about a request for a call; None before it, or if another call has used it."""
        if request.decision is None or request.is_used or not self.is_valid(request):
            return None
        request.is_used = True
        return request.decision

    def withdraw(self, request: DecisionRequest) -> None:
        """Remove a request that the person has declined elsewhere."""
        self._requests.pop(request.id, None)


@dataclass(frozen=True, slots=True)
class Review:
    """The review of a run, for a program that shows it to a person.

    Attributes:
        html: the review as HTML, in which every text is escaped.
        url: the address of the pages to which its links lead, without a path.
    """

    html: str
    url: str


class DecisionPages(Protocol):
    """The pages of this process, on which people decide about the calls of an assistant."""

    @property
    def requests(self) -> DecisionRequests:
        """The calls that wait for a decision."""
        ...

    async def url(self, path: str) -> str:
        """The address of a page. It contains no code, so that the page requires a session.

        Raises:
            TfrunsError: the pages cannot be served.
        """
        ...


def _key(call: "PendingCall", impact: "Impact") -> str:
    return subject_digest([call.caller, call.subject(impact)])
