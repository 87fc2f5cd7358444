"""What the pages of one server share."""

from dataclasses import dataclass, field
from typing import Protocol

from tfruns.errors import Unauthorized
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
        accounts: the users who can sign in with a token; None if nobody can.
        sessions: the sessions.
        feeds: the live updates of open pages.
    """

    link_command: str
    accounts: Accounts | None = None
    sessions: Sessions = field(default_factory=Sessions)
    feeds: RunFeeds = field(default_factory=RunFeeds)

    @property
    def accepts_tokens(self) -> bool:
        """Whether a person can sign in with an API token."""
        return self.accounts is not None

    async def visitor_with(self, token: str) -> Visitor:
        """The user of an API token.

        Raises:
            Unauthorized: the token is not valid, or tokens are not accepted.
            TfrunsError: the API is not available.
        """
        if self.accounts is None or not token:
            raise Unauthorized("unauthorized", status=401)
        return await self.accounts.visitor_with(token)
