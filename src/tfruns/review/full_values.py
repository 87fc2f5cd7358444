"""Every value of one address, in full and in pages: what a row of the review has no room for.

A value that is sensitive is masked here as well. A text that is longer than a line goes on in the next ones.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tfruns.masking.redaction import redact
from tfruns.masking.secrets import HIDDEN, Secrets
from tfruns.masking.text import sanitize
from tfruns.review.differences import Difference, Path, changed_values
from tfruns.review.naming import general_address, without_keys
from tfruns.review.pages import PAGE_BYTES, size_of
from tfruns.review.plan_document import Action, Change, PlanDocument
from tfruns.review.rows import Entry, Kind, Row, entries
from tfruns.review.values import UNKNOWN, Marked, Sensitive, json_of, marked, plain_text

_TEXT = 500  # characters of a text on one line
_KEY = 250  # characters of a key; twice as many of a path
_MARGIN = 120  # bytes for what stands around the values of a page
_MOST_LINES = 100_000  # of one entry, which takes some seconds
_NEAREST = 8  # addresses that are offered for one that is not in the plan
_ADDRESS = 160

_GONE = {Action.DESTROY, Action.FORGET}
_CHANGED = {Action.UPDATE, Action.REPLACE, Action.UNKNOWN}


def full_values(
    document: PlanDocument, secrets: Secrets, head: dict[str, Any], address: str, *, page_number: int = 1
) -> dict[str, Any]:
    """A page with the values of one address; of an address without its key, those of all instances.

    Args:
        document: the plan.
        secrets: of the plan.
        head: the beginning of the view: small.
        address: of a resource, an output or an action.
        page_number: from 1.
    """
    everything = [*entries(document, is_refresh_only=False), *_unchanged(document)]
    found = _at(everything, address.strip())
    if not found:
        return head | {"notes": [_not_found(everything, address.strip(), secrets)]} | _paging([], 1, 1, 0)
    pages = _pages(found, secrets, PAGE_BYTES - size_of(head) - _MARGIN)
    if page_number > len(pages):
        note = f"There is no page {page_number}: the last one is {len(pages)}."
        return head | {"notes": [note]} | _paging([], page_number, len(pages), len(found))
    return head | _paging(pages[page_number - 1], page_number, len(pages), len(found))


def _paging(rows: Sequence[dict[str, Any]], page: int, total: int, found: int) -> dict[str, Any]:
    following = page + 1 if page < total else None
    return {"rows": rows, "page": page, "next_page": following, "total_pages": total, "total_rows": found}


def _unchanged(document: PlanDocument) -> Iterator[Entry]:
    yield from (Entry(Kind.RESOURCE, change) for change in document.changes if not change.is_change)


def _at(everything: Iterable[Entry], address: str) -> list[Entry]:
    """The entries with this address, or else the instances of the resource that has it."""
    found = list(everything)
    exact = [entry for entry in found if address in (entry.change.address, entry.change.previous_address)]
    return exact or [
        entry
        for entry in found
        if address in (general_address(entry.change.address), without_keys(entry.change.address))
    ]


def _not_found(everything: Sequence[Entry], address: str, secrets: Secrets) -> str:
    name = json.dumps(secrets.shown(address, _ADDRESS), ensure_ascii=False)
    like = list(dict.fromkeys(entry.change.address for entry in everything if address in entry.change.address))
    if not like:
        return f"The plan has nothing at {name}. review_run without an address lists what it has."
    names = ", ".join(secrets.shown(one, _ADDRESS) for one in like[:_NEAREST])
    more = f" and {len(like) - _NEAREST} more" if len(like) > _NEAREST else ""
    return f"The plan has nothing at {name}. Similar addresses: {names}{more}."


@dataclass(slots=True)
class _Page:
    rows: list[dict[str, Any]]
    left: int


def _pages(found: Sequence[Entry], secrets: Secrets, size: int) -> list[list[dict[str, Any]]]:
    """The values of the entries, as many on a page as there is room for; each page repeats the head of its rows."""
    pages = [_Page([], size)]
    for entry in found:
        head = Row([entry], secrets).head() | {"values": []}
        pages = _with_row(pages, head, size)
        for line in _lines(entry, secrets):
            cost = size_of(line)
            if cost > pages[-1].left and pages[-1].rows[-1]["values"]:
                pages = _with_row([*pages, _Page([], size)], head, size)
            pages[-1].rows[-1]["values"].append(line)
            pages[-1].left -= cost
    return [page.rows for page in pages]


def _with_row(pages: list[_Page], head: dict[str, Any], size: int) -> list[_Page]:
    """The pages with a new row, on a new page where the last one has no room for it and a line."""
    cost = size_of(head)
    if pages[-1].rows and pages[-1].left < cost + size // 2:
        pages = [*pages, _Page([], size)]
    pages[-1].rows.append(head | {"values": []})
    pages[-1].left -= cost
    return pages


# -- lines ------------------------------------------------------------------------------------------------------------


def _lines(entry: Entry, secrets: Secrets) -> Iterator[str]:
    """The lines of an entry, and a last one that says where a huge entry is cut."""
    lines = _all_lines(entry, secrets)
    yield from islice(lines, _MOST_LINES)
    if next(lines, None) is not None:
        yield f"More than {_MOST_LINES:,} lines: the rest is not shown."


def _all_lines(entry: Entry, secrets: Secrets) -> Iterator[str]:
    """The values of an entry: first those that change, then all others."""
    change = entry.change
    before, after = _sides(change)
    changed: list[Difference] = []
    if change.action in _CHANGED:
        changed = changed_values(change)
    for difference in changed:
        yield from _changed_lines(difference, secrets)
    paths = {difference.path for difference in changed}
    for path, value in _leaves(before if change.action in _GONE else after, ()):
        if not any(path[:length] in paths for length in range(len(path) + 1)):
            yield from _value_lines(_named(path, secrets), value, secrets)
    for number, line in enumerate(change.generated_config.splitlines(), 1):
        yield from _value_lines(f"generated config line {number}", line, secrets)


def _sides(change: Change) -> tuple[Marked, Marked]:
    values = change.change
    return (
        marked(values.get("before"), values.get("before_sensitive")),
        marked(values.get("after"), values.get("after_sensitive"), values.get("after_unknown")),
    )


def _changed_lines(difference: Difference, secrets: Secrets) -> Iterator[str]:
    """A value that changes: on one line, where both sides are short, else the old one and then the new one."""
    name = difference.shown_path(secrets, _KEY)
    before, after = difference.before, difference.after
    if all(_is_plain(side) for side in (before, after)):
        one, other = (_plain(side, secrets) for side in (before, after))
        if len(one) + len(other) <= _TEXT:
            yield secrets.hide(f"{name}: {one} -> {other}{difference.notes(secrets)}")
            return
    for word, side in (("before", before), ("after", after)):
        for path, value in _leaves(side, difference.path):
            yield from _value_lines(f"{_named(path, secrets)} ({word})", value, secrets)


def _leaves(value: Marked, path: Path) -> Iterator[tuple[Path, Marked]]:
    """The values in a value that have no parts; what a JSON text holds is among them."""
    opened = json_of(value) if isinstance(value, str) else None
    parts = value if opened is None else opened
    if isinstance(parts, dict) and parts:
        for key, item in parts.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(parts, list) and parts:
        for number, item in enumerate(parts):
            yield from _leaves(item, (*path, number))
    else:
        yield path, value


def _value_lines(name: str, value: Marked, secrets: Secrets) -> Iterator[str]:
    is_text = isinstance(value, str)
    text = redact(secrets.hide(value)) if is_text else _plain(value, secrets)
    written = _quoted if is_text else str
    if len(text) <= _TEXT:
        yield secrets.hide(f"{name}: {written(text)}")
        return
    unit = "characters" if is_text else "digits"
    for start in range(0, len(text), _TEXT):
        end = min(start + _TEXT, len(text))
        part = f"{unit} {start + 1:,} to {end:,} of {len(text):,}"
        yield secrets.hide(f"{name} ({part}): {written(text[start:end])}")


def _is_plain(value: Marked) -> bool:
    return not isinstance(value, dict | list) and not (isinstance(value, str) and json_of(value) is not None)


def _plain(value: Marked, secrets: Secrets) -> str:
    """A value without parts."""
    if isinstance(value, str):
        return _quoted(redact(secrets.hide(value)))
    if isinstance(value, Sensitive) or value is UNKNOWN:
        return str(value)
    return plain_text(value, secrets)


def _quoted(text: str) -> str:
    """A text in quotes, on one line: whatever is not printed is written as an escape."""
    if text == HIDDEN:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() and sanitize(one) else json.dumps(one)[1:-1] for one in quoted)


def _named(path: Path, secrets: Secrets) -> str:
    return Difference(path, None, None).shown_path(secrets, _KEY)
