"""Reads that fail independently: a failed read is recorded, and the others continue."""

from collections.abc import Awaitable
from typing import TypeVar

from tfruns.client.listing import Listing
from tfruns.errors import TfrunsError
from tfruns.wire.base import Resource

T = TypeVar("T")
R = TypeVar("R", bound=Resource)


class Reads:
    """Performs reads, and records those that failed."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    async def one(self, what: str, read: Awaitable[T]) -> T | None:
        """The result of a read; None if it fails."""
        try:
            return await read
        except TfrunsError as error:
            self.failed.append(f"{what}: {error.message[:120]}")
            return None

    async def some(self, what: str, listing: Listing[R], *, size: int = 20) -> list[R]:
        """The first page of a list; empty if it cannot be read."""
        page = await self.one(what, listing.page(size=size))
        return list(page.items) if page else []
