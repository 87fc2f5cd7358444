"""All values of one address in full, over as many pages as needed.

Sensitive values are masked. A string that is longer than a line continues on the next line.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tfruns.masking.redaction import redact
from tfruns.masking.secrets import MASKED, Secrets
from tfruns.masking.text import sanitize
from tfruns.review.differences import AttributePath, Difference, changed_values
from tfruns.review.instance_keys import wildcard_address, without_keys
from tfruns.review.pages import PAGE_BYTES, size_of
from tfruns.review.plan_document import Action, Change, PlanDocument
from tfruns.review.rows import PlanSection, ReviewEntry, ReviewRow, collect_entries
from tfruns.review.values import UNKNOWN, MarkedValue, Sensitive, apply_marks, format_scalar, parse_json_text

_MAX_STRING = 500  # characters of a string on one line
_MAX_KEY = 250  # characters of a key; a path has twice as many
_MARGIN = 120  # bytes for the fields around the values of a page
_MAX_LINES = 100_000  # of one entry, which take a few seconds
_MAX_SUGGESTIONS = 8  # similar addresses that are listed if the address is not in the plan
_ADDRESS = 160  # characters of an address

_GONE = {Action.DESTROY, Action.FORGET}
_CHANGED = {Action.UPDATE, Action.REPLACE, Action.UNKNOWN}


def full_values(
    document: PlanDocument, secrets: Secrets, head: dict[str, Any], address: str, *, page_number: int = 1
) -> dict[str, Any]:
    """Return one page with the values of an address. An address without an instance key selects all instances.

    Args:
        document: the plan.
        secrets: the secrets of the plan.
        head: the fields that start the result; small.
        address: the address of a resource, an output or an action.
        page_number: the page number, from 1.
    """
    everything = [*collect_entries(document, is_refresh_only=False), *_unchanged(document)]
    found = _at(everything, address.strip())
    if not found:
        return head | {"notes": [_not_found(everything, address.strip(), secrets)]} | _paging([], 1, 1, 0)
    pages = _pages(found, secrets, PAGE_BYTES - size_of(head) - _MARGIN)
    if page_number > len(pages):
        note = f"Page {page_number} does not exist: the last page is {len(pages)}."
        return head | {"notes": [note]} | _paging([], page_number, len(pages), len(found))
    return head | _paging(pages[page_number - 1], page_number, len(pages), len(found))


def _paging(rows: Sequence[dict[str, Any]], page: int, total: int, found: int) -> dict[str, Any]:
    following = page + 1 if page < total else None
    return {"rows": rows, "page": page, "next_page": following, "total_pages": total, "total_rows": found}


def _unchanged(document: PlanDocument) -> Iterator[ReviewEntry]:
    yield from (ReviewEntry(PlanSection.RESOURCE, change) for change in document.changes if not change.is_change)


def _at(everything: Iterable[ReviewEntry], address: str) -> list[ReviewEntry]:
    """The entries with an address, or else the instances of the resource with that address."""
    found = list(everything)
    exact = [entry for entry in found if address in (entry.change.address, entry.change.previous_address)]
    return exact or [
        entry
        for entry in found
        if address in (wildcard_address(entry.change.address), without_keys(entry.change.address))
    ]


def _not_found(everything: Sequence[ReviewEntry], address: str, secrets: Secrets) -> str:
    name = json.dumps(secrets.safe_line(address, _ADDRESS), ensure_ascii=False)
    similar = list(dict.fromkeys(entry.change.address for entry in everything if address in entry.change.address))
    if not similar:
        return f"The plan does not contain {name}. Review it without an address to list its changes."
    names = ", ".join(secrets.safe_line(one, _ADDRESS) for one in similar[:_MAX_SUGGESTIONS])
    more = f" and {len(similar) - _MAX_SUGGESTIONS} more" if len(similar) > _MAX_SUGGESTIONS else ""
    return f"The plan does not contain {name}. Similar addresses: {names}{more}."


@dataclass(slots=True)
class _OpenPage:
    rows: list[dict[str, Any]]
    remaining: int  # bytes


def _pages(found: Sequence[ReviewEntry], secrets: Secrets, size: int) -> list[list[dict[str, Any]]]:
    """Distribute the values of the entries over pages. Each page repeats the heads of its rows."""
    pages = [_OpenPage([], size)]
    for entry in found:
        head = ReviewRow([entry], secrets).head() | {"values": []}
        pages = _with_row(pages, head, size)
        for line in _lines(entry, secrets):
            cost = size_of(line)
            if cost > pages[-1].remaining and pages[-1].rows[-1]["values"]:
                pages = _with_row([*pages, _OpenPage([], size)], head, size)
            pages[-1].rows[-1]["values"].append(line)
            pages[-1].remaining -= cost
    return [page.rows for page in pages]


def _with_row(pages: list[_OpenPage], head: dict[str, Any], size: int) -> list[_OpenPage]:
    """Add a row, on a new page if less than half of the current page would remain for its values."""
    cost = size_of(head)
    if pages[-1].rows and pages[-1].remaining < cost + size // 2:
        pages = [*pages, _OpenPage([], size)]
    pages[-1].rows.append(head | {"values": []})
    pages[-1].remaining -= cost
    return pages


# -- lines ------------------------------------------------------------------------------------------------------------


def _lines(entry: ReviewEntry, secrets: Secrets) -> Iterator[str]:
    """The lines of an entry. If there are too many, the last line says so."""
    lines = _all_lines(entry, secrets)
    yield from islice(lines, _MAX_LINES)
    if next(lines, None) is not None:
        yield f"More than {_MAX_LINES:,} lines: the rest is not shown."


def _all_lines(entry: ReviewEntry, secrets: Secrets) -> Iterator[str]:
    """The values of an entry, first those that change, then all others."""
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
            yield from _value_lines(_format_path(path, secrets), value, secrets)
    for number, line in enumerate(change.generated_config.splitlines(), 1):
        yield from _value_lines(f"generated config line {number}", line, secrets)


def _sides(change: Change) -> tuple[MarkedValue, MarkedValue]:
    values = change.change
    return (
        apply_marks(values.get("before"), values.get("before_sensitive")),
        apply_marks(values.get("after"), values.get("after_sensitive"), values.get("after_unknown")),
    )


def _changed_lines(difference: Difference, secrets: Secrets) -> Iterator[str]:
    """A value that changes: on one line if both sides are short, or else the old value and then the new one."""
    name = difference.shown_path(secrets, _MAX_KEY)
    before, after = difference.before, difference.after
    if all(_is_scalar(side) for side in (before, after)):
        one, other = (_scalar(side, secrets) for side in (before, after))
        if len(one) + len(other) <= _MAX_STRING:
            yield secrets.mask(f"{name}: {one} -> {other}{difference.notes(secrets)}")
            return
    for word, side in (("before", before), ("after", after)):
        for path, value in _leaves(side, difference.path):
            yield from _value_lines(f"{_format_path(path, secrets)} ({word})", value, secrets)


def _leaves(value: MarkedValue, path: AttributePath) -> Iterator[tuple[AttributePath, MarkedValue]]:
    """The scalars and empty containers in a value, including those in JSON strings."""
    parsed = parse_json_text(value) if isinstance(value, str) else None
    parts = value if parsed is None else parsed
    if isinstance(parts, dict) and parts:
        for key, item in parts.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(parts, list) and parts:
        for number, item in enumerate(parts):
            yield from _leaves(item, (*path, number))
    else:
        yield path, value


def _value_lines(name: str, value: MarkedValue, secrets: Secrets) -> Iterator[str]:
    is_string = isinstance(value, str)
    text = redact(secrets.mask(value)) if is_string else _scalar(value, secrets)
    quoted = _quoted if is_string else str
    if len(text) <= _MAX_STRING:
        yield secrets.mask(f"{name}: {quoted(text)}")
        return
    unit = "characters" if is_string else "digits"
    for start in range(0, len(text), _MAX_STRING):
        end = min(start + _MAX_STRING, len(text))
        part = f"{unit} {start + 1:,} to {end:,} of {len(text):,}"
        yield secrets.mask(f"{name} ({part}): {quoted(text[start:end])}")


def _is_scalar(value: MarkedValue) -> bool:
    return not isinstance(value, dict | list) and not (isinstance(value, str) and parse_json_text(value) is not None)


def _scalar(value: MarkedValue, secrets: Secrets) -> str:
    """Format a scalar, or an empty list or object."""
    if isinstance(value, str):
        return _quoted(redact(secrets.mask(value)))
    if isinstance(value, Sensitive) or value is UNKNOWN:
        return str(value)
    return format_scalar(value, secrets)


def _quoted(text: str) -> str:
    """Quote a string on one line. Characters that are not printable become escapes."""
    if text == MASKED:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isascii() and quoted.isprintable():
        return quoted
    return "".join(one if one.isprintable() and sanitize(one) else json.dumps(one)[1:-1] for one in quoted)


def _format_path(path: AttributePath, secrets: Secrets) -> str:
    return Difference(path, None, None).shown_path(secrets, _MAX_KEY)
