"""Pairing of the elements of two lists: which old element corresponds to which new one.

JSON does not distinguish sets from lists, so indexes mean little. Equal elements are matched first, at any index. The
remaining elements are paired by name, then by similarity.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tfruns.review.values import CANONICAL_UNKNOWN, MarkedValue, Sensitive, canonical_json, parse_json_text

_NAMES = ("name", "key", "id", "sid", "device_name", "alias", "title", "priority", "rule_number", "path")
_MAX_COMPARED = 2_500  # pairs of elements whose similarity is computed
_MIN_SIMILARITY = 0.5  # of a pair if the number of elements changes


@dataclass(frozen=True, slots=True)
class ElementPairs:
    """The paired elements of two lists, by index.

    Attributes:
        pairs: old and new elements that correspond and differ, in the order of the new list.
        removed: old elements without a new one.
        added: new elements without an old one.
    """

    pairs: Sequence[tuple[int, int]]
    removed: Sequence[int]
    added: Sequence[int]


def pair_elements(before: Sequence[MarkedValue], after: Sequence[MarkedValue]) -> ElementPairs:
    """Pair the elements of two lists. Equal elements are omitted."""
    removed, added = _unequal(before, after)
    pairs: list[tuple[int, int]] = []
    if len(removed) == len(added) == 1:
        return ElementPairs([(removed[0], added[0])], [], [])
    for find in (_by_name, _by_similarity):
        found = find(before, after, removed, added)
        pairs += found
        ones, others = {one for one, _ in found}, {other for _, other in found}
        removed = [index for index in removed if index not in ones]
        added = [index for index in added if index not in others]
    return ElementPairs(sorted(pairs, key=lambda pair: pair[1]), removed, added)


def name_of(element: MarkedValue) -> tuple[str, str] | None:
    """The member that names an object, and its value."""
    if not isinstance(element, Mapping):
        return None
    for name in _NAMES:
        for key in (name, name.capitalize()):
            value = element.get(key)
            if isinstance(value, str | int) and value != "":
                return key, str(value)
    return None


def _unequal(before: Sequence[MarkedValue], after: Sequence[MarkedValue]) -> tuple[list[int], list[int]]:
    """The elements without an equal element in the other list. An unknown value equals nothing."""
    unmatched: dict[str, deque[int]] = {}
    for index, item in enumerate(before):
        unmatched.setdefault(canonical_json(item), deque()).append(index)
    added = []
    for index, item in enumerate(after):
        text = canonical_json(item)
        if unmatched.get(text) and CANONICAL_UNKNOWN not in text:
            unmatched[text].popleft()
        else:
            added.append(index)
    return sorted(index for indexes in unmatched.values() for index in indexes), added


def _by_name(
    before: Sequence[MarkedValue], after: Sequence[MarkedValue], removed: Sequence[int], added: Sequence[int]
) -> list[tuple[int, int]]:
    """Pair the elements with equal names that are unique in their list."""
    ones, others = _named(before, removed), _named(after, added)
    return [(ones[name], others[name]) for name in ones if name in others]


def _named(elements: Sequence[MarkedValue], indexes: Sequence[int]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], list[int]] = {}
    for index in indexes:
        if name := name_of(elements[index]):
            found.setdefault(name, []).append(index)
    return {name: same[0] for name, same in found.items() if len(same) == 1}


def _by_similarity(
    before: Sequence[MarkedValue], after: Sequence[MarkedValue], removed: Sequence[int], added: Sequence[int]
) -> list[tuple[int, int]]:
    """Pair the most similar elements; all of them if equal numbers are removed and added."""
    is_equal_number = len(removed) == len(added)
    if len(removed) * len(added) > _MAX_COMPARED:
        return [*zip(removed, added, strict=True)] if is_equal_number else []
    parts = {n: _parts(before[n]) for n in removed}, {n: _parts(after[n]) for n in added}
    ranked = sorted(
        (-_similarity(parts[0][one], parts[1][other]), one != other, abs(one - other), one, other)
        for one in removed
        for other in added
    )
    return [*_best(ranked, 0 if is_equal_number else _MIN_SIMILARITY)]


def _best(ranked: Sequence[tuple[float, bool, int, int, int]], least: float) -> Iterator[tuple[int, int]]:
    ones: set[int] = set()
    others: set[int] = set()
    for negative_similarity, _, _, one, other in ranked:
        if one not in ones and other not in others and -negative_similarity >= least:
            ones.add(one)
            others.add(other)
            yield one, other


def _parts(element: MarkedValue) -> frozenset[str]:
    """The parts that similarity counts: the members of an object, or the items of a list."""
    found = parse_json_text(element) if isinstance(element, str) else element
    found = found.value if isinstance(found, Sensitive) else found
    if isinstance(found, Mapping):
        return frozenset(f"{key}={canonical_json(value)}" for key, value in found.items() if value is not None)
    if isinstance(found, list):
        return frozenset(map(canonical_json, found))
    return frozenset()


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of parts that two elements have in common, from 0 to 1."""
    most = max(len(one), len(other))
    return len(one & other) / most if most else 0.0
