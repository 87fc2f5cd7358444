"""The pages beside an MCP server, to which a person can be sent."""

from typing import Protocol


class Pages(Protocol):
    """The pages of this process."""

    async def link(self, path: str) -> str:
        """The address of a page, with a code that begins one session within ten minutes.

        The first call starts the server of the pages.

        Args:
            path: the path of a page, such as `/app/-/runs/run-CZcmD7eagjhyX0vN`.

        Raises:
            InvalidInput: this is not the path of a page.
            ConnectionFailed: no server can be started.
            TfrunsError: there is no client for the API.
        """
        ...

    async def aclose(self) -> None:
        """Stop the server."""
        ...
