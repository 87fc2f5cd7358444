"""Differences that are too long for one line, in parts that each fit: members, elements, lines and words.

So nothing is cut off the end of a line but the rest of a single text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest

from tfruns.hcl.literals import Number
from tfruns.masking.secrets import Secrets
from tfruns.review.differences import VALUE, Difference, LineNumber, Step
from tfruns.review.values import UNKNOWN, Marked, canonical, fits, json_of

_LONGEST_COMPARED = 200_000  # characters of a text that is compared by lines or words
_UNITS_COMPARED = 250_000  # pairs of lines or words
_CONTEXT = 12  # characters before a difference within a line
_WORDS = re.compile(r"[^\s,;]+[\s,;]*|[\s,;]+")

_PLAIN = (str, int, float, Number, bool, type(None))


def expanded(difference: Difference, secrets: Secrets) -> Iterator[Difference]:
    """The parts of a difference, in order; the difference itself, where it fits on a line."""
    before, after = difference.before, difference.after
    if isinstance(before, str) and isinstance(after, str):
        yield from [difference] if difference.note else _texts(difference, before, after, secrets)
        return
    opened = _prepared(difference)
    before, after = opened.before, opened.after
    if _fits(before) and _fits(after):
        yield opened
    elif isinstance(before, list) and isinstance(after, list):
        yield _from_first_change(opened, before, after)
    elif _is_container(before) and (after is None or after is UNKNOWN):
        for step, value in _parts(before):
            yield from expanded(_part(opened, step, value, after), secrets)
    elif _is_container(after) and before is None:
        for step, value in _parts(after):
            yield from expanded(_part(opened, step, None, value), secrets)
    elif _is_container(before) or _is_container(after):
        yield from expanded(replace(opened, after=None), secrets)
        yield from expanded(replace(opened, before=None), secrets)
    else:
        yield opened


def _prepared(difference: Difference) -> Difference:
    """The difference with its long JSON texts opened, and without what tells nothing of a new or removed value."""
    before, after = _opened(difference.before), _opened(difference.after)
    if before is None:
        after = _without_empty(after)
    if after is None or after is UNKNOWN:
        before = _without_empty(before)
    return replace(difference, before=before, after=after)


def _opened(value: Marked) -> Marked:
    """The object or list in a JSON text that is too long for a line; any other value as it is."""
    if isinstance(value, str) and not _fits(value):
        found = json_of(value)
        return value if found is None else found
    return value


def _without_empty(value: Marked) -> Marked:
    """A new or removed value without its empty members, which tell nothing: null, empty texts, lists and objects."""
    if isinstance(value, dict):
        members = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in members.items() if item not in (None, "", [], {})}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _fits(value: Marked) -> bool:
    return (not _is_container(value) and not isinstance(value, str)) or fits(value, VALUE)


def _is_container(value: Marked) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _part(whole: Difference, step: Step, before: Marked, after: Marked) -> Difference:
    return replace(whole, path=(*whole.path, step), before=before, after=after)


def _parts(value: Marked) -> Iterator[tuple[Step, Marked]]:
    """The members of an object; the elements of a list, plain ones as many together as fit on a line."""
    if isinstance(value, dict):
        yield from value.items()
        return
    start = 0
    while start < len(value):
        end = _end_of_plain(value, start)
        if end - start > 1:
            yield range(start, end), value[start:end]
        else:
            yield start, value[start]
        start = end


def _end_of_plain(items: Sequence[Marked], start: int) -> int:
    """Up to which element the plain ones fit on a line together; one element at least."""
    end = start + 1
    while end < len(items) and all(type(item) in _PLAIN for item in items[start : end + 1]):
        if not fits(items[start : end + 1], VALUE):
            break
        end += 1
    return end


def _from_first_change(whole: Difference, before: Sequence[Marked], after: Sequence[Marked]) -> Difference:
    """Two long lists in another order, from the first element that differs."""
    pairs = enumerate(zip(before, after, strict=False))
    first = next((number for number, pair in pairs if canonical(pair[0]) != canonical(pair[1])), 0)
    note = f"{whole.note} from [{first}] on" if first else whole.note
    return replace(whole, before=before[first:], after=after[first:], note=note)


# -- texts ------------------------------------------------------------------------------------------------------------


def _texts(whole: Difference, before: str, after: str, secrets: Secrets) -> Iterator[Difference]:
    """The lines or words in which two long texts differ."""
    if max(len(before), len(after)) > _LONGEST_COMPARED or max(len(before), len(after)) <= VALUE:
        yield whole
        return
    first, second = secrets.hide(before), secrets.hide(after)
    if first == second:
        yield whole
    elif "\n" in before or "\n" in after:
        yield from _lines(whole, first.splitlines(), second.splitlines())
    else:
        yield from _words(whole, _WORDS.findall(first), _WORDS.findall(second))


def _lines(whole: Difference, before: Sequence[str], after: Sequence[str]) -> Iterator[Difference]:
    for one, other, start in _groups(before, after):
        for number, (old, new) in enumerate(zip_longest(one, other), start + 1):
            yield replace(whole, path=(*whole.path, LineNumber(number)), before=old, after=new)


def _words(whole: Difference, before: Sequence[str], after: Sequence[str]) -> Iterator[Difference]:
    groups = [*_groups(before, after)]
    if len(groups) < 2:
        yield whole
        return
    for one, other, start in groups:
        context = "".join(after[:start])[-_CONTEXT:]
        lead = f"…{context}" if len(context) == _CONTEXT else context
        yield replace(whole, before=f"{lead}{''.join(one)}", after=f"{lead}{''.join(other)}")


def _groups(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str], int]]:
    """The runs in which two sequences differ: the old run, the new one, and the position of the new one."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if len(old) * len(new) > _UNITS_COMPARED:
        yield old, new, start
        return
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield old[i1:i2], new[j1:j2], start + j1


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """How many elements two sequences have in common at their beginning."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(before), len(after)))
