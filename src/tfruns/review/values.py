"""The values of a change, combined with Terraform's marks, and their short form.

A marked value is JSON in which each sensitive value is wrapped in `Sensitive`, and each value that is known only
after apply is `UNKNOWN`. Two marked values can be compared directly.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfruns.masking.plan_values import is_number, number_text
from tfruns.masking.secrets import MASKED, Secrets
from tfruns.masking.text import one_line
from tfruns.review.exact_json import encode_number, is_nested_deeper_than, read_json

_MAX_STRING = 50_000  # characters; for a longer string only the length is shown, because masking takes time
_MAX_JSON = 200_000  # characters of a string that is parsed as JSON
_MAX_JSON_DEPTH = 32  # levels of objects and lists in such a string
_NESTED_QUOTES = "\\" * 7  # occurs where a JSON string contains a JSON string that contains another one
_CONTEXT = 12  # characters that are shown before the first difference of two long strings


class _Unknown:
    """A value that is known only after apply."""

    def __str__(self) -> str:
        return "(known after apply)"


UNKNOWN = _Unknown()


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A value that can be compared but is not shown."""

    value: Any

    def __str__(self) -> str:
        return MASKED


MarkedValue = Any
"""JSON that may contain `Sensitive` and `UNKNOWN`."""


def apply_marks(value: Any, sensitive: Any, unknown: Any = None) -> MarkedValue:
    """Combine a value with its marks, which mirror its structure. A part without a mark stays as it is."""
    if sensitive is True:
        return Sensitive(UNKNOWN if _is_any(unknown) else value)
    if unknown is True or (value is None and _is_any(unknown)):
        return UNKNOWN
    if not sensitive and not unknown:
        return value
    if isinstance(value, dict):
        of_keys, unknowns = _object(sensitive), _object(unknown)
        keys = dict.fromkeys([*value, *unknowns])
        return {key: apply_marks(value.get(key), of_keys.get(key), unknowns.get(key)) for key in keys}
    if isinstance(value, list):
        items = _with_unknown(value, unknown)
        return [apply_marks(item, _at(sensitive, n), _at(unknown, n)) for n, item in enumerate(items)]
    return value if value is None or not sensitive else Sensitive(value)


def _with_unknown(items: list[Any], unknown: Any) -> list[Any]:
    """The elements, with null for each unknown one, which old Terraform versions omit from sets and tuples."""
    if not isinstance(unknown, list) or len(unknown) <= len(items):
        return items
    known = iter(items)
    return [None if mark is True else next(known, None) for mark in unknown]


def _object(marks: Any) -> Mapping[str, Any]:
    return marks if isinstance(marks, dict) else {}


def _at(marks: Any, index: int) -> Any:
    return marks[index] if isinstance(marks, list) and index < len(marks) else None


def _is_any(marks: Any) -> bool:
    """Whether any part is marked."""
    if isinstance(marks, dict):
        return any(map(_is_any, marks.values()))
    return any(map(_is_any, marks)) if isinstance(marks, list) else marks is True


def canonical_json(value: MarkedValue) -> str:
    """The canonical JSON of a marked value, for comparisons. It may contain secrets."""
    return _compact(value, lambda mark: mark.value)


def canonical_masked(value: MarkedValue) -> str:
    """Canonical JSON in which all sensitive values are equal, so that values that look the same compare equal."""
    return _compact(value, lambda _: True)


_UNKNOWN_MARK = {"(unknown)": True}
CANONICAL_UNKNOWN = '{"(unknown)":true}'
"""Occurs in the canonical JSON of every value that is partly unknown."""


def _compact(value: MarkedValue, of_sensitive: Callable[[Sensitive], Any]) -> str:
    def encoded(mark: Any) -> Any:
        if isinstance(mark, Sensitive):
            return {"(sensitive)": of_sensitive(mark)}
        return _UNKNOWN_MARK if mark is UNKNOWN else encode_number(mark)

    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=encoded)


def parse_json_text(text: str) -> Any:
    """Parse a string that is a JSON object or list; None for any other string, or if it is nested too deeply.

    A text in which a key is repeated is not parsed: its readers differ in the value that they take.
    """
    if text.lstrip()[:1] not in {"{", "["} or len(text) > _MAX_JSON or _NESTED_QUOTES in text:
        return None
    try:
        found = read_json(text.encode())
        json.loads(text, object_pairs_hook=_distinct, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return None
    return None if is_nested_deeper_than(found, _MAX_JSON_DEPTH) else found


def _distinct(members: list[tuple[str, Any]]) -> None:
    if len(dict(members)) < len(members):
        raise ValueError("a key is repeated")


def common_prefix_length(before: Sequence[str], after: Sequence[str]) -> int:
    """The number of characters (or lines, or words) that two sequences have in common at the start."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(before), len(after)))


def fits(value: MarkedValue, length: int) -> bool:
    """Whether the short form of a value has at most `length` characters. Strings count before masking."""
    return _remaining(value, length) >= 0


def _remaining(value: MarkedValue, length: int) -> int:
    """The number of characters that remain after the value; negative if it does not fit."""
    if isinstance(value, dict | list):
        length -= 2 if not value else 0  # the brackets; without a comma before the first part
        for part in value.items() if isinstance(value, dict) else ((None, item) for item in value):
            key, item = part
            length = _remaining(item, length - (2 if key is None else len(key) + 6))
            if length < 0:
                break
        return length
    return length - (len(value) + 2 if isinstance(value, str) else len(str(value)))


# -- the short form ---------------------------------------------------------------------------------------------------


def format_value(value: MarkedValue, secrets: Secrets, length: int) -> str:
    """Format a value on one line of at most `length` characters, without secrets."""
    parts: list[str] = []
    left = length
    for part in _parts(value, secrets, length):
        parts.append(part)
        left -= len(part)
        if left < 0:
            return "".join(parts)[: length - 1] + "…"
    return "".join(parts)


def format_pair(before: MarkedValue, after: MarkedValue, secrets: Secrets, length: int) -> tuple[str, str]:
    """Format two different values. Long strings start shortly before their first difference."""
    if not (isinstance(before, str) and isinstance(after, str)) or max(len(before), len(after)) <= length:
        return format_value(before, secrets, length), format_value(after, secrets, length)
    if max(len(before), len(after)) > _MAX_STRING:
        return format_value(before, secrets, length), format_value(after, secrets, length)
    texts = [secrets.safe_line(text, 2 * _MAX_STRING) for text in (before, after)]
    start = max(common_prefix_length(*texts) - _CONTEXT, 0)
    first, second = (one_line(f"{'…' if start else ''}{text[start:]}", length) for text in texts)
    return json.dumps(first, ensure_ascii=False), json.dumps(second, ensure_ascii=False)


def _parts(value: MarkedValue, secrets: Secrets, length: int) -> Iterator[str]:
    """The parts of the short form, each of bounded length."""
    if isinstance(value, str):
        yield _text(value, secrets, length)
    elif isinstance(value, dict):
        yield "{"
        members = [(key, item) for key, item in value.items() if item is not None]
        for n, (key, item) in enumerate(members):
            yield f"{', ' if n else ''}{_text(key, secrets, length)}: "
            yield from _parts(item, secrets, length)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for n, item in enumerate(value):
            yield ", " if n else ""
            yield from _parts(item, secrets, length)
        yield "]"
    elif isinstance(value, Sensitive | _Unknown):
        yield str(value)
    else:
        yield format_scalar(value, secrets)


def format_scalar(value: Any, secrets: Secrets) -> str:
    """Format a number as Terraform does, or a boolean, null, or an empty list or object."""
    if not is_number(value):
        return json.dumps(value)
    return number_text(value) if secrets.mask_document(value) is value else MASKED


def _text(text: str, secrets: Secrets, length: int) -> str:
    if len(text) > _MAX_STRING:
        return f"({len(text):,} characters)"
    shown = secrets.safe_line(text, length)
    return MASKED if shown == MASKED else json.dumps(shown, ensure_ascii=False)
