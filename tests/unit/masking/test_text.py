"""Sanitizing of untrusted text."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from generate_default_ignorable import TARGET, ranges, updated
from tests.support.tables import rows
from tfruns.masking.text import DEFAULT_IGNORABLE, one_line, sanitize


@rows(
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
def test_control_and_invisible_characters_are_removed(text: str, expected: str) -> None:
    assert sanitize(text) == expected


def test_one_line_joins_and_truncates() -> None:
    assert one_line("a\n\n b\t c", 20) == "a b c"
    assert one_line("x" * 30, 20) == "x" * 19 + "…"
    assert one_line("  short  ", 20) == "short"
    assert one_line("plain", 5) == "plain"


def test_one_line_marks_uninspected_text_as_truncated() -> None:
    assert one_line("a" + " " * 1_000 + "b", 10) == "a…"


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_one_line_is_printable_and_within_its_length(text: str, length: int) -> None:
    line = one_line(text, length)
    assert line.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert len(line) <= length


def test_unicode_properties_decide_which_code_points_are_removed() -> None:
    ignorable = {code for first, last in DEFAULT_IGNORABLE for code in range(first, last + 1)}
    visible_formats = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    wrong = []
    for code in range(0x110000):
        category = unicodedata.category(chr(code))
        if category == "Cn" and 0x13430 <= code <= 0x1343F:
            continue  # format characters that this Python's version of Unicode does not contain
        is_no_text = category in {"Cc", "Cs", "Co"} or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
        is_invisible = code in ignorable or (category == "Cf" and code not in visible_formats)
        expected = "ab" if is_no_text or is_invisible else f"a{chr(code)}b"
        expected = {"\t": "a\tb", "\n": "a\nb", "\r": "a\nb", "\x1b": "a", "\u2028": "a\nb", "\u2029": "a\nb"}.get(
            chr(code), expected
        )
        if sanitize(f"a{chr(code)}b") != expected:
            wrong.append(hex(code))
    assert wrong == []


@rows(
    "text",
    [
        "👨\u200d👩\u200d👧",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "\u0645\u06cc\u200c\u062e\u0648",
        "क्\u200dष",
        "שלום",
        "\u0645\u0631\u062d\u0628\u0627",
        "日本語",
        "👍🏽",
        "🏳\ufe0f\u200d🌈",
    ],
)
def test_languages_and_emoji_are_unchanged(text: str) -> None:
    assert sanitize(text) == text
    assert one_line(text, 50) == text


@rows("hidden", ["\u200b", "\u200d", "\ufe0f", "\U000e0061\U000e0062", "\u202e", "\x1b[8m", "\u3164", "\u200d\ufe0f"])
def test_invisible_characters_do_not_split_a_word(hidden: str) -> None:
    assert sanitize(f"sec{hidden}ret") == "secret"


@given(st.text())
def test_sanitizing_is_idempotent(text: str) -> None:
    assert sanitize(sanitize(text)) == sanitize(text)


def test_generated_ranges_are_those_of_the_unicode_property() -> None:
    lines = ["00AD ; Default_Ignorable_Code_Point # Cf", "E0000..E0001 ; Default_Ignorable_Code_Point", "E0002; Other"]
    assert ranges(lines) == [(0xAD, 0xAD), (0xE0000, 0xE0001)]


def test_generated_table_replaces_only_the_generated_part() -> None:
    module = TARGET.read_text(encoding="utf-8")
    rows = [f"{first:04X}..{last:04X} ; Default_Ignorable_Code_Point" for first, last in DEFAULT_IGNORABLE]
    assert updated(module, "\n".join(["# DerivedCoreProperties-17.0.0.txt", *rows])) == module
    other = updated(module, "# Other.txt\n00AD ; Default_Ignorable_Code_Point")
    assert "# Source: Other.txt\nDEFAULT_IGNORABLE = (\n    (0x00AD, 0x00AD),\n)\n# End" in other
