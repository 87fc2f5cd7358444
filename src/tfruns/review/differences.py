"""The attributes that a change affects: the lines that `terraform plan` marks with +, - and ~."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize

from tfruns.masking.secrets import MASKED, Secrets
from tfruns.review.element_pairs import name_of, pair_elements
from tfruns.review.plan_document import Action, Change
from tfruns.review.values import (
    UNKNOWN,
    MarkedValue,
    Sensitive,
    apply_marks,
    canonical_json,
    format_pair,
    format_value,
    parse_json_text,
)

MAX_VALUE = 120  # characters of a value on a line
_KEY = 60
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_LABEL = 40  # characters of a value in a label
_MAX_LABELS = 3  # members in a label

_SCALARS = (str, int, bool)
_EMPTY: tuple[MarkedValue, ...] = ([], {})


class LineNumber(int):
    """The number of a line in a string, from 1, as the last step of a path."""


PathStep = str | int | range | LineNumber
AttributePath = tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that changes.

    Attributes:
        path: the keys and indexes from the resource to the attribute.
        before: the value before; None if it was null or absent.
        after: the value after; None if it will be null or absent.
        is_forcing: whether it forces the replacement of the resource.
        note: a remark for the reader.
        label: members that identify the list element that contains the attribute.
    """

    path: AttributePath
    before: MarkedValue
    after: MarkedValue
    is_forcing: bool = False
    note: str = ""
    label: Mapping[str, Any] | None = None

    @property
    def is_computed(self) -> bool:
        return self.after is UNKNOWN

    @property
    def is_plain_computed(self) -> bool:
        """Whether it is known only after apply, forces no replacement, and was not a JSON document before."""
        was_json = isinstance(self.before, str) and parse_json_text(self.before) is not None
        return self.is_computed and not self.is_forcing and not was_json

    @property
    def comparison_key(self) -> MarkedValue:
        """Equal for two resources with the same change. The old value of a computed attribute may differ."""
        before = None if self.is_plain_computed else self.before
        return [self.path, before, self.after, self.is_forcing, self.note, self.label]

    def line(self, secrets: Secrets, *, is_new: bool = False) -> str:
        """Format the difference: `ami: "old" -> "new" (forces replacement)`, or only the value if `is_new`."""
        path, notes = self.shown_path(secrets), self.notes(secrets)
        if is_new:
            return f"{path}: {format_value(self.after, secrets, MAX_VALUE)}{notes}"
        before, after = format_pair(self.before, self.after, secrets, MAX_VALUE)
        if before != MASKED and normalize("NFC", before) == normalize("NFC", after) and not self.note:
            notes = f" (the difference is not visible){notes}"
        return f"{path}: {before} -> {after}{notes}"

    def notes(self, secrets: Secrets) -> str:
        """The note, the label and whether it forces replacement, each in parentheses."""
        members = ", ".join(
            f"{secrets.safe_line(key, _KEY)}: {format_value(value, secrets, _LABEL)}"
            for key, value in (self.label or {}).items()
        )
        label = f"where {members}" if members else ""
        forcing = "forces replacement" if self.is_forcing else ""
        return "".join(f" ({note})" for note in (self.note, label, forcing) if note)

    def shown_path(self, secrets: Secrets, key_length: int = _KEY) -> str:
        """Format the path: `tags["the key"].list[0]`. Keys are masked. Of a long path, only the end is shown."""
        path = "".join(_shown_step(step, secrets, key_length) for step in self.path).removeprefix(".")
        if len(path) > 2 * key_length:
            path = f"…{path[1 - 2 * key_length :]}"
        return path or "value"


def _shown_step(step: PathStep, secrets: Secrets, length: int) -> str:
    if isinstance(step, LineNumber):
        return f" line {step}"
    if isinstance(step, range):
        return f"[{step.start}-{step.stop - 1}]"
    if isinstance(step, int):
        return f"[{step}]"
    shown = secrets.safe_line(str(step), length)
    return f".{shown}" if _NAME.fullmatch(shown) else f"[{json.dumps(shown, ensure_ascii=False)}]"


def differences(change: Change) -> list[Difference]:
    """The attributes that change: first those that force a replacement, last those that are known only after apply.

    An object that is destroyed, forgotten, read or only moved has no differences.
    """
    if change.action not in {Action.CREATE, Action.UPDATE, Action.REPLACE, Action.INVOKE, Action.UNKNOWN}:
        return []
    found = changed_values(change)
    is_new = change.action in {Action.CREATE, Action.INVOKE}
    return [difference for difference in found if difference.after not in _EMPTY] if is_new else found


def changed_values(change: Change) -> list[Difference]:
    """The attributes with different values before and after, for any action."""
    values = change.change
    before = apply_marks(values.get("before"), values.get("before_sensitive"))
    after = apply_marks(values.get("after"), values.get("after_sensitive"), values.get("after_unknown"))
    found = _compare(before, after, _Location((), _ReplacePaths.of(values.get("replace_paths"))))
    return sorted(found, key=lambda difference: (not difference.is_forcing, difference.is_computed))


@dataclass(frozen=True, slots=True)
class _ReplacePaths:
    """The paths that force a replacement.

    Attributes:
        paths: the paths.
        prefixes: all prefixes of the paths, including the paths themselves.
    """

    paths: frozenset[AttributePath]
    prefixes: frozenset[AttributePath]

    @classmethod
    def of(cls, given: Any) -> "_ReplacePaths":
        lists = [path for path in given if isinstance(path, list)] if isinstance(given, list) else []
        paths = frozenset(tuple(path) for path in lists if all(isinstance(step, str | int) for step in path))
        return cls(paths, frozenset(path[:length] for path in paths for length in range(len(path) + 1)))

    def includes(self, path: AttributePath) -> bool:
        """Whether a path that forces a replacement is equal to, above or below this path."""
        return path in self.prefixes or any(path[:length] in self.paths for length in range(len(path)))


@dataclass(frozen=True, slots=True)
class _Location:
    """The location of two values that are compared.

    Attributes:
        path: the path from the resource.
        forcing: the paths that force a replacement.
        label: the label of the innermost list element that has one.
    """

    path: AttributePath
    forcing: _ReplacePaths
    label: Mapping[str, Any] | None = None

    def at(self, step: PathStep) -> "_Location":
        return _Location((*self.path, step), self.forcing, self.label)

    @property
    def is_forcing(self) -> bool:
        return self.forcing.includes(self.path)


def _compare(before: MarkedValue, after: MarkedValue, location: _Location) -> Iterator[Difference]:
    if before is None and after is None:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            one, other = before.get(key), after.get(key)
            is_same_scalar = type(one) is type(other) in _SCALARS and one == other
            if one is not other and not is_same_scalar:
                yield from _compare(one, other, location.at(key))
    elif isinstance(after, dict) and before is None and not location.path:
        yield from _compare({}, after, location)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(before, after, location)
    elif isinstance(before, str) and isinstance(after, str):
        if before != after:
            yield from _compare_strings(before, after, location)
    elif not _is_same(before, after):
        yield _difference(location, before, after)


def _is_same(before: MarkedValue, after: MarkedValue) -> bool:
    """Whether two values are equal. `true` is not 1, and an unknown value equals nothing."""
    if UNKNOWN in (before, after) or isinstance(before, bool) is not isinstance(after, bool):
        return False
    if isinstance(before, Sensitive) and isinstance(after, Sensitive):
        return _is_same(before.value, after.value)
    return bool(before == after)


def _difference(location: _Location, before: MarkedValue, after: MarkedValue, note: str = "") -> Difference:
    if not note and isinstance(before, Sensitive) is not isinstance(after, Sensitive):
        note = _sensitivity_note(before, after)
    if isinstance(after, Sensitive) and before is not None:
        before = before if isinstance(before, Sensitive) else Sensitive(before)  # the same secret, before it was marked
    return Difference(location.path, before, after, location.is_forcing, note, location.label)


def _sensitivity_note(before: MarkedValue, after: MarkedValue) -> str:
    """The note if exactly one of two existing values is sensitive."""
    if before is None or after is None or UNKNOWN in (before, after):
        return ""
    if isinstance(after, Sensitive):
        becomes = "becomes sensitive"
    else:
        becomes = "is sensitive only in part" if _contains_sensitive(after) else "is no longer sensitive"
    values = [side.value if isinstance(side, Sensitive) else side for side in (before, after)]
    return f"{becomes}; the value is unchanged" if _is_same(*values) else becomes


def _contains_sensitive(value: MarkedValue) -> bool:
    if isinstance(value, dict | list):
        return any(map(_contains_sensitive, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Sensitive)


def _compare_lists(
    before: Sequence[MarkedValue], after: Sequence[MarkedValue], location: _Location
) -> Iterator[Difference]:
    """Compare two lists: first the elements that change, then those that are removed, then those that are added."""
    found = pair_elements(before, after)
    is_one = max(len(before), len(after)) == 1
    for one, other in found.pairs:
        label = None if is_one else _label(before[one], after[other])
        inner = location.at(other)
        yield from _compare(before[one], after[other], replace(inner, label=label) if label else inner)
    for number in found.removed:
        yield _difference(location.at(number), before[number], None)
    for number in found.added:
        yield _difference(location.at(number), None, after[number])
    has_same_elements = not (found.pairs or found.removed or found.added)
    if has_same_elements and [*map(canonical_json, before)] != [*map(canonical_json, after)]:
        yield _difference(location, before, after, note="the order changes")


def _label(before: MarkedValue, after: MarkedValue) -> Mapping[str, Any] | None:
    """The members that identify an element: its name, or else the first unchanged members."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return None
    name = name_of(after)
    if name is not None and name == name_of(before):
        return {name[0]: after[name[0]]}
    same = [key for key, value in after.items() if type(value) in _SCALARS and value and value == before.get(key)]
    return {key: after[key] for key in same[:_MAX_LABELS]} or None


def _compare_strings(before: str, after: str, location: _Location) -> Iterator[Difference]:
    """Compare two strings; by member if both are JSON documents, such as policies."""
    documents = parse_json_text(before), parse_json_text(after)
    if None in documents or type(documents[0]) is not type(documents[1]):
        yield _difference(location, before, after)
        return
    found = list(_compare(*documents, location))
    is_same = documents[0] == documents[1]
    note = "the same JSON, formatted differently" if is_same else "only null members are added or removed"
    yield from found or [_difference(location, before, after, note=note)]
