"""The pages beside an MCP server, on which people decide about calls."""

from typing import Protocol

from tfruns.gate.requests import DecisionPages


class Pages(DecisionPages, Protocol):
    """The pages of this process, which are served from the first call of `url` on."""

    async def aclose(self) -> None:
        """Stop the server of the pages."""
        ...
