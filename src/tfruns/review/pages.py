"""Pagination of rows within a byte budget, for any plan: attributes are omitted first, then rows move to the next page.

Page boundaries depend only on the heads of the rows, which have a bounded size, so no row is lost between pages.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.rows import ReviewRow

PAGE_BYTES = 9_200  # about 3,000 tokens

_MAX_DETAILS = 3_600  # bytes for attributes on a page
_MIN_DETAILS = 800  # bytes that the heads of rows leave for attributes
_MAX_LINES = 40  # attributes of a row
_MAX_LINES_OF_NEW = 6  # attributes of a created resource that is not alone on its page
_MORE = len(',"changes":[],"more_changes":99999')


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page of formatted rows.

    Attributes:
        rows: the rows, with as many attributes as fit.
        number: the page number, from 1.
        total: the number of pages; 1 if there are no rows.
    """

    rows: Sequence[dict[str, Any]]
    number: int
    total: int


def paginate(rows: Sequence[ReviewRow], secrets: Secrets, *, number: int, size: int, max_bytes: int) -> ReviewPage:
    """Return one page. A page beyond the last one is empty.

    Args:
        rows: all rows.
        secrets: the secrets of the plan.
        number: the page number, from 1.
        size: the maximum number of rows on a page.
        max_bytes: the maximum size of the rows of a page as compact JSON.
    """
    heads = [row.head() for row in rows]
    starts = [0]
    used = 0
    for index, head in enumerate(heads):
        cost = size_of(head) + _MORE
        if index > starts[-1] and (index - starts[-1] == size or used + cost > max_bytes - _MIN_DETAILS):
            starts.append(index)
            used = 0
        used += cost
    total = len(starts)
    if number > total:
        return ReviewPage([], number, total)
    start, end = [*starts, len(rows)][number - 1 : number + 1]
    room = min(max_bytes - sum(size_of(head) + _MORE for head in heads[start:end]), _MAX_DETAILS)
    return ReviewPage(_filled(rows[start:end], heads[start:end], secrets, room), number, total)


def _filled(
    rows: Sequence[ReviewRow], heads: Sequence[dict[str, Any]], secrets: Secrets, room: int
) -> Sequence[dict[str, Any]]:
    """The rows with their attributes: the first of each row, then the second of each row, until the budget is used."""
    lines: list[list[str]] = [[] for _ in rows]
    for depth in range(_MAX_LINES):
        for row, written in zip(rows, lines, strict=True):
            limit = _MAX_LINES_OF_NEW if row.is_new and len(rows) > 1 else _MAX_LINES
            if depth >= min(len(row.lines), limit):
                continue
            line = secrets.mask(row.lines[depth]())  # again, because quoting may complete a secret
            room -= size_of(line)
            if room >= 0:
                written.append(line)
        if room < 0:
            break
    return [_with_lines(*parts) for parts in zip(heads, rows, lines, strict=True)]


def _with_lines(head: dict[str, Any], row: ReviewRow, lines: list[str]) -> dict[str, Any]:
    more = len(row.lines) - len(lines)
    return head | ({"changes": lines} if lines else {}) | ({"more_changes": more} if more else {})


def size_of(value: Any) -> int:
    """The size of a value within a compact JSON document in bytes, including its separator."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) + 1
