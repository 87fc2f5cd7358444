"""Durations as people write them: `90`, `5m`, `1h30`, `1.5h`, `2 days`."""

import re

_UNITS_S = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_NAMES = {
    "w": ("w", "week", "weeks"),
    "d": ("d", "day", "days"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "s": ("s", "sec", "secs", "second", "seconds"),
}
_UNIT_OF = {name: unit for unit, names in _NAMES.items() for name in names}
_LARGEST_FIRST = tuple(_UNITS_S)
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)\s*", re.ASCII)

MAX_S = 100 * 365 * 86_400.0  # larger ones leave the range of dates


def parse_duration(text: str, unit: str = "s") -> float:
    """The seconds of a duration. A last number without a unit has the next smaller one: `1h30` is 1 h 30 min.

    Args:
        text: the duration.
        unit: the unit of a number that stands alone.

    Raises:
        ValueError: the text is not a duration, or is longer than a hundred years.
    """
    rest, total, position = text.strip().lower(), 0.0, -1
    is_first = True
    while rest:
        found = _PART.match(rest)
        if found is None:
            raise ValueError(HINT)
        position = _position(found[2], position, rest[found.end() :], unit if is_first else "")
        total += float(found[1]) * _UNITS_S[_LARGEST_FIRST[position]]
        rest, is_first = rest[found.end() :], False
    if is_first or total > MAX_S:
        raise ValueError(HINT)
    return total


def _position(name: str, before: int, rest: str, unit: str) -> int:
    """The position of a part's unit, which must be smaller than the unit before."""
    if name:
        position = _LARGEST_FIRST.index(_UNIT_OF[name]) if name in _UNIT_OF else -1
    elif rest:
        position = -1
    else:
        position = _LARGEST_FIRST.index(unit) if unit else before + 1
    if not before < position < len(_LARGEST_FIRST):
        raise ValueError(HINT)
    return position


HINT = "A duration is a number with a unit: 90s, 5m, 1h30, 1.5h, 2d."
