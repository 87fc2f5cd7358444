"""Finding many texts in one, in time proportional to its size: Aho and Corasick's algorithm, from a library."""

from collections.abc import Callable, Iterable
from itertools import chain

from ahocorasick_rs import BytesAhoCorasick, Implementation

_WINDOW = 1 << 18  # bytes that are searched at a time; each match found in them takes memory
_LONG = 64  # bytes of a pattern that is searched for with an automaton of its own kind
_PERIOD_HINT = 8  # bytes at the start of a pattern that repeat if the pattern repeats itself

Span = tuple[int, int]
Condition = Callable[[bytes, int, int], bool]


class Matcher:
    """Patterns to find in bytes, also where they overlap.

    Args:
        anywhere: patterns that count wherever they occur.
        words: patterns that count only as a whole word.
        quoted: patterns that count only as a whole value: in quotes, or between `=`, `:`, a bracket or a comma and the
            end of the value.
    """

    def __init__(
        self, anywhere: Iterable[bytes] = (), *, words: Iterable[bytes] = (), quoted: Iterable[bytes] = ()
    ) -> None:
        conditions: dict[bytes, Condition | None] = {}
        conditions |= dict.fromkeys(quoted, _is_value)
        conditions |= dict.fromkeys(words, _is_word)
        conditions |= dict.fromkeys(_irreducible(set(anywhere)))
        self._longest = max(map(len, conditions), default=0)
        # To build one automaton takes quadratic time where short patterns occur all over a long one.
        groups = ([one for one in conditions if (len(one) > _LONG) is is_long] for is_long in (False, True))
        self._automata = [_Automaton(group, [conditions[one] for one in group]) for group in groups if group]

    def __bool__(self) -> bool:
        return bool(self._automata)

    def spans(self, data: bytes) -> list[Span]:
        """Where the patterns occur: start and end of each stretch that they cover."""
        found: list[Span] = []
        for start, end in chain.from_iterable(self._in_window(data, at) for at in range(0, len(data), self._step)):
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            else:
                found.append((start, end))
        return found

    def safe_cut(self, data: bytes) -> int:
        """How many bytes at the start can be separated from the rest, whatever follows it: no pattern lies across."""
        cut = max(0, len(data) - max(self._longest - 1, 0))
        return next((start for start, end in self.spans(data) if start < cut < end), cut)

    @property
    def _step(self) -> int:
        return max(_WINDOW, 4 * self._longest)

    def _in_window(self, data: bytes, at: int) -> list[Span]:
        """The stretches that begin in one window, in order of their starts."""
        window = data[at : at + self._step + self._longest - 1]
        found = chain.from_iterable(automaton.spans(data, window, at) for automaton in self._automata)
        return sorted(found) if len(self._automata) > 1 else list(found)


class _Automaton:
    """The library's automaton for some patterns, with the condition under which each counts."""

    def __init__(self, patterns: list[bytes], conditions: list[Condition | None]) -> None:
        # The other implementations take quadratic time for a pattern of one letter.
        self._automaton = BytesAhoCorasick(patterns, implementation=Implementation.ContiguousNFA)
        self._conditions = conditions

    def spans(self, data: bytes, window: bytes, at: int) -> list[Span]:
        merged: list[Span] = []
        for pattern, first, last in reversed(self._automaton.find_matches_as_indexes(window, overlapping=True)):
            condition = self._conditions[pattern]
            start, end = at + first, at + last
            if condition is not None and not condition(data, start, end):
                continue
            while merged and merged[-1][0] <= end:
                other = merged.pop()
                start, end = min(start, other[0]), max(end, other[1])
            merged.append((start, end))
        return merged[::-1]


def _irreducible(patterns: set[bytes]) -> list[bytes]:
    """The patterns without those that repeat themselves so that a shorter one covers them wholly.

    `aaaaaaa` covers nothing that `aaaaaa` does not. Without this, the letters of one line could each end thousands of
    patterns.
    """
    lengths = sorted(set(map(len, patterns)))
    return [pattern for pattern in patterns if not _is_covered(pattern, patterns, lengths)]


def _is_covered(pattern: bytes, patterns: set[bytes], lengths: list[int]) -> bool:
    if len(pattern) <= _PERIOD_HINT or pattern.find(pattern[:_PERIOD_HINT], 1) < 0:
        return False
    size, period = len(pattern), _period(pattern)
    return any(
        period <= length < size and (size - length) % period == 0 and pattern[-length:] in patterns
        for length in lengths
    )


def _period(pattern: bytes) -> int:
    """The distance after which a pattern repeats itself; its length if it does not. Knuth, Morris and Pratt's table."""
    borders = [0] * len(pattern)
    border = 0
    for place in range(1, len(pattern)):
        while border and pattern[place] != pattern[border]:
            border = borders[border - 1]
        border += pattern[place] == pattern[border]
        borders[place] = border
    return len(pattern) - border


_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" + bytes(range(0x80, 0x100)))
_QUOTES = b"\"'`"
_BEFORE_VALUE = _QUOTES + b"=:[(,{"
_AFTER_VALUE = _QUOTES + b"\\,;)]}\r\n"


def _is_word(data: bytes, start: int, end: int) -> bool:
    return not (
        (start and data[start - 1] in _WORD and data[start] in _WORD)
        or (end < len(data) and data[end] in _WORD and data[end - 1] in _WORD)
    )


def _is_value(data: bytes, start: int, end: int) -> bool:
    before = data[max(0, start - 2) : start]
    begins = (
        before[-1:] in (b"", b"\n") or before[-1] in _BEFORE_VALUE or (before[-1:] == b" " and before[0] in b"=:[(,{>")
    )
    return begins and (end == len(data) or data[end] in _AFTER_VALUE)
