"""Patterns are found at any position, in time proportional to the text."""

import random
import time
from collections.abc import Callable, Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tfruns.masking.matcher import Matcher

_PATTERN = st.text(alphabet="ab", min_size=1, max_size=9).map(str.encode)
_TEXT = st.text(alphabet="abc", max_size=60).map(str.encode)


@given(st.lists(_PATTERN, max_size=12), _TEXT)
def test_spans_cover_exactly_the_occurrences(patterns: list[bytes], text: bytes) -> None:
    covered = set[int]()
    for pattern in patterns:
        for position in range(len(text)):
            if text.startswith(pattern, position):
                covered |= set(range(position, position + len(pattern)))
    spans = Matcher(patterns).spans(text)
    assert {position for start, end in spans for position in range(start, end)} == covered
    assert all(first[1] < second[0] for first, second in pairwise(spans))


def _covered(spans: Iterable[tuple[int, int]]) -> set[int]:
    return {position for start, end in spans for position in range(start, end)}


@given(st.lists(_PATTERN, max_size=12), _TEXT, _TEXT)
def test_cut_text_is_covered_like_the_whole_text(patterns: list[bytes], text: bytes, more: bytes) -> None:
    matcher = Matcher(patterns)
    cut = matcher.cut(text)
    before = {position for position in _covered(matcher.spans(text)) if position < cut}
    after = {position + cut for position in _covered(matcher.spans(text[cut:] + more))}
    assert before | after == _covered(matcher.spans(text + more))
    assert len(text) - cut <= 2 * max(map(len, patterns), default=0)


def test_match_across_two_windows_is_one_span() -> None:
    text = b"." * (1 << 16) + b"secret" * 3 + b"." * 10
    for shift in range(-18, 3):
        at = (1 << 16) + shift
        assert Matcher([b"secretsecretsecret"]).spans(b"." * at + b"secret" * 3 + b".") == [(at, at + 18)]
    assert Matcher([b"secret"]).spans(text) == [(1 << 16, (1 << 16) + 18)]


@given(st.text(alphabet="ab\u00e9\u20ac\U0001f512", min_size=60, max_size=300), st.text(alphabet="c\u00e8", max_size=9))
def test_long_pattern_is_covered_without_splitting_characters(pattern: str, around: str) -> None:
    data, long = (around + pattern + around).encode(), pattern.encode()
    start = len(around.encode())
    spans = Matcher([long]).spans(data)
    assert spans == [(start, start + len(long))]
    for position in range(0, len(pattern), 7):  # the text around a partial match can still be decoded
        part = (pattern[position:] + around + pattern[:position]).encode()
        for first, last in Matcher([long]).spans(part):
            assert "\ufffd" not in (part[:first] + part[last:]).decode(errors="replace")


def test_longest_matching_pattern_wins_at_a_position() -> None:
    matcher = Matcher([b"abcdef"], words=[b"abc"], quoted=[b"ab"])
    assert matcher.spans(b"abcdef abc abcd 'ab' ab") == [(0, 6), (7, 10), (17, 19)]


def _fibonacci(size: int) -> bytes:
    shorter, longer = b"a", b"ab"
    while len(longer) < size:
        shorter, longer = longer, longer + shorter
    return longer[:size]


def _of_letters(letters: bytes, size: int) -> bytes:
    return bytes(random.Random(size).choices(letters, k=size))


def _certificates(size: int) -> list[bytes]:
    text = _of_letters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 2_000)
    return [b"-----BEGIN CERTIFICATE-----" + text + b"%08d" % number for number in range(size // 2_000)]


def _cut(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


_Case = tuple[Iterable[bytes], bytes]
_CASES: dict[str, Callable[[int], _Case]] = {
    "one letter": lambda size: ([b"a" * size], b"a" * 4 * size),
    "one letter and another at the end": lambda size: ([b"a" * size + b"b"], b"a" * 4 * size),
    "one letter, long, and short": lambda size: ([b"a" * 100, b"a" * size + b"b", b"a" * 6], b"a" * 4 * size),
    "one letter in every length": lambda size: ([b"a" * n for n in range(6, int((2 * size) ** 0.5))], b"a" * 4 * size),
    "one letter in every length, and another": lambda size: (
        [b"a" * n + b"b" for n in range(6, int((2 * size) ** 0.5))],
        b"a" * 4 * size,
    ),
    "two letters in turn": lambda size: ([b"ab" * (size // 2), b"ab" * 50 + b"c"], b"ab" * 2 * size),
    "two letters at random": lambda size: ([_of_letters(b"ab", size)], _of_letters(b"ab", 4 * size)),
    "lines of two letters": lambda size: (_cut(_of_letters(b"ab", size), 45), _of_letters(b"ab", 4 * size)),
    "a Fibonacci string": lambda size: ([_fibonacci(size), _fibonacci(size)[1:]], _fibonacci(4 * size)),
    "prefixes of each other": lambda size: (
        [_fibonacci(n) for n in range(6, int((2 * size) ** 0.5))],
        _fibonacci(4 * size),
    ),
    "suffixes of each other": lambda size: (
        [_of_letters(b"abc", 400)[-n:] for n in range(6, 400)] + [_of_letters(b"abc", size)],
        _of_letters(b"abc", 400) * (size // 100),
    ),
    "short ones all over long ones": lambda size: (
        [b"a", b"b", *(b"c" + line for line in _cut(_of_letters(b"ab", size), 62))],
        _of_letters(b"abc", 4 * size),
    ),
    "certificates with one beginning": lambda size: (_certificates(size), b"".join(_certificates(size)) * 4),
    "six random letters": lambda size: (_cut(_of_letters(b"abcdefgh", size), 6), _of_letters(b"abcdefgh", 4 * size)),
}


def _seconds(case: Callable[[int], _Case], size: int) -> float:
    patterns, text = case(size)
    patterns = list(patterns)
    began = time.process_time()
    Matcher(patterns).spans(text)
    return time.process_time() - began


def _growth(case: Callable[[int], _Case]) -> tuple[float, float]:
    """The seconds for a size, at least 0.05, and for twice the size."""
    large = _seconds(case, 50_000)
    return (0.05 if large < 0.15 else max(_seconds(case, 25_000), 0.05)), large


def test_search_time_is_linear_for_any_pattern() -> None:
    for name, case in _CASES.items():
        small, large = _growth(case)
        if large >= 3 * small:  # once more: the machine may have been busy
            small, large = _growth(case)
        assert large < 3 * small, f"{name}: {small:.3f} s, and {large:.3f} s for twice the size"
        assert large < 1.5, f"{name}: {large:.3f} s"


def test_500_certificates_of_2_kb_are_all_found() -> None:
    certificates = _certificates(1_000_000)
    matcher = Matcher(certificates)
    assert len(certificates) == 500
    for certificate in certificates:
        assert matcher.spans(b"x = " + certificate + b"\n") == [(4, 4 + len(certificate))]
