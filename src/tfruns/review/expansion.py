"""Splitting of differences that are too long for one line into members, elements, lines and words.

As a result, a line only ever truncates a single string.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest

from tfruns.hcl.literals import Number
from tfruns.masking.secrets import Secrets
from tfruns.review.differences import MAX_VALUE, Difference, LineNumber, PathStep
from tfruns.review.values import UNKNOWN, MarkedValue, canonical_json, common_prefix_length, fits, parse_json_text

_MAX_COMPARED = 200_000  # characters of a string that is compared by lines or words
_MAX_PAIRS = 250_000  # pairs of lines or words
_CONTEXT = 12  # characters before a difference within a line
_WORDS = re.compile(r"[^\s,;]+[\s,;]*|[\s,;]+")

_SCALARS = (str, int, float, Number, bool, type(None))


def expand(difference: Difference, secrets: Secrets) -> Iterator[Difference]:
    """The parts of a difference in order, or the difference itself if it fits on a line."""
    before, after = difference.before, difference.after
    if isinstance(before, str) and isinstance(after, str):
        yield from [difference] if difference.note else _strings(difference, before, after, secrets)
        return
    parsed = _parsed(difference)
    before, after = parsed.before, parsed.after
    if _fits(before) and _fits(after):
        yield parsed
    elif isinstance(before, list) and isinstance(after, list):
        yield _from_first_change(parsed, before, after)
    elif _is_container(before) and (after is None or after is UNKNOWN):
        for step, value in _parts(before):
            yield from expand(_part(parsed, step, value, after), secrets)
    elif _is_container(after) and before is None:
        for step, value in _parts(after):
            yield from expand(_part(parsed, step, None, value), secrets)
    elif _is_container(before) or _is_container(after):
        yield from expand(replace(parsed, after=None), secrets)
        yield from expand(replace(parsed, before=None), secrets)
    else:
        yield parsed


def _parsed(difference: Difference) -> Difference:
    """The difference with long JSON strings parsed, and without the empty members of a new or removed value."""
    before, after = _parse_long_json(difference.before), _parse_long_json(difference.after)
    if before is None:
        after = _without_empty(after)
    if after is None or after is UNKNOWN:
        before = _without_empty(before)
    return replace(difference, before=before, after=after)


def _parse_long_json(value: MarkedValue) -> MarkedValue:
    """Parse a JSON string that is too long for a line; return any other value unchanged."""
    if isinstance(value, str) and not _fits(value):
        found = parse_json_text(value)
        return value if found is None else found
    return value


def _without_empty(value: MarkedValue) -> MarkedValue:
    """A value without empty members: null, empty strings, lists and objects."""
    if isinstance(value, dict):
        members = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in members.items() if item not in (None, "", [], {})}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _fits(value: MarkedValue) -> bool:
    return (not _is_container(value) and not isinstance(value, str)) or fits(value, MAX_VALUE)


def _is_container(value: MarkedValue) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _part(whole: Difference, step: PathStep, before: MarkedValue, after: MarkedValue) -> Difference:
    return replace(whole, path=(*whole.path, step), before=before, after=after)


def _parts(value: MarkedValue) -> Iterator[tuple[PathStep, MarkedValue]]:
    """The members of an object, or the elements of a list, with as many consecutive scalars as fit on a line."""
    if isinstance(value, dict):
        yield from value.items()
        return
    start = 0
    while start < len(value):
        end = _end_of_scalars(value, start)
        if end - start > 1:
            yield range(start, end), value[start:end]
        else:
            yield start, value[start]
        start = end


def _end_of_scalars(items: Sequence[MarkedValue], start: int) -> int:
    """The end of the consecutive scalars that fit on one line; at least one element."""
    end = start + 1
    while end < len(items) and all(type(item) in _SCALARS for item in items[start : end + 1]):
        if not fits(items[start : end + 1], MAX_VALUE):
            break
        end += 1
    return end


def _from_first_change(whole: Difference, before: Sequence[MarkedValue], after: Sequence[MarkedValue]) -> Difference:
    """Two long lists with the same elements in a different order, from the first element that differs."""
    pairs = enumerate(zip(before, after, strict=False))
    first = next((number for number, pair in pairs if canonical_json(pair[0]) != canonical_json(pair[1])), 0)
    note = f"{whole.note} from [{first}] on" if first else whole.note
    return replace(whole, before=before[first:], after=after[first:], note=note)


# -- strings ----------------------------------------------------------------------------------------------------------


def _strings(whole: Difference, before: str, after: str, secrets: Secrets) -> Iterator[Difference]:
    """The lines or words in which two long strings differ."""
    if max(len(before), len(after)) > _MAX_COMPARED or max(len(before), len(after)) <= MAX_VALUE:
        yield whole
        return
    first, second = secrets.mask(before), secrets.mask(after)
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
    """The ranges in which two sequences differ: the old range, the new one, and the index of the new one."""
    start = common_prefix_length(before, after)
    end = common_prefix_length(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if len(old) * len(new) > _MAX_PAIRS:
        yield old, new, start
        return
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield old[i1:i2], new[j1:j2], start + j1
