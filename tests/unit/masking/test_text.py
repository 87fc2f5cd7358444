"""Text that somebody else wrote, made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfruns.masking.text import one_line, sanitize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1m\x1b[32mgreen\x1b[0m", "green"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title\x07text", "text"),
        ("\x02text\x03", "text"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a\u202eb\u2066c\u200bd\ufeffe", "abcde"),
        ("tab\tstays", "tab\tstays"),
        ("\x9b31mred", "31mred"),
        ("half \ud83d of one", "half  of one"),
        ("\x1b", ""),
        ("ünï → ✓ 👍", "ünï → ✓ 👍"),
    ],
)
def test_what_moves_a_cursor_or_hides_a_word_does_not_come_through(text: str, expected: str) -> None:
    assert sanitize(text) == expected


def test_one_line_is_one_line() -> None:
    assert one_line("a\n\n b\t c", 20) == "a b c"
    assert one_line("x" * 30, 20) == "x" * 19 + "…"
    assert one_line("  short  ", 20) == "short"
    assert one_line("plain", 5) == "plain"


def test_what_was_not_looked_at_is_said_to_be_left_out() -> None:
    assert one_line("a" + " " * 1_000 + "b", 10) == "a…"


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_any_text_on_one_line_can_be_printed_and_is_short_enough(text: str, length: int) -> None:
    line = one_line(text, length)
    assert line.isprintable()
    assert len(line) <= length
