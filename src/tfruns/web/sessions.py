"""The sessions of people in a browser. They exist only in the memory of this process, and end with it.

A session begins with a link that contains a single-use code, or with an API token that the person enters. The browser
gets a random id in a cookie. Forms contain a second secret of the session, the CSRF token.
"""

import hmac
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tfruns.client.client import Client
from tfruns.elapsed import elapsed_s
from tfruns.gate.pipeline import Gate
from tfruns.gate.registry import find_tool

if TYPE_CHECKING:
    import asyncio

    from starlette.responses import Response

SESSION_LIFETIME_S = 12 * 3600.0
LINK_LIFETIME_S = 600.0
MAX_FAILED_ATTEMPTS = 10
FAILED_ATTEMPTS_PERIOD_S = 60.0
_MAX_LINKS = 256  # the oldest are dropped first
_MAX_SESSIONS = 1_000


@dataclass(slots=True, eq=False)
class Visitor:
    """The person behind a session, with the permissions of one API token.

    Attributes:
        name: the name of the token's user, for display and the audit log.
        gate: the gate for their calls, without a person who can be asked.
        connect: returns the client for the next request, if it may change.
    """

    name: str
    gate: Gate
    connect: Callable[[], Awaitable[Client]] | None = None

    def permits(self, tool: str) -> bool:
        """Whether the mode of the pages permits a tool."""
        return self.gate.policy.mode.includes(find_tool(tool).mode)

    async def reconnect(self) -> None:
        """Use another client if the local backend was started again, or a token was stored.

        Raises:
            TfrunsError: there is no client for the API.
        """
        client = await self.connect() if self.connect else self.gate.client
        if client is not self.gate.client:
            self.gate = replace(self.gate, client=client)


@dataclass(frozen=True, slots=True)
class Session:
    """A session.

    Attributes:
        visitor: the person.
        expires_at: the end, on the clock of `Sessions`.
        id: the value of the cookie.
        csrf_token: the secret in each form.
        sent_forms: the responses to the forms that were sent; see `forms.respond_once`.
    """

    visitor: Visitor
    expires_at: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    csrf_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    sent_forms: "dict[int, asyncio.Task[Response]]" = field(default_factory=dict, repr=False)

    def is_own_form(self, csrf_token: str) -> bool:
        """Whether a form with this CSRF token comes from a page of this session."""
        return hmac.compare_digest(csrf_token.encode(), self.csrf_token.encode())


class FailedAttempts:
    """Limits how often a server can be asked whether a token is valid: to ten wrong tokens per minute.

    Args:
        monotonic: the clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = elapsed_s) -> None:
        self._monotonic = monotonic
        self._failures: deque[float] = deque(maxlen=MAX_FAILED_ATTEMPTS)

    def add(self) -> None:
        """Note a wrong token."""
        self._failures.append(self._monotonic())

    @property
    def are_too_many(self) -> bool:
        """Whether no token is accepted at the moment."""
        is_full = len(self._failures) == MAX_FAILED_ATTEMPTS
        return is_full and self._monotonic() - self._failures[0] < FAILED_ATTEMPTS_PERIOD_S


class Sessions:
    """The sessions of one server, and the links that begin one.

    Args:
        monotonic: the clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = elapsed_s) -> None:
        self._monotonic = monotonic
        self._links: dict[str, tuple[float, Visitor]] = {}
        self._sessions: dict[str, Session] = {}

    def create_link_code(self, visitor: Visitor) -> str:
        """Create a code that begins one session of a visitor, within ten minutes."""
        while len(self._links) >= _MAX_LINKS:
            del self._links[next(iter(self._links))]
        code = secrets.token_urlsafe(24)
        self._links[code] = (self._monotonic() + LINK_LIFETIME_S, visitor)
        return code

    def redeem(self, code: str) -> Session | None:
        """Begin a session with a code, which is used up; None if the code is unknown, used or expired."""
        expires_at, visitor = self._links.pop(code, (0.0, None))
        return self.begin(visitor) if visitor is not None and self._monotonic() < expires_at else None

    def begin(self, visitor: Visitor) -> Session:
        """Begin a session."""
        now = self._monotonic()
        self._sessions = {id_: session for id_, session in self._sessions.items() if now < session.expires_at}
        while len(self._sessions) >= _MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session = Session(visitor, now + SESSION_LIFETIME_S)
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """The session with this id; None if it does not exist or has expired."""
        session = self._sessions.get(session_id)
        return session if session is not None and self._monotonic() < session.expires_at else None

    def end(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.id, None)
