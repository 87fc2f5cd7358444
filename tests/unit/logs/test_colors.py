"""The colors of a log line: from its ANSI codes, or from its meaning."""

import json

from tfruns.logs.colors import classes_of, plain_text, styled_lines

ESC = "\x1b"
RED, GREEN = "\x1b[31m", "\x1b[32m"


def _parts(line: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each rendered line, and its styled parts with their classes."""
    return [
        (found.text, [(found.text[first:last], classes_of(style)) for first, last, style in found.styles])
        for found in styled_lines(line.encode())
    ]


def test_codes_become_styles_and_leave_no_trace() -> None:
    cases = {
        f"{GREEN}ok{ESC}[0m done": ("ok done", [("ok", "green")]),
        f"a {ESC}[1m{ESC}[31mb{ESC}[22mc{ESC}[39md": ("a bcd", [("b", "red bold"), ("c", "red")]),
        f"{ESC}[2mdim{ESC}[m plain": ("dim plain", [("dim", "dim")]),
        f"{ESC}[95mbright": ("bright", [("bright", "magenta")]),
        f"{ESC}[38;5;196mpalette{ESC}[36m cyan": ("palette cyan", [(" cyan", "cyan")]),
        f"{ESC}[38;2;1;31;1mtrue": ("true", []),
        f"{ESC}[41;97mback": ("back", []),
        "plain": ("plain", []),
        "": ("", []),
    }
    for line, expected in cases.items():
        assert _parts(line) == [expected], line


def test_other_sequences_and_invisible_characters_are_removed() -> None:
    cases = {
        f"{RED}a{ESC}[2Jb{ESC}[0m": "ab",
        f"{RED}a\u202eb": "ab",
        f"{ESC}]0;title\x07{RED}x": "x",
        f"{ESC}]8;;http://x{RED}\x07link": "link",
        f"{ESC}[31{ESC}[32mm": "31m",
    }
    for line, text in cases.items():
        found = "".join(line for line, _ in _parts(line))
        assert found == text, repr(line)
        assert ESC not in found


def test_a_line_without_codes_has_the_style_of_its_meaning() -> None:
    cases = {
        "  # a.b will be created": "green",
        "  # a.b will be destroyed": "red",
        "  # a.b must be replaced": "red",
        "  # a.b will be updated in-place": "yellow",
        "Plan: 1 to add": "bold",
        "│ Error: no": "red bold",
        "Warning: old": "yellow bold",
    }
    for line, classes in cases.items():
        assert _parts(line) == [(line, [(line, classes)])]


def test_an_error_message_is_red() -> None:
    message = {
        "@level": "error",
        "@message": "Error: Bad",
        "type": "diagnostic",
        "diagnostic": {"severity": "error", "summary": "Bad", "detail": "Why."},
    }
    found = _parts(json.dumps(message))
    assert [text for text, _ in found if text] == ["Error: Bad", "Why."]
    assert {classes for _, parts in found for _, classes in parts} <= {"red", "red bold"}


def test_plain_text_is_only_given_where_rendering_changes_nothing_else() -> None:
    assert plain_text(f"{GREEN}a{ESC}[0mb\n\tc".encode()) == "ab\n\tc"
    for data in (b'{"@message": "x"}', "ü".encode(), b"\x1b[2Jx", b"a\rb"):
        assert plain_text(data) is None, data
