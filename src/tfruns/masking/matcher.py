"""Search for many patterns in a text, in time proportional to the size of both, for any content.

The Aho-Corasick algorithm (from a library) finds keys, which are the first bytes of the patterns. All keys of one
automaton have the same length, so at most one key starts at a position, and no key contains another. Without this
restriction, the library takes quadratic time to build an automaton if short patterns occur throughout longer ones.

The bytes after a key are compared with the patterns. To bound that cost, a long pattern is replaced by pieces that
cover it. As a result, a piece of a long pattern is found even if the whole pattern does not occur.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise

from ahocorasick_rs import BytesAhoCorasick

_PIECE_SIZE = 64  # bytes; a longer pattern is searched for in pieces
_KEY_LENGTHS = (12, 6, 3, 1)  # a pattern has the longest key that is not longer than the pattern
_WINDOW = 1 << 16  # bytes that are searched at a time, because each key that is found takes memory

Span = tuple[int, int]
MatchCondition = Callable[[bytes, int, int], bool]


class Matcher:
    """Patterns to find in bytes. Matches may overlap.

    Args:
        anywhere: patterns that match at any position.
        words: patterns that match only as a whole word.
        quoted: patterns that match only as a whole value: in quotes, or between `=`, `:`, a bracket or a comma and the
            end of the value.

    `words` and `quoted` do not match the index of an instance or a list element, or the exit code of a program.
    """

    def __init__(
        self, anywhere: Iterable[bytes] = (), *, words: Iterable[bytes] = (), quoted: Iterable[bytes] = ()
    ) -> None:
        conditions: dict[bytes, MatchCondition | None] = {}
        conditions |= dict.fromkeys(quoted, _is_value)
        conditions |= dict.fromkeys(words, _is_word)
        conditions |= dict.fromkeys(chain.from_iterable(map(_pieces, anywhere)))
        self._longest = max(map(len, conditions), default=0)
        self._groups = [_KeyGroup(length, found) for length, found in _by_key_length(conditions).items()]

    def __bool__(self) -> bool:
        return bool(self._groups)

    def spans(self, data: bytes) -> list[Span]:
        """The spans that the patterns cover, merged where they overlap or touch."""
        found: list[Span] = []
        for at in range(0, len(data), _WINDOW):
            for start, end in sorted(chain.from_iterable(group.spans(data, at, _WINDOW) for group in self._groups)):
                if found and start <= found[-1][1]:
                    found[-1] = (found[-1][0], max(end, found[-1][1]))
                else:
                    found.append((start, end))
        return found

    def cut(self, data: bytes) -> int:
        """The position at which data can be cut without missing a match, for any continuation.

        Every match that starts before the cut is complete in the data. Bytes after the cut that such a match covers
        are also covered by the match that starts at the cut. At most the length of one pattern remains after the cut.
        """
        latest = max(0, len(data) - max(self._longest - 1, 0))
        first = max(0, latest - self._longest)  # a match that starts earlier ends before `latest`
        spans = chain.from_iterable(group.spans(data, first, latest - first) for group in self._groups)
        end, start = max(((end, start) for start, end in spans), default=(0, 0))
        return start if end > latest else latest


class _KeyGroup:
    """Patterns with keys of one length, and the condition for each to match."""

    def __init__(self, key_length: int, conditions: dict[bytes, MatchCondition | None]) -> None:
        lengths: dict[bytes, set[int]] = {}
        for pattern in conditions:
            lengths.setdefault(pattern[:key_length], set()).add(len(pattern))
        self._key_length = key_length
        self._conditions = conditions
        self._lengths = [sorted(found, reverse=True) for found in lengths.values()]
        self._keys = BytesAhoCorasick(list(lengths))

    def spans(self, data: bytes, at: int, size: int) -> Iterator[Span]:
        """The longest match at each position in a window of `size` bytes, in order of position."""
        window = data[at : at + size + self._key_length - 1]
        for key, offset, _ in self._keys.find_matches_as_indexes(window, overlapping=True):
            start = at + offset
            for length in self._lengths[key]:
                if self._matches(data, start, start + length):
                    yield start, start + length
                    break

    def _matches(self, data: bytes, start: int, end: int) -> bool:
        pattern = data[start:end]
        if end > len(data) or pattern not in self._conditions:
            return False
        condition = self._conditions[pattern]
        return condition is None or condition(data, start, end)


def _by_key_length(conditions: dict[bytes, MatchCondition | None]) -> dict[int, dict[bytes, MatchCondition | None]]:
    groups: dict[int, dict[bytes, MatchCondition | None]] = {}
    for pattern, condition in conditions.items():
        if pattern:
            key_length = next(length for length in _KEY_LENGTHS if length <= len(pattern))
            groups.setdefault(key_length, {})[pattern] = condition
    return groups


def _pieces(pattern: bytes) -> Iterator[bytes]:
    """A pattern, or the pieces that cover a long pattern. No piece splits a character."""
    size, length = _PIECE_SIZE, len(pattern)
    if length <= size:
        yield pattern
        return
    cuts = [_character_start(pattern, at) for at in range(0, length + 1, size)]
    yield from (pattern[start:end] for start, end in pairwise(cuts))
    yield pattern[_character_start(pattern, length - size) :]


def _character_start(data: bytes, at: int) -> int:
    """The nearest position at or before `at` where a UTF-8 character starts."""
    starts = range(at, max(at - 4, -1), -1)
    return next((start for start in starts if start >= len(data) or data[start] & 0xC0 != 0x80), at)


_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" + bytes(range(0x80, 0x100)))
_NAME_ENDS = _WORD | frozenset(b"-]")
_QUOTES = b"\"'`"
_BEFORE_VALUE = _QUOTES + b"=:[(,{"
_ARROW = b" -> "  # between the values of a change
_AFTER_VALUE = _QUOTES + b"\\,;)]}\r\n"


def _is_word(data: bytes, start: int, end: int) -> bool:
    continues = (start and data[start - 1] in _WORD and data[start] in _WORD) or (
        end < len(data) and data[end] in _WORD and data[end - 1] in _WORD
    )
    return not continues and not _is_exit_code(data, start, end)


def _is_value(data: bytes, start: int, end: int) -> bool:
    before = data[max(0, start - 2) : start]
    begins = (
        before[-1:] in (b"", b"\n") or before[-1] in _BEFORE_VALUE or (before[-1:] == b" " and before[0] in b"=:[(,{>")
    )
    return (
        begins
        and (end == len(data) or data[end] in _AFTER_VALUE or data.startswith(_ARROW, end))
        and not _is_index(data, start, end)
        and not _is_exit_code(data, start, end)
    )


def _is_index(data: bytes, start: int, end: int) -> bool:
    """Whether a number is an index, as in `aws_instance.web[1]`, which is not a secret."""
    is_after_name = start > 1 and data[start - 1 : start] == b"[" and data[start - 2] in _NAME_ENDS
    return is_after_name and data[end : end + 1] == b"]" and data[start:end].isdigit()


def _is_exit_code(data: bytes, start: int, end: int) -> bool:
    """Whether a number is an exit code, as in `exit code: 1` or `exit status 1`, which is not a secret."""
    return data[start:end].isdigit() and _EXIT.search(data, max(0, start - 16), start) is not None


_EXIT = re.compile(rb"(?i)\bexit (?:code|status):? ?\Z")
