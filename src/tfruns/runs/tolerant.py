"""Reads of which one that fails does not fail the others."""

from collections.abc import Awaitable
from typing import TypeVar

from tfruns.client.listing import Listing
from tfruns.errors import TfrunsError
from tfruns.wire.base import Resource

T = TypeVar("T")
R = TypeVar("R", bound=Resource)


class Reads:
    """Reads, and what they could not read."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    async def one(self, what: str, read: Awaitable[T]) -> T | None:
        """What is read; None where that fails."""
        try:
            return await read
        except TfrunsError as error:
            self.failed.append(f"{what}: {error.message[:120]}")
            return None

    async def some(self, what: str, listing: Listing[R], *, size: int = 20) -> list[R]:
        """The first page of a list; empty where it cannot be read."""
        page = await self.one(what, listing.page(size=size))
        return list(page.items) if page else []
