"""Paginated lists, read by page or iterated."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tfruns.client.error_mapping import Purpose
from tfruns.client.parsing import parse_many
from tfruns.client.transport import Params, Transport
from tfruns.errors import InvalidInput
from tfruns.jsonapi import JSON, Pagination, pagination
from tfruns.next_actions import Argument
from tfruns.wire.base import Resource

_MAX_PAGE_NUMBER = 1_000_000_000
MAX_PAGE_SIZE = 100  # HCP Terraform API, "Pagination"

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page of a list, its position, and the API's document, which may contain secrets."""

    items: Sequence[R]
    pagination: Pagination
    document: JSON = field(repr=False)


class Listing(Generic[R]):
    """A list of resources, read lazily.

    async for run in client.runs.list_for_workspace("ws-…"): ...
    page = await client.runs.list_for_workspace("ws-…").page(2, size=50)
    """

    def __init__(self, read_page: Callable[[int, int], Awaitable[Page[R]]]) -> None:
        self._read_page = read_page

    async def page(self, number: int = 1, *, size: int = 20) -> Page[R]:
        """Read one page. A page past the end is empty.

        Args:
            number: from 1.
            size: items per page, at most 100.

        Raises:
            InvalidInput: the number or size is out of range.
            TfrunsError: any API error.
        """
        check_page(number, size)
        return await self._read_page(number, size)

    async def __aiter__(self) -> AsyncIterator[R]:
        """All items; each page is read when it is reached."""
        number: int | None = 1
        while number is not None:
            page = await self.page(number, size=MAX_PAGE_SIZE)
            for item in page.items:
                yield item
            following = page.pagination.next_page
            number = following if following is not None and following > number else None


def check_page(number: int, size: int) -> None:
    """Validate the number and the size of a page.

    Raises:
        InvalidInput: one of them is out of range.
    """
    if not 1 <= number <= _MAX_PAGE_NUMBER:
        raise InvalidInput((Argument("page_number"), f" must be between 1 and {_MAX_PAGE_NUMBER}."))
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise InvalidInput((Argument("page_size"), f" must be between 1 and {MAX_PAGE_SIZE}."))


def listing(
    transport: Transport,
    kind: type[R],
    path: str | Callable[[], Awaitable[str]],
    params: Params,
    *,
    purpose: Purpose,
    is_run_list: bool = False,
) -> Listing[R]:
    """A list of one resource type.

    Args:
        transport: the API.
        kind: the model of the items.
        path: the list's path, or a function that resolves it when the list is read.
        params: the query, without pagination.
        purpose: the purpose of the request, for its errors.
        is_run_list: whether the rate limit of run lists applies.
    """

    async def read_page(number: int, size: int) -> Page[R]:
        query = {**params, "page[number]": number, "page[size]": size}
        resolved = path if isinstance(path, str) else await path()
        answer = await transport.get(resolved, query, purpose=purpose, is_run_list=is_run_list)
        return Page(parse_many(kind, answer.document), pagination(answer.document), answer.document)

    return Listing(read_page)
