"""The colors of a log: those that Terraform or a program wrote as ANSI codes, or those of the meaning of a line.

A log is data of others. Only colors and weights are taken from its codes; the text is sanitized as everywhere.

Source: ECMA-48, "SGR - Select Graphic Rendition".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tfruns.logs.lines import text_of
from tfruns.logs.machine import Message, parts_of
from tfruns.masking.text import sanitize

COLORS = ("", "red", "green", "yellow", "blue", "magenta", "cyan")
_COLOR_MASK, _BOLD, _DIM = 7, 8, 16
_RED, _GREEN, _YELLOW, _CYAN = (COLORS.index(name) for name in ("red", "green", "yellow", "cyan"))

_SGR = re.compile(r"\x1b\[([0-9;:]{0,64})m")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e\n\t]")
_MEANINGS = (
    (re.compile(r"\s*# .*(?:will be destroyed|must be replaced|will be replaced)|\s*- "), _RED),
    (re.compile(r"\s*# .*will be created|\s*\+ |Apply complete!|No changes\."), _GREEN),
    (re.compile(r"\s*# .*(?:will be updated in-place|has moved|will no longer be managed)|\s*~ "), _YELLOW),
    (re.compile(r"\s*# .*(?:will be read|will be imported)|\s*<= "), _CYAN),
    (re.compile(r"\W*Error: "), _RED | _BOLD),
    (re.compile(r"\W*Warning: "), _YELLOW | _BOLD),
    (re.compile(r"Plan: "), _BOLD),
)

Style = tuple[int, int, int]
"""The beginning and the end of a part of a text, and the number of its style; see `classes_of`."""


@dataclass(frozen=True, slots=True)
class StyledLine:
    """A line for people, with the styles of its parts."""

    text: str
    styles: tuple[Style, ...] = ()


def styled_lines(data: bytes) -> list[StyledLine]:
    """The rendered lines of one line of a log."""
    return list(chain.from_iterable(map(_lines_of, parts_of(text_of(data)))))


def classes_of(style: int) -> str:
    """The names of a style: its color, `bold` and `dim`."""
    names = (COLORS[style & _COLOR_MASK], "bold" if style & _BOLD else "", "dim" if style & _DIM else "")
    return " ".join(filter(None, names))


def plain_text(data: bytes) -> str | None:
    """The text of a part of a log without its colors, if that is all that rendering changes; None otherwise."""
    text = _SGR.sub("", data.decode("utf-8", errors="replace"))
    return None if '{"' in text or _NOT_PLAIN.search(text) else text


def by_meaning(text: str) -> StyledLine:
    """A line in the style of its meaning."""
    style = next((style for pattern, style in _MEANINGS if pattern.match(text)), 0)
    return StyledLine(text, ((0, len(text), style),) if style and text else ())


def _lines_of(part: Message | str) -> Iterator[StyledLine]:
    if isinstance(part, str):
        yield from _by_codes(part)
        return
    if part.diagnostic is None:
        yield from map(by_meaning, part.lines)
        return
    color = _RED if part.diagnostic.is_error else _YELLOW
    for number, line in enumerate(part.lines):
        yield StyledLine(line, ((0, len(line), color | (0 if number else _BOLD)),) if line else ())


def _by_codes(raw: str) -> Iterator[StyledLine]:
    """The lines of a text with ANSI codes; without usable codes, in the style of their meaning."""
    plain = sanitize(raw)
    pieces = _SGR.split(raw)
    if len(pieces) == 1 or "\n" in plain:
        yield from map(by_meaning, plain.split("\n"))
        return
    text, styles, style = "", list[Style](), 0
    for number, piece in enumerate(pieces):
        if number % 2:
            style = _changed(style, piece)
        elif clean := sanitize(piece):
            if style:
                styles.append((len(text), len(text) + len(clean), style))
            text += clean
    # A code inside another sequence would show what sanitizing removes.
    yield StyledLine(text, tuple(styles)) if text == plain else by_meaning(plain)


def _changed(style: int, codes: str) -> int:
    """The style after the codes of one sequence."""
    numbers = iter(int(code) if code.isdecimal() else 0 for code in re.split("[;:]", codes))
    for code in numbers:
        color = code % 10
        if code == 0:
            style = 0
        elif code == 1:
            style |= _BOLD
        elif code == 2:
            style |= _DIM
        elif code == 22:
            style &= _COLOR_MASK
        elif code in (38, 48, 58):  # another palette, with its own parameters
            for _ in range(1 if next(numbers, 0) == 5 else 3):
                next(numbers, 0)
        elif code // 10 in (3, 9):
            style = style & ~_COLOR_MASK | (color if 1 <= color < len(COLORS) else 0)
    return style
