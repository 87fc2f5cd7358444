"""The pages beside an MCP server, on which people decide about calls, and their review of a run for the chat."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tfruns.gate.requests import DecisionRequests, Review


class Pages(Protocol):
    """The pages of this process, which are served from the first call of `url` or `review` on.

    They are `gate.requests.DecisionPages`. That module is not imported here, because a server starts without it.
    """

    @property
    def requests(self) -> "DecisionRequests":
        """The calls that wait for a decision."""
        ...

    async def url(self, path: str) -> str:
        """The address of a page, without a code.

        Raises:
            TfrunsError: the pages cannot be served.
        """
        ...

    async def review(self, run_id: str) -> "Review":
        """The review of a run.

        Raises:
            TfrunsError: the run cannot be read, or the pages cannot be served.
        """
        ...

    def document(self) -> str:
        """The HTML document that shows reviews in the chat."""
        ...

    async def aclose(self) -> None:
        """Stop the server of the pages."""
        ...
