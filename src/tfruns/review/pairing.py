"""Which element of a list became which other one.

JSON does not tell a set from a list, so positions say little: elements that are equal are matched first, wherever they
are. Of the rest, those with the same name are pairs, then those that are most alike.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tfruns.review.values import CANONICAL_UNKNOWN, Marked, Sensitive, canonical, json_of

_NAMES = ("name", "key", "id", "sid", "device_name", "alias", "title", "priority", "rule_number", "path")
_COMPARED = 2_500  # pairs of elements whose likeness is computed
_ALIKE = 0.5  # of the members of two objects, for a pair where their number changes


@dataclass(frozen=True, slots=True)
class Pairing:
    """The elements of two lists, by their positions.

    Attributes:
        pairs: elements that became another, in the order of the new list.
        removed: elements that are gone.
        added: elements that are new.
    """

    pairs: Sequence[tuple[int, int]]
    removed: Sequence[int]
    added: Sequence[int]


def pairing(before: Sequence[Marked], after: Sequence[Marked]) -> Pairing:
    """Pair the elements of two lists; those that stay as they are are left out."""
    removed, added = _unequal(before, after)
    pairs: list[tuple[int, int]] = []
    if len(removed) == len(added) == 1:
        return Pairing([(removed[0], added[0])], [], [])
    for find in (_by_name, _by_likeness):
        found = find(before, after, removed, added)
        pairs += found
        ones, others = {one for one, _ in found}, {other for _, other in found}
        removed = [place for place in removed if place not in ones]
        added = [place for place in added if place not in others]
    return Pairing(sorted(pairs, key=lambda pair: pair[1]), removed, added)


def name_of(element: Marked) -> tuple[str, str] | None:
    """The member that names an object, with its value."""
    if not isinstance(element, Mapping):
        return None
    for name in _NAMES:
        for key in (name, name.capitalize()):
            value = element.get(key)
            if isinstance(value, str | int) and value != "":
                return key, str(value)
    return None


def _unequal(before: Sequence[Marked], after: Sequence[Marked]) -> tuple[list[int], list[int]]:
    """The elements without an equal one on the other side. What is not known yet equals nothing."""
    rest: dict[str, deque[int]] = {}
    for place, item in enumerate(before):
        rest.setdefault(canonical(item), deque()).append(place)
    added = []
    for place, item in enumerate(after):
        text = canonical(item)
        if rest.get(text) and CANONICAL_UNKNOWN not in text:
            rest[text].popleft()
        else:
            added.append(place)
    return sorted(place for places in rest.values() for place in places), added


def _by_name(
    before: Sequence[Marked], after: Sequence[Marked], removed: Sequence[int], added: Sequence[int]
) -> list[tuple[int, int]]:
    """The elements whose names are equal and unique."""
    ones, others = _named(before, removed), _named(after, added)
    return [(ones[name], others[name]) for name in ones if name in others]


def _named(elements: Sequence[Marked], places: Sequence[int]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], list[int]] = {}
    for place in places:
        if name := name_of(elements[place]):
            found.setdefault(name, []).append(place)
    return {name: at[0] for name, at in found.items() if len(at) == 1}


def _by_likeness(
    before: Sequence[Marked], after: Sequence[Marked], removed: Sequence[int], added: Sequence[int]
) -> list[tuple[int, int]]:
    """The elements that are most alike; all of them, if as many are removed as added."""
    is_equal_number = len(removed) == len(added)
    if len(removed) * len(added) > _COMPARED:
        return [*zip(removed, added, strict=True)] if is_equal_number else []
    parts = {place: _parts(before[place]) for place in removed}, {place: _parts(after[place]) for place in added}
    ranked = sorted(
        (-_likeness(parts[0][one], parts[1][other]), one != other, abs(one - other), one, other)
        for one in removed
        for other in added
    )
    return [*_best(ranked, 0 if is_equal_number else _ALIKE)]


def _best(ranked: Sequence[tuple[float, bool, int, int, int]], least: float) -> Iterator[tuple[int, int]]:
    ones: set[int] = set()
    others: set[int] = set()
    for likeness, _, _, one, other in ranked:
        if one not in ones and other not in others and -likeness >= least:
            ones.add(one)
            others.add(other)
            yield one, other


def _parts(element: Marked) -> frozenset[str]:
    """The parts by which elements are compared: the members of an object, the items of a list."""
    found = json_of(element) if isinstance(element, str) else element
    found = found.value if isinstance(found, Sensitive) else found
    if isinstance(found, Mapping):
        return frozenset(f"{key}={canonical(value)}" for key, value in found.items() if value is not None)
    if isinstance(found, list):
        return frozenset(map(canonical, found))
    return frozenset()


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of parts that two elements have in common, from 0 to 1."""
    most = max(len(one), len(other))
    return len(one & other) / most if most else 0.0
