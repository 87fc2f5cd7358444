"""The values of a change before and after, for a page that shows both beside each other.

Only what differs is shown. A text of several lines is compared by line, with the lines around each difference.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum

from tfruns.masking.redaction import redact
from tfruns.masking.secrets import Secrets
from tfruns.masking.text import sanitize
from tfruns.review.differences import Difference
from tfruns.review.rows import ReviewEntry, drift_differences, entry_differences
from tfruns.review.values import MarkedValue, format_value, parse_json_text

MAX_TEXT = 2_000  # characters of a value
MAX_LINES = 400  # of a text that is compared by line
_MAX_PAIRS = 4_000_000  # lines before times lines after; more would take seconds
_CONTEXT = 3  # equal lines around a difference
_MAX_LINE = 60  # characters of a JSON text on one line
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},:]|[^][{},:"\s]+')
_OPENING, _CLOSING = frozenset("{["), frozenset("]}")
_NAME = 120  # characters of a key


class LineKind(StrEnum):
    """What happens to a line."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    OMITTED = "omitted"


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a text that changes; of omitted lines, how many."""

    kind: LineKind
    text: str


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that changes.

    Attributes:
        path: its attribute.
        before: the value before; None if it was absent.
        after: the value after; None if it will be absent.
        lines: the lines that differ, of a text of several lines; `before` and `after` are None then.
        notes: remarks, each in parentheses.
    """

    path: str
    before: str | None
    after: str | None
    lines: tuple[TextLine, ...] = ()
    notes: str = ""


def value_changes(entry: ReviewEntry, secrets: Secrets) -> Iterator[ValueChange]:
    """The values that a change affects, without secrets. Empty values of a new object are omitted."""
    return (_value_change(difference, secrets) for difference in _joined(entry_differences(entry)))


def drift_changes(entry: ReviewEntry, secrets: Secrets) -> Iterator[ValueChange]:
    """The values of a planned change that were changed outside of Terraform before, without secrets."""
    return (_value_change(difference, secrets) for difference in drift_differences(entry.drift))


def _joined(found: Sequence[Difference]) -> Iterator[Difference]:
    """One difference for an element of a list that is removed and for another that takes its place."""
    added = {change.path: change for change in found if change.before is None}
    removed = {change.path for change in found if change.after is None and change.before is not None}
    for change in found:
        other = added.get(change.path)
        if other is None or change.path not in removed:
            yield change
        elif change is not other:
            yield replace(change, after=other.after, is_forcing=change.is_forcing or other.is_forcing)


def _value_change(difference: Difference, secrets: Secrets) -> ValueChange:
    path, notes = difference.shown_path(secrets, _NAME), difference.notes(secrets).strip()
    before, after = difference.before, difference.after
    if _is_text(before) and _is_text(after):
        old, new = _split(before, secrets), _split(after, secrets)
        end = -1 if old[-1] == new[-1] == "" else None  # both end with a newline
        return ValueChange(path, None, None, tuple(_lines(old[:end], new[:end])), notes)
    return ValueChange(path, _shown(before, secrets), _shown(after, secrets), (), notes)


def _is_text(value: MarkedValue) -> bool:
    return isinstance(value, str) and "\n" in value


def _shown(value: MarkedValue, secrets: Secrets) -> str | None:
    if value is None:
        return None
    if _is_text(value):
        return "\n".join(_split(value, secrets))[:MAX_TEXT]
    if isinstance(value, str) and _can_be_indented(value, secrets):
        return "\n".join(_split(_indented(value), secrets))[:MAX_TEXT]
    return format_value(value, secrets, MAX_TEXT)


def _can_be_indented(text: str, secrets: Secrets) -> bool:
    """Whether a text is a long JSON document without secrets, which another form of the text could hide from masks."""
    is_document = len(text) > _MAX_LINE and parse_json_text(text) is not None
    return is_document and secrets.mask(text) == text == redact(text)


def _indented(text: str) -> str:
    """A JSON text with one member per line. Its strings and numbers stay exactly as they are."""
    depth, parts = 0, []
    tokens = _TOKEN.findall(text)
    for before, part in zip(["", *tokens], tokens, strict=False):
        depth -= part in _CLOSING
        is_new_line = before == "," or (before in _OPENING) != (part in _CLOSING)
        parts.append(f"\n{'  ' * depth}" if before and is_new_line else "")
        parts.append(": " if part == ":" else part)
        depth += part in _OPENING
    return "".join(parts)


def _split(text: str, secrets: Secrets) -> Sequence[str]:
    return sanitize(redact(secrets.mask(text))).split("\n")


def _lines(before: Sequence[str], after: Sequence[str]) -> Iterator[TextLine]:
    """The lines that differ, and some lines around them."""
    if len(before) * len(after) > _MAX_PAIRS:
        yield TextLine(LineKind.OMITTED, f"{len(before):,} lines before, {len(after):,} lines after")
        return
    shown = 0
    end = 0  # of the shown lines of the text before
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT):
        if (omitted := group[0][1] - end) > 0:
            yield TextLine(LineKind.OMITTED, f"{omitted:,} equal lines")
        for line in _group(group, before, after):
            shown += 1
            if shown > MAX_LINES:
                yield TextLine(LineKind.OMITTED, "more lines differ")
                return
            yield line
        end = group[-1][2]
    if (omitted := len(before) - end) > 0:
        yield TextLine(LineKind.OMITTED, f"{omitted:,} equal lines")


def _group(
    group: Sequence[tuple[str, int, int, int, int]], before: Sequence[str], after: Sequence[str]
) -> Iterator[TextLine]:
    for kind, i1, i2, j1, j2 in group:
        if kind == "equal":
            yield from (TextLine(LineKind.SAME, line) for line in before[i1:i2])
            continue
        yield from (TextLine(LineKind.REMOVED, line) for line in before[i1:i2])
        yield from (TextLine(LineKind.ADDED, line) for line in after[j1:j2])
