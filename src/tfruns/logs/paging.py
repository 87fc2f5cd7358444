"""Pages of a log: never more than a number of bytes, whatever is in it.

What is shown passes through `mask` before anything is searched or cut: half of a secret would not be known for one.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tfruns.logs.lines import ETX, STX, lines_of
from tfruns.masking.secrets import Mask
from tfruns.wording import counted, cut_line

MAX_LINE = 2_000  # characters of a line that are shown
_REST_OF_LINE = "[the rest of a line is left out]"
_LONG_LINE = "[a line that is too long is left out]"


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a log.

    Attributes:
        lines: the lines.
        taken: bytes of the log that they stand for.
        is_full: no further line fits.
    """

    lines: list[str]
    taken: int
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a log.

    Attributes:
        data: its bytes.
        is_line_start: a line begins where the piece does.
        is_end: nothing follows the piece. Else a last line without its end is held back: it may be incomplete.
        is_full: the piece is as large as pieces get; a line that is longer is left out.
    """

    data: bytes
    is_line_start: bool
    is_end: bool
    is_full: bool


def size_of(text: str) -> int:
    """The bytes of a text in JSON, without its quotes."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", errors="replace")) - 2


def page_from(
    piece: Piece,
    max_bytes: int,
    mask: Mask,
    *,
    search: str = "",
    max_lines: int | None = None,
    is_continued: bool = False,
) -> Page:
    """The first lines of a piece of a log, as many as fit. The lines of one message stay together.

    Args:
        piece: the piece.
        max_bytes: of the page, as JSON.
        mask: takes out what must not be shown.
        search: only the lines that contain this text.
        max_lines: of the page.
        is_continued: the page has lines of an earlier piece; only what is alone on a page is cut to fit.
    """
    data = piece.data
    taken, shown = (0, []) if piece.is_line_start else _rest_of_line(piece)
    room = max_bytes
    while taken < len(data):
        end = data.find(b"\n", taken)
        is_whole = end >= 0
        if not is_whole and not piece.is_end and not (piece.is_full and taken == 0):
            break
        raw = data[taken : end if is_whole else len(data)]
        lines = _lines_of(raw, piece, mask, search, is_whole=is_whole)
        cost = size_of("\n".join(lines)) + 2 if lines else 0
        is_too_much = cost > room or (max_lines is not None and len(shown) + len(lines) > max_lines)
        if lines and (shown or is_continued) and is_too_much:
            return Page(shown, taken, is_full=True)
        if cost > room:
            lines = [_shortened("\n".join(lines), max_bytes)]
        room -= cost
        shown += lines
        taken += len(raw) + is_whole
    return Page(shown, taken)


def _lines_of(raw: bytes, piece: Piece, mask: Mask, search: str, *, is_whole: bool) -> list[str]:
    if not is_whole and not piece.is_end:
        return [_LONG_LINE]  # the missing rest might tell that this part is secret
    if not is_whole and not raw.strip(STX + ETX):
        return []
    return shown_lines(lines_of(raw), mask, search)


def _rest_of_line(piece: Piece) -> tuple[int, list[str]]:
    end = piece.data.find(b"\n")
    if end >= 0:
        return end + 1, [_REST_OF_LINE]
    return (len(piece.data), [_REST_OF_LINE]) if piece.is_end or piece.is_full else (0, [])


def shown_lines(lines: Iterable[str], mask: Mask, search: str = "") -> list[str]:
    """Lines as they may be shown: without secrets, only those that contain a text, and each cut."""
    text = list(lines)
    if not text:
        return []
    word = search.strip().casefold()
    masked = mask("\n".join(text)).split("\n")
    return [_cut_around(line, word) for line in masked if not word or word in line.casefold()]


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
    length = min(len(text), max_bytes)
    while length and size_of(cut_line(text, length)) > max_bytes:
        length = length * 2 // 3
    return cut_line(text, length)


def _cut_around(line: str, word: str) -> str:
    """A line; of a long one, its beginning, or the part that contains the word."""
    place = line.casefold().find(word) if word else 0
    begin = place - MAX_LINE // 2 if place + len(word) > MAX_LINE else 0
    return (
        f"[{counted(begin, 'character')} left out] …{cut_line(line[begin:], MAX_LINE)}"
        if begin
        else cut_line(line, MAX_LINE)
    )
