"""What the pages of one server share."""

from dataclasses import dataclass, field
from typing import Protocol

from tfruns.gate.requests import DecisionRequests
from tfruns.web.feed import RunFeeds
from tfruns.web.own_browser import OwnBrowser
from tfruns.web.passkeys import Passkeys
from tfruns.web.sessions import FailedAttempts, Sessions, Visitor


class Accounts(Protocol):
    """The users of the API behind the pages."""

    async def visitor_with(self, token: str) -> Visitor:
        """The user of an API token.

        Raises:
            Unauthorized: the token is not valid.
            TfrunsError: the API is not available.
        """
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of one server.

    Attributes:
        link_command: the command that prints a link.
        accounts: the users who can create a link with a token.
        accepts_tokens: whether a person can enter a token to sign in.
        own_browser: opens pages in the browser of this computer; None if the server may run on another one.
        requests: the calls of an assistant that wait for a decision on a page.
        sessions: the sessions.
        failed_attempts: the wrong tokens that were entered lately.
        feeds: the live updates of open pages.
        passkeys: the passkeys that decisions which can destroy something need; None if they need none.
    """

    link_command: str
    accounts: Accounts
    accepts_tokens: bool = False
    own_browser: OwnBrowser | None = None
    requests: DecisionRequests = field(default_factory=DecisionRequests)
    sessions: Sessions = field(default_factory=Sessions)
    failed_attempts: FailedAttempts = field(default_factory=FailedAttempts)
    feeds: RunFeeds = field(default_factory=RunFeeds)
    passkeys: Passkeys | None = None
