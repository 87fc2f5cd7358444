"""Rows cut into pages that are small whatever the plan is: first attributes are left out, then rows wait for the next.

Where a page begins depends on the heads of the rows alone, which are bounded; so the pages together hold every row.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.rows import Row

PAGE_BYTES = 9_200  # some 3,000 tokens

_DETAILS = 3_600  # bytes of a page that attributes may take
_LEAST_DETAILS = 800  # bytes that the heads of rows leave for them
_LINES = 40  # attributes of a row that are shown
_LINES_OF_NEW = 6  # of one that is created, where it is not the only one
_MORE = len(',"changes":[],"more_changes":99999')


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows, as they are shown.

    Attributes:
        rows: each with its attributes, as many as there is room for.
        number: from 1.
        total: how many pages there are; 1 where there are no rows.
    """

    rows: Sequence[dict[str, Any]]
    number: int
    total: int


def page_of(rows: Sequence[Row], secrets: Secrets, *, number: int, size: int, max_bytes: int) -> Page:
    """One page; one beyond the last is empty.

    Args:
        rows: all of them.
        secrets: what must not be shown.
        number: the page, from 1.
        size: rows on a page at most.
        max_bytes: of its rows together, as compact JSON.
    """
    heads = [row.head() for row in rows]
    starts = [0]
    used = 0
    for place, head in enumerate(heads):
        cost = size_of(head) + _MORE
        if place > starts[-1] and (place - starts[-1] == size or used + cost > max_bytes - _LEAST_DETAILS):
            starts.append(place)
            used = 0
        used += cost
    total = len(starts)
    if number > total:
        return Page([], number, total)
    start, end = [*starts, len(rows)][number - 1 : number + 1]
    room = min(max_bytes - sum(size_of(head) + _MORE for head in heads[start:end]), _DETAILS)
    return Page(_filled(rows[start:end], heads[start:end], secrets, room), number, total)


def _filled(
    rows: Sequence[Row], heads: Sequence[dict[str, Any]], secrets: Secrets, room: int
) -> Sequence[dict[str, Any]]:
    """The rows with their attributes: the first of each, then the second of each, as long as there is room."""
    lines: list[list[str]] = [[] for _ in rows]
    for depth in range(_LINES):
        for row, written in zip(rows, lines, strict=True):
            most = _LINES_OF_NEW if row.is_new and len(rows) > 1 else _LINES
            if depth >= min(len(row.lines), most):
                continue
            line = secrets.hide(row.lines[depth]())  # once more: to quote a text may make another of it
            room -= size_of(line)
            if room >= 0:
                written.append(line)
        if room < 0:
            break
    return [_with_lines(*parts) for parts in zip(heads, rows, lines, strict=True)]


def _with_lines(head: dict[str, Any], row: Row, lines: list[str]) -> dict[str, Any]:
    more = len(row.lines) - len(lines)
    return head | ({"changes": lines} if lines else {}) | ({"more_changes": more} if more else {})


def size_of(value: Any) -> int:
    """The bytes of a value within a document, with what separates it."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) + 1
