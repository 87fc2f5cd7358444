"""What the pages of one server share."""

from dataclasses import dataclass, field
from typing import Protocol

from tfruns.web.feed import RunFeeds
from tfruns.web.sessions import Sessions, Visitor


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
        sessions: the sessions.
        feeds: the live updates of open pages.
    """

    link_command: str
    accounts: Accounts
    accepts_tokens: bool = False
    sessions: Sessions = field(default_factory=Sessions)
    feeds: RunFeeds = field(default_factory=RunFeeds)
