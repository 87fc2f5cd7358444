"""Which attributes a change changes: what `terraform plan` draws with +, - and ~, as a list."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from tfruns.masking.secrets import HIDDEN, Secrets
from tfruns.masking.text import one_line
from tfruns.review.plan_document import Action, Change
from tfruns.review.values import CANONICAL_UNKNOWN, UNKNOWN, Marked, Sensitive, canonical, marked, written, written_pair

_VALUE = 80  # characters of a value that are shown
_KEY = 60
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_LONGEST_JSON = 50_000  # characters of a text that is looked into

_PLAIN = (str, int, bool)
_EMPTY: tuple[Marked, ...] = ([], {})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that changes.

    Attributes:
        path: keys and positions, from the resource down.
        before: None where it was null or absent.
        after: None where it will be.
        is_forcing: it is why the resource is replaced.
        note: what is to be known about it besides.
    """

    path: Path
    before: Marked
    after: Marked
    is_forcing: bool = False
    note: str = ""

    @property
    def is_computed(self) -> bool:
        return self.after is UNKNOWN

    @property
    def key(self) -> Marked:
        """What is equal for two resources that change alike; what is computed was never equal."""
        return [self.path, None if self.is_computed else self.before, self.after, self.is_forcing, self.note]

    def line(self, secrets: Secrets, *, is_new: bool = False) -> str:
        """The difference on one line: `ami: "old" -> "new" (forces replacement)`; of something new the value alone."""
        note = f" ({self.note})" if self.note else ""
        forcing = " (forces replacement)" if self.is_forcing else ""
        path = self.shown_path(secrets)
        if is_new:
            return f"{path}: {written(self.after, secrets, _VALUE)}{note}"
        before, after = written_pair(self.before, self.after, secrets, _VALUE)
        if before == after != HIDDEN and not note:
            note = " (they differ in what is not shown)"
        return f"{path}: {before} -> {after}{note}{forcing}"

    def shown_path(self, secrets: Secrets) -> str:
        """`tags["the key"].list[0]`; a key may be anything, and a secret."""
        parts: list[str] = []
        for key in self.path:
            shown = secrets.shown(str(key), _KEY)
            quoted = shown if isinstance(key, int) else json.dumps(shown, ensure_ascii=False)
            parts.append(f".{shown}" if _NAME.fullmatch(shown) else f"[{quoted}]")
        return one_line("".join(parts).removeprefix("."), 2 * _KEY) or "value"


def differences(change: Change) -> list[Difference]:
    """The attributes that change, those first that force a replacement, those last that will be known later.

    Of what is destroyed, forgotten or read, and of what only moves, there are none.
    """
    if change.action not in {Action.CREATE, Action.UPDATE, Action.REPLACE, Action.INVOKE, Action.UNKNOWN}:
        return []
    found = changed_values(change)
    is_new = change.action in {Action.CREATE, Action.INVOKE}
    return [difference for difference in found if difference.after not in _EMPTY] if is_new else found


def changed_values(change: Change) -> list[Difference]:
    """The attributes that are another after a change, whatever it does."""
    what = change.change
    before = marked(what.get("before"), what.get("before_sensitive"))
    after = marked(what.get("after"), what.get("after_sensitive"), what.get("after_unknown"))
    paths = what.get("replace_paths")
    forcing = [tuple(path) for path in paths if isinstance(path, list)] if isinstance(paths, list) else []
    found = _compare(before, after, (), forcing)
    return sorted(found, key=lambda difference: (not difference.is_forcing, difference.is_computed))


def _compare(before: Marked, after: Marked, path: Path, forcing: Collection[Path]) -> Iterator[Difference]:
    if before is None and after is None:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            one, other = before.get(key), after.get(key)
            if one is not other and not (type(one) is type(other) in _PLAIN and one == other):  # most are the same
                yield from _compare(one, other, (*path, key), forcing)
    elif isinstance(after, dict) and before is None and not path:
        yield from _compare({}, after, path, forcing)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(before, after, path, forcing)
    elif isinstance(before, str) and isinstance(after, str):
        if before != after:
            yield from _compare_texts(before, after, path, forcing)
    elif not _is_same(before, after):
        yield _difference(path, before, after, forcing)


def _is_same(before: Marked, after: Marked) -> bool:
    """Whether two values are the same; `true` is not 1, and what is not known yet is like nothing."""
    if UNKNOWN in (before, after) or isinstance(before, bool) is not isinstance(after, bool):
        return False
    if isinstance(before, Sensitive) and isinstance(after, Sensitive):
        return _is_same(before.value, after.value)
    return bool(before == after)


def _difference(path: Path, before: Marked, after: Marked, forcing: Collection[Path], note: str = "") -> Difference:
    if not note and isinstance(before, Sensitive) is not isinstance(after, Sensitive):
        note = _changed_mark(before, after)
    # A path that forces may end above this value, or lie within it.
    is_forcing = any(path[: len(other)] == other[: len(path)] for other in forcing)
    return Difference(path, before, after, is_forcing, note)


def _changed_mark(before: Marked, after: Marked) -> str:
    """What is to be said where only one side is sensitive, and the other there."""
    if before is None or after is None or UNKNOWN in (before, after):
        return ""
    becomes = "is sensitive from now on" if isinstance(after, Sensitive) else "is no longer sensitive"
    values = [side.value if isinstance(side, Sensitive) else side for side in (before, after)]
    return f"{becomes}; the value stays" if _is_same(*values) else becomes


def _compare_lists(
    before: Sequence[Marked], after: Sequence[Marked], path: Path, forcing: Collection[Path]
) -> Iterator[Difference]:
    """What is removed from a list, and what is added. JSON does not tell a set from a list, so places say little."""
    rest: dict[str, list[int]] = {}
    for place, item in enumerate(before):
        rest.setdefault(canonical(item), []).append(place)
    added = []
    for place, item in enumerate(after):
        text = canonical(item)
        if rest.get(text) and CANONICAL_UNKNOWN not in text:
            rest[text].pop(0)
        else:
            added.append(place)
    removed = sorted(place for places in rest.values() for place in places)
    if len(removed) == len(added) == 1:
        yield from _compare(before[removed[0]], after[added[0]], (*path, added[0]), forcing)
    elif not removed and not added:
        if [*map(canonical, before)] != [*map(canonical, after)]:
            yield _difference(path, before, after, forcing, note="the order changes")
    else:
        for place in removed:
            yield _difference((*path, place), before[place], None, forcing)
        for place in added:
            yield _difference((*path, place), None, after[place], forcing)


def _compare_texts(before: str, after: str, path: Path, forcing: Collection[Path]) -> Iterator[Difference]:
    """Two texts that differ; by key, if both are JSON objects or lists, as policies are."""
    documents = _json_of(before), _json_of(after)
    if None in documents or type(documents[0]) is not type(documents[1]):
        yield _difference(path, before, after, forcing)
        return
    found = list(_compare(*documents, path, forcing))
    yield from found or [_difference(path, before, after, forcing, note="the same JSON, written in another way")]


def _json_of(text: str) -> Any:
    """The object or list that a text is; None if it is neither."""
    if text.lstrip()[:1] not in {"{", "["} or len(text) > _LONGEST_JSON:
        return None
    try:
        return from_json(text)
    except ValueError:
        return None
