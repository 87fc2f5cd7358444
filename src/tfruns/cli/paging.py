"""The options of lists that select pages, or a number of rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol, TypeVar

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.terminal import say
from tfruns.errors import InvalidInput

_LIMIT = "List at most this many, from as many pages as necessary"
_SIZE = "Show this many on a page, at most 100 (default: 20)"
_DEFAULT_SIZE = 20
_LARGEST_SIZE = 100


class ListView(Protocol):
    """A page of a list."""

    @property
    def ROWS(self) -> str: ...  # noqa: N802

    @property
    def next_page(self) -> int | None: ...


L = TypeVar("L", bound=ListView)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Paging:
    """The rows of a list to show.

    Attributes:
        limit: the number of rows; None for one page.
        page: the number of the page; None for the first.
        page_size: the rows on a page; None for the default.
    """

    limit: Annotated[PositiveInt | None, Parameter(name=["--limit", "-L"], help=_LIMIT)] = None
    page: Annotated[PositiveInt | None, Parameter(help="Show this page (default: 1)")] = None
    page_size: Annotated[PositiveInt | None, Parameter(help=_SIZE)] = None

    async def read(self, read_page: Callable[[int, int], Awaitable[L]]) -> L:
        """The selected rows as one view.

        Args:
            read_page: reads a page, by its number and size.

        Raises:
            InvalidInput: --limit is combined with a page.
        """
        if self.limit is None:
            return await read_page(self.page or 1, self.page_size or _DEFAULT_SIZE)
        if self.page or self.page_size:
            raise InvalidInput(
                "--limit cannot be used with --page or --page-size.", solution="Omit --limit, or the others."
            )
        size = min(self.limit, _LARGEST_SIZE)
        view = await read_page(1, size)
        rows = list(getattr(view, view.ROWS))
        while len(rows) < self.limit and (following := view.next_page):
            view = await read_page(following, size)
            rows += getattr(view, view.ROWS)
        changed: dict[str, Any] = {view.ROWS: tuple(rows[: self.limit])}
        return replace(view, **changed)  # type: ignore[type-var]

    def print_more(self, next_page: int | None, total_pages: int | None = None) -> None:
        """Print the option for more rows, if there are any."""
        if next_page and self.limit:
            say(f"More: --limit {2 * self.limit}")
        else:
            print_paging(next_page, total_pages)


def print_paging(next_page: int | None, total_pages: int | None = None) -> None:
    """Print the option for the next page, if there is one."""
    if next_page:
        say(f"More: --page {next_page}" + (f" of {total_pages}" if total_pages else ""))


FIRST_PAGE = Paging()
