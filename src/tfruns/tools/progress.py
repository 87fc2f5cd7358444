"""How a tool that takes long says where it is. Who listens decides what becomes of it."""

from typing import Protocol


class Progress(Protocol):
    """Whoever wants to know how far a tool is."""

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        """Say what is going on, in one line; `done` only ever grows."""
        ...


class NoProgress:
    """Nobody wants to know."""

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        """Say it to nobody."""
