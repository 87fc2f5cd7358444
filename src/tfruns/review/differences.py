"""Which attributes a change changes: what `terraform plan` draws with +, - and ~, as a list."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize

from tfruns.masking.secrets import HIDDEN, Secrets
from tfruns.review.pairing import name_of, pairing
from tfruns.review.plan_document import Action, Change
from tfruns.review.values import UNKNOWN, Marked, Sensitive, canonical, json_of, marked, written, written_pair

VALUE = 120  # characters of a value on a line
_KEY = 60
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_LABEL = 40  # characters of a value in a label
_LABELS = 3  # members of a list element by which it is told from the others

_PLAIN = (str, int, bool)
_EMPTY: tuple[Marked, ...] = ([], {})


class LineNumber(int):
    """A line of a text, as the last step of a path; the first one is 1."""


Step = str | int | range | LineNumber
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that changes.

    Attributes:
        path: keys and positions, from the resource down.
        before: None where it was null or absent.
        after: None where it will be null or absent.
        is_forcing: it is the reason for a replacement.
        note: what to know besides.
        label: members of the list element that tell it from the others of its list.
    """

    path: Path
    before: Marked
    after: Marked
    is_forcing: bool = False
    note: str = ""
    label: Mapping[str, Any] | None = None

    @property
    def is_computed(self) -> bool:
        return self.after is UNKNOWN

    @property
    def is_plain_computed(self) -> bool:
        """Whether it is known after the apply, forces no replacement, and was no JSON text before."""
        was_json = isinstance(self.before, str) and json_of(self.before) is not None
        return self.is_computed and not self.is_forcing and not was_json

    @property
    def key(self) -> Marked:
        """What is equal for two resources that change alike. A computed value, such as an id, may differ before."""
        before = None if self.is_plain_computed else self.before
        return [self.path, before, self.after, self.is_forcing, self.note, self.label]

    def line(self, secrets: Secrets, *, is_new: bool = False) -> str:
        """The difference on one line: `ami: "old" -> "new" (forces replacement)`; of something new the value alone."""
        path, notes = self.shown_path(secrets), self.notes(secrets)
        if is_new:
            return f"{path}: {written(self.after, secrets, VALUE)}{notes}"
        before, after = written_pair(self.before, self.after, secrets, VALUE)
        if before != HIDDEN and normalize("NFC", before) == normalize("NFC", after) and not self.note:
            notes = f" (they differ in what is not shown){notes}"
        return f"{path}: {before} -> {after}{notes}"

    def notes(self, secrets: Secrets) -> str:
        """What to know besides the values, each in parentheses."""
        members = ", ".join(
            f"{secrets.shown(key, _KEY)}: {written(value, secrets, _LABEL)}"
            for key, value in (self.label or {}).items()
        )
        label = f"where {members}" if members else ""
        forcing = "forces replacement" if self.is_forcing else ""
        return "".join(f" ({note})" for note in (self.note, label, forcing) if note)

    def shown_path(self, secrets: Secrets, key_length: int = _KEY) -> str:
        """`tags["the key"].list[0]`; a key may be anything, and a secret. Of a long path the end is shown."""
        path = "".join(_shown_step(step, secrets, key_length) for step in self.path).removeprefix(".")
        if len(path) > 2 * key_length:
            path = f"…{path[1 - 2 * key_length :]}"
        return path or "value"


def _shown_step(step: Step, secrets: Secrets, length: int) -> str:
    if isinstance(step, LineNumber):
        return f" line {step}"
    if isinstance(step, range):
        return f"[{step.start}-{step.stop - 1}]"
    if isinstance(step, int):
        return f"[{step}]"
    shown = secrets.shown(str(step), length)
    return f".{shown}" if _NAME.fullmatch(shown) else f"[{json.dumps(shown, ensure_ascii=False)}]"


def differences(change: Change) -> list[Difference]:
    """The attributes that change: those that force a replacement first, those that are known later last.

    An object that is destroyed, forgotten, read or only moved has none.
    """
    if change.action not in {Action.CREATE, Action.UPDATE, Action.REPLACE, Action.INVOKE, Action.UNKNOWN}:
        return []
    found = changed_values(change)
    is_new = change.action in {Action.CREATE, Action.INVOKE}
    return [difference for difference in found if difference.after not in _EMPTY] if is_new else found


def changed_values(change: Change) -> list[Difference]:
    """The attributes that differ after a change, whatever it does."""
    values = change.change
    before = marked(values.get("before"), values.get("before_sensitive"))
    after = marked(values.get("after"), values.get("after_sensitive"), values.get("after_unknown"))
    found = _compare(before, after, _Place((), _Forcing.of(values.get("replace_paths"))))
    return sorted(found, key=lambda difference: (not difference.is_forcing, difference.is_computed))


@dataclass(frozen=True, slots=True)
class _Forcing:
    """The paths that force a replacement.

    Attributes:
        paths: these paths.
        beginnings: every beginning of one of them, the whole path included.
    """

    paths: frozenset[Path]
    beginnings: frozenset[Path]

    @classmethod
    def of(cls, given: Any) -> "_Forcing":
        lists = [path for path in given if isinstance(path, list)] if isinstance(given, list) else []
        paths = frozenset(tuple(path) for path in lists if all(isinstance(step, str | int) for step in path))
        return cls(paths, frozenset(path[:length] for path in paths for length in range(len(path) + 1)))

    def includes(self, path: Path) -> bool:
        """Whether a path that forces a replacement ends above this value, at it, or lies within it."""
        return path in self.beginnings or any(path[:length] in self.paths for length in range(len(path)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where two values are compared.

    Attributes:
        path: from the resource down.
        forcing: the paths that force a replacement.
        label: of the innermost list element that has one.
    """

    path: Path
    forcing: _Forcing
    label: Mapping[str, Any] | None = None

    def at(self, step: Step) -> "_Place":
        return _Place((*self.path, step), self.forcing, self.label)

    @property
    def is_forcing(self) -> bool:
        return self.forcing.includes(self.path)


def _compare(before: Marked, after: Marked, place: _Place) -> Iterator[Difference]:
    if before is None and after is None:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            one, other = before.get(key), after.get(key)
            if one is not other and not (type(one) is type(other) in _PLAIN and one == other):  # most are the same
                yield from _compare(one, other, place.at(key))
    elif isinstance(after, dict) and before is None and not place.path:
        yield from _compare({}, after, place)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(before, after, place)
    elif isinstance(before, str) and isinstance(after, str):
        if before != after:
            yield from _compare_texts(before, after, place)
    elif not _is_same(before, after):
        yield _difference(place, before, after)


def _is_same(before: Marked, after: Marked) -> bool:
    """Whether two values are the same; `true` is not 1, and an unknown value equals nothing."""
    if UNKNOWN in (before, after) or isinstance(before, bool) is not isinstance(after, bool):
        return False
    if isinstance(before, Sensitive) and isinstance(after, Sensitive):
        return _is_same(before.value, after.value)
    return bool(before == after)


def _difference(place: _Place, before: Marked, after: Marked, note: str = "") -> Difference:
    if not note and isinstance(before, Sensitive) is not isinstance(after, Sensitive):
        note = _changed_mark(before, after)
    return Difference(place.path, before, after, place.is_forcing, note, place.label)


def _changed_mark(before: Marked, after: Marked) -> str:
    """The note where only one of two existing values is sensitive."""
    if before is None or after is None or UNKNOWN in (before, after):
        return ""
    becomes = "is sensitive from now on" if isinstance(after, Sensitive) else "is no longer sensitive"
    values = [side.value if isinstance(side, Sensitive) else side for side in (before, after)]
    return f"{becomes}; the value stays" if _is_same(*values) else becomes


def _compare_lists(before: Sequence[Marked], after: Sequence[Marked], place: _Place) -> Iterator[Difference]:
    """The elements that became others, then those that are removed, and those that are added."""
    found = pairing(before, after)
    is_one = max(len(before), len(after)) == 1
    for one, other in found.pairs:
        label = None if is_one else _label(before[one], after[other])
        inner = place.at(other)
        yield from _compare(before[one], after[other], replace(inner, label=label) if label else inner)
    for number in found.removed:
        yield _difference(place.at(number), before[number], None)
    for number in found.added:
        yield _difference(place.at(number), None, after[number])
    if not (found.pairs or found.removed or found.added) and [*map(canonical, before)] != [*map(canonical, after)]:
        yield _difference(place, before, after, note="the order changes")


def _label(before: Marked, after: Marked) -> Mapping[str, Any] | None:
    """The members that identify an element: its name, or the first that stay as they are."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return None
    name = name_of(after)
    if name is not None and name == name_of(before):
        return {name[0]: after[name[0]]}
    same = [key for key, value in after.items() if type(value) in _PLAIN and value and value == before.get(key)]
    return {key: after[key] for key in same[:_LABELS]} or None


def _compare_texts(before: str, after: str, place: _Place) -> Iterator[Difference]:
    """Two texts that differ; by key, if both are JSON objects or lists, as policies are."""
    documents = json_of(before), json_of(after)
    if None in documents or type(documents[0]) is not type(documents[1]):
        yield _difference(place, before, after)
        return
    found = list(_compare(*documents, place))
    is_same = documents[0] == documents[1]
    note = "the same JSON, written in another way" if is_same else "members that are null are added or removed"
    yield from found or [_difference(place, before, after, note=note)]
