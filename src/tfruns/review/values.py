"""The values of a change: marked with what Terraform says of them, and written short.

A marked value is JSON in which whatever is sensitive stands in a `Sensitive`, and whatever is not known yet is
`UNKNOWN`. Two of them can be compared without a look at the marks.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tfruns.masking.plan_values import is_number, number_text
from tfruns.masking.secrets import HIDDEN, Secrets
from tfruns.masking.text import one_line
from tfruns.review.exact_json import encode_number, is_deeper, read_json
from tfruns.review.text import common_beginning

_LONGEST_TEXT = 50_000  # characters; of a longer one only its length is shown, since masking takes time
_LONGEST_JSON = 200_000  # characters of a text that is parsed
_DEEPEST_JSON = 32  # levels of objects and lists in such a text
_OFTEN_QUOTED = "\\" * 7  # in a JSON text that holds a JSON text that holds one, and so on
_CONTEXT = 12  # characters that are shown before the first difference of two long texts


class _Unknown:
    """What is not known before the apply."""

    def __str__(self) -> str:
        return "(known after apply)"


UNKNOWN = _Unknown()


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A value that is not shown, and can be compared."""

    value: Any

    def __str__(self) -> str:
        return HIDDEN


Marked = Any
"""JSON, with these two in it."""


def marked(value: Any, sensitive: Any, unknown: Any = None) -> Marked:
    """A value with its marks, which have its shape. What is not marked is the value itself."""
    if sensitive is True:
        return Sensitive(UNKNOWN if _is_any(unknown) else value)
    if unknown is True or (value is None and _is_any(unknown)):
        return UNKNOWN
    if not sensitive and not unknown:
        return value
    if isinstance(value, dict):
        of_keys, unknowns = _object(sensitive), _object(unknown)
        keys = dict.fromkeys([*value, *unknowns])
        return {key: marked(value.get(key), of_keys.get(key), unknowns.get(key)) for key in keys}
    if isinstance(value, list):
        items = _with_unknown(value, unknown)
        return [marked(item, _at(sensitive, place), _at(unknown, place)) for place, item in enumerate(items)]
    return value if value is None or not sensitive else Sensitive(value)


def _with_unknown(items: list[Any], unknown: Any) -> list[Any]:
    """The elements, with null for those that are unknown: an old Terraform omits them from sets and tuples."""
    if not isinstance(unknown, list) or len(unknown) <= len(items):
        return items
    known = iter(items)
    return [None if mark is True else next(known, None) for mark in unknown]


def _object(marks: Any) -> Mapping[str, Any]:
    return marks if isinstance(marks, dict) else {}


def _at(marks: Any, place: int) -> Any:
    return marks[place] if isinstance(marks, list) and place < len(marks) else None


def _is_any(marks: Any) -> bool:
    """Whether anything at all is marked."""
    if isinstance(marks, dict):
        return any(map(_is_any, marks.values()))
    return any(map(_is_any, marks)) if isinstance(marks, list) else marks is True


def canonical(value: Marked) -> str:
    """The one way to write a marked value, to compare by. It may hold secrets."""
    return _compact(value, lambda mark: mark.value)


def likeness(value: Marked) -> str:
    """The same, but all sensitive values are alike: two values that look the same have the same."""
    return _compact(value, lambda _: True)


_UNKNOWN_MARK = {"(unknown)": True}
CANONICAL_UNKNOWN = '{"(unknown)":true}'
"""What is in the canonical text of a value of which something is not known."""


def _compact(value: Marked, of_sensitive: Callable[[Sensitive], Any]) -> str:
    def encoded(mark: Any) -> Any:
        if isinstance(mark, Sensitive):
            return {"(sensitive)": of_sensitive(mark)}
        return _UNKNOWN_MARK if mark is UNKNOWN else encode_number(mark)

    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=encoded)


def json_of(text: str) -> Any:
    """The object or list that a text is; None if it is neither, or too deep to be shown by its parts."""
    if text.lstrip()[:1] not in {"{", "["} or len(text) > _LONGEST_JSON or _OFTEN_QUOTED in text:
        return None
    try:
        found = read_json(text.encode())
    except ValueError:
        return None
    return None if is_deeper(found, _DEEPEST_JSON) else found


def fits(value: Marked, length: int) -> bool:
    """Whether a value can be written in so many characters. Texts count as they are, before anything is masked."""
    return _left(value, length) >= 0


def _left(value: Marked, length: int) -> int:
    """How many of the characters are left once the value is written; negative if it does not fit."""
    if isinstance(value, dict | list):
        length -= 2 if not value else 0  # the brackets; without a comma before the first part
        for part in value.items() if isinstance(value, dict) else ((None, item) for item in value):
            key, item = part
            length = _left(item, length - (2 if key is None else len(key) + 6))
            if length < 0:
                break
        return length
    return length - (len(value) + 2 if isinstance(value, str) else len(str(value)))


# -- written short ----------------------------------------------------------------------------------------------------


def written(value: Marked, secrets: Secrets, length: int) -> str:
    """A value on one line of so many characters at most, without secrets."""
    parts: list[str] = []
    left = length
    for part in _parts(value, secrets, length):
        parts.append(part)
        left -= len(part)
        if left < 0:
            return "".join(parts)[: length - 1] + "…"
    return "".join(parts)


def written_pair(before: Marked, after: Marked, secrets: Secrets, length: int) -> tuple[str, str]:
    """Two values that differ; two long texts from where they do."""
    if not (isinstance(before, str) and isinstance(after, str)) or max(len(before), len(after)) <= length:
        return written(before, secrets, length), written(after, secrets, length)
    if max(len(before), len(after)) > _LONGEST_TEXT:
        return written(before, secrets, length), written(after, secrets, length)
    texts = [secrets.shown(text, 2 * _LONGEST_TEXT) for text in (before, after)]
    start = max(common_beginning(*texts) - _CONTEXT, 0)
    first, second = (one_line(f"{'…' if start else ''}{text[start:]}", length) for text in texts)
    return json.dumps(first, ensure_ascii=False), json.dumps(second, ensure_ascii=False)


def _parts(value: Marked, secrets: Secrets, length: int) -> Iterator[str]:
    """The parts of which a value's text is made, each of them bounded."""
    if isinstance(value, str):
        yield _text(value, secrets, length)
    elif isinstance(value, dict):
        yield "{"
        members = [(key, item) for key, item in value.items() if item is not None]
        for place, (key, item) in enumerate(members):
            yield f"{', ' if place else ''}{_text(key, secrets, length)}: "
            yield from _parts(item, secrets, length)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for place, item in enumerate(value):
            yield ", " if place else ""
            yield from _parts(item, secrets, length)
        yield "]"
    elif isinstance(value, Sensitive | _Unknown):
        yield str(value)
    else:
        yield plain_text(value, secrets)


def plain_text(value: Any, secrets: Secrets) -> str:
    """A number as Terraform writes it; a boolean, null, or an empty list or object."""
    if not is_number(value):
        return json.dumps(value)
    return number_text(value) if secrets.hide_in(value) is value else HIDDEN


def _text(text: str, secrets: Secrets, length: int) -> str:
    if len(text) > _LONGEST_TEXT:
        return f"({len(text):,} characters)"
    shown = secrets.shown(text, length)
    return HIDDEN if shown == HIDDEN else json.dumps(shown, ensure_ascii=False)
