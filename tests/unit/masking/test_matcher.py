"""Patterns are found wherever they are, in time proportional to the text."""

import time
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
        for place in range(len(text)):
            if text.startswith(pattern, place):
                covered |= set(range(place, place + len(pattern)))
    spans = Matcher(patterns).spans(text)
    assert {place for start, end in spans for place in range(start, end)} == covered
    assert all(first[1] < second[0] for first, second in pairwise(spans))


@given(st.lists(_PATTERN, max_size=12), _TEXT, _TEXT)
def test_no_occurrence_lies_across_a_safe_cut(patterns: list[bytes], text: bytes, more: bytes) -> None:
    matcher = Matcher(patterns)
    cut = matcher.safe_cut(text)
    for pattern in patterns:
        across = range(max(0, cut - len(pattern) + 1), cut)
        assert not any((text + more).startswith(pattern, start) for start in across)


def test_a_match_across_two_windows_is_one_span() -> None:
    text = b"." * (1 << 18) + b"secret" * 3 + b"." * 10
    for shift in range(-18, 3):
        at = (1 << 18) + shift
        assert Matcher([b"secretsecretsecret"]).spans(b"." * at + b"secret" * 3 + b".") == [(at, at + 18)]
    assert Matcher([b"secret"]).spans(text) == [(1 << 18, (1 << 18) + 18)]


def _seconds(size: int) -> float:
    values = [b"a" * size, b"a" * size + b"b", b"b" + b"a" * size, *(b"a" * n for n in range(6, 300))]
    began = time.process_time()
    assert Matcher(values).spans(b"a" * 4 * size) == [(0, 4 * size)]
    return time.process_time() - began


def test_time_is_linear_for_one_letter_repeated() -> None:
    _seconds(1_000)
    small, large = (min(_seconds(size) for _ in range(2)) for size in (30_000, 120_000))
    assert large < max(small, 0.05) * 10  # quadratic time would be 16 times as much, and minutes before that
