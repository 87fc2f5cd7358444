"""The rows of a plan in the order of the page, which are made as far as pages need them.

Grouping the instances of thousands of resources takes longer than reading the plan, and most people read one page.
"""

from collections.abc import Sequence
from itertools import islice
from threading import Lock

from tfruns.masking.secrets import Secrets
from tfruns.review.dangers import danger_of
from tfruns.review.plan_document import Change
from tfruns.review.rows import ReviewEntry, ReviewRow, families, rows_of_family

_ALL_AT_ONCE = 500  # changes whose rows are made immediately, so that the number of pages is known


class PageRows:
    """The rows of some changes: dangerous ones first, then the others by module, the root module first. Thread-safe.

    Args:
        entries: the changes.
        secrets: the secrets of the plan.
    """

    def __init__(self, entries: Sequence[ReviewEntry], secrets: Secrets) -> None:
        self.total_changes = len(entries)
        self._made: list[ReviewRow] = []
        self._lock = Lock()
        ordered = sorted(families(entries), key=_place)
        self._rest = (row for family in ordered for row in rows_of_family(family, secrets))

    def page(self, number: int, size: int) -> tuple[list[ReviewRow], int | None, bool]:
        """The rows of a page from 1, the number of pages if it is known, and whether another page follows."""
        end = number * size
        wanted = max(end + 1, self.total_changes if self.total_changes <= _ALL_AT_ONCE else 0)
        with self._lock:
            self._made += islice(self._rest, max(0, wanted - len(self._made)))
            made = len(self._made)
        total = None if made >= wanted and self.total_changes > _ALL_AT_ONCE else max(1, -(-made // size))
        return self._made[end - size : end], total, made > end


def _place(family: Sequence[ReviewEntry]) -> tuple[int, str]:
    change = family[0].change
    return (0, "") if danger_of(change) else (1, module_of(change))


def module_of(change: Change) -> str:
    """The address of a change's module; empty for the root module."""
    module = change.source.get("module_address")
    return module if isinstance(module, str) else ""
