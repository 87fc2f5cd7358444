"""Pages of a log: never more than a number of bytes, whatever is in it.

What is shown passes through `mask` before anything is cut: half of a secret would not be known for one.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tfruns.logs.lines import ETX, STX, line_of
from tfruns.masking.secrets import Mask

MAX_LINE = 2_000  # characters of a line that are shown
_REST_OF_LINE = "[the rest of a line is left out]"
_LONG_LINE = "[a line that is too long is left out]"


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a log.

    Attributes:
        text: the lines.
        taken: bytes of the log that they stand for.
    """

    text: str
    taken: int


def size_of(text: str) -> int:
    """The bytes of a text in JSON, without its quotes."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", errors="replace")) - 2


def page_from(data: bytes, max_bytes: int, mask: Mask, *, is_line_start: bool, is_end: bool, is_full: bool) -> Page:
    """The first lines of a part of a log, as many as fit.

    Args:
        data: the part.
        max_bytes: of the page, as JSON.
        mask: takes out what must not be shown.
        is_line_start: a line begins where the part does.
        is_end: nothing will follow the part. Else a last line without its end is held back: it may go on.
        is_full: the part is as large as it may be; a line that is longer is not waited for, and left out.
    """
    taken = 0
    shown: list[str] = []
    room = max_bytes
    if not is_line_start:
        taken, shown = _rest_of_line(data, is_end=is_end, is_full=is_full)
    while taken < len(data):
        end = data.find(b"\n", taken)
        is_whole = end >= 0
        if not is_whole and not is_end and not (is_full and taken == 0):
            break
        raw = data[taken : end if is_whole else len(data)]
        if not is_whole and not is_end:
            lines = [_LONG_LINE]  # what was cut off might tell that what is here is secret
        else:
            lines = lines_for(line_of(raw).lines, mask) if is_whole or raw.strip(STX + ETX) else []
        text = "\n".join(lines)
        if lines and size_of(text) + 2 > room:
            if shown:
                break
            lines = [_shortened(text, max_bytes)]
        room -= size_of("\n".join(lines)) + 2 if lines else 0
        shown += lines
        taken += len(raw) + is_whole
    return Page("\n".join(shown), taken)


def _rest_of_line(data: bytes, *, is_end: bool, is_full: bool) -> tuple[int, list[str]]:
    end = data.find(b"\n")
    if end >= 0:
        return end + 1, [_REST_OF_LINE]
    return (len(data), [_REST_OF_LINE]) if is_end or is_full else (0, [])


def lines_for(lines: Iterable[str], mask: Mask) -> list[str]:
    """Lines as they may be shown: without secrets, and each cut."""
    text = "\n".join(lines)
    return [_cut(line, MAX_LINE) for line in mask(text).split("\n")]


def last_that_fit(lines: list[str], max_lines: int, max_bytes: int) -> list[str]:
    """The last lines, as many as fit."""
    room = max_bytes
    kept: list[str] = []
    for line in reversed(lines[-max_lines:]):
        cost = size_of(line) + 2
        if cost > room:
            if not kept:
                kept.append(_shortened(line, max_bytes))
            break
        room -= cost
        kept.append(line)
    return kept[::-1]


def first_that_fit(blocks: Iterable[str], max_bytes: int) -> tuple[list[str], int]:
    """The first of some texts, as many as fit, and the number of those left out."""
    room = max_bytes
    kept: list[str] = []
    left_out = 0
    for block in blocks:
        cost = size_of(block) + 3
        if left_out or (kept and cost > room):
            left_out += 1
            continue
        kept.append(block if cost <= room else _shortened(block, room))
        room -= cost
    return kept, left_out


def _shortened(text: str, max_bytes: int) -> str:
    """The beginning of a text that does not fit."""
    length = len(text)
    while length and size_of(_cut(text, length)) > max_bytes:
        length = length * 2 // 3
    return _cut(text, length)


def _cut(line: str, length: int) -> str:
    """A line, of which what is too long is left out and said to be."""
    return line if len(line) <= length else f"{line[:length]}… [{len(line) - length} characters left out]"
