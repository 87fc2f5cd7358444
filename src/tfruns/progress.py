"""The progress of a slow tool. An MCP server imports this module before any tool."""

from typing import Protocol


class Progress(Protocol):
    """The recipient of progress messages."""

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        """Report what a tool is doing, in one line. `done` never decreases."""
        ...


class NoProgress:
    """Discards progress messages."""

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        """Discard the message."""
