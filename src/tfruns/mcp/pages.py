"""The pages beside an MCP server, on which people decide about calls, and their review of a run for the chat."""

from typing import Protocol

from tfruns.gate.requests import DecisionPages, Review


class Pages(DecisionPages, Protocol):
    """The pages of this process, which are served from the first call of `url` or `review` on."""

    async def review(self, run_id: str) -> Review:
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
