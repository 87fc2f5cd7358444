"""Pages of a log with a limited size in bytes.

Text is masked before it is searched or truncated: a truncated secret would not be recognized.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tfruns.logs.lines import ETX, STX, lines_of
from tfruns.masking.secrets import Mask
from tfruns.wording import counted, cut_line

MAX_LINE = 2_000  # characters of a line that are shown
_REST_OF_LINE = "[rest of a line omitted]"
_LONG_LINE = "[line omitted: too long]"


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of a log.

    Attributes:
        lines: the lines.
        taken: the bytes of the log that they cover.
        is_full: whether no further line fits.
    """

    lines: list[str]
    taken: int
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a log.

    Attributes:
        data: its bytes.
        is_line_start: whether the piece starts at the start of a line.
        is_end: whether the log ends with the piece. If not, an incomplete last line is kept for the next piece.
        is_full: whether the piece has the maximum size; a longer line is omitted.
    """

    data: bytes
    is_line_start: bool
    is_end: bool
    is_full: bool


def size_of(text: str) -> int:
    """The size of a text in JSON in bytes, without its quotes."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", errors="replace")) - 2


def page_from(
    piece: Piece,
    max_bytes: int,
    mask: Mask,
    *,
    search: str = "",
    max_lines: int | None = None,
    is_continued: bool = False,
) -> LogPage:
    """The first lines of a piece that fit on a page. The lines of a message stay together.

    Args:
        piece: the piece of the log.
        max_bytes: the page size limit, as JSON.
        mask: removes secrets.
        search: include only lines that contain this text.
        max_lines: the limit of lines.
        is_continued: whether the page already has lines of an earlier piece; a line is truncated only if it is alone
            on the page.
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
            return LogPage(shown, taken, is_full=True)
        if cost > room:
            lines = [_shortened("\n".join(lines), max_bytes)]
        room -= cost
        shown += lines
        taken += len(raw) + is_whole
    return LogPage(shown, taken)


def _lines_of(raw: bytes, piece: Piece, mask: Mask, search: str, *, is_whole: bool) -> list[str]:
    if not is_whole and not piece.is_end:
        return [_LONG_LINE]  # a secret may extend into the missing rest
    if not is_whole and not raw.strip(STX + ETX):
        return []
    return shown_lines(lines_of(raw), mask, search)


def _rest_of_line(piece: Piece) -> tuple[int, list[str]]:
    end = piece.data.find(b"\n")
    if end >= 0:
        return end + 1, [_REST_OF_LINE]
    return (len(piece.data), [_REST_OF_LINE]) if piece.is_end or piece.is_full else (0, [])


def shown_lines(lines: Iterable[str], mask: Mask, search: str = "") -> list[str]:
    """The lines to show: masked, filtered by a text, and truncated."""
    text = list(lines)
    if not text:
        return []
    word = search.strip().casefold()
    masked = mask("\n".join(text)).split("\n")
    return [_cut_around(line, word) for line in masked if not word or word in line.casefold()]


def last_that_fit(lines: list[str], max_lines: int, max_bytes: int) -> list[str]:
    """The last lines that fit."""
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
    """The first texts that fit, and the number of omitted ones."""
    room = max_bytes
    kept: list[str] = []
    omitted = 0
    for block in blocks:
        cost = size_of(block) + 3
        if omitted or (kept and cost > room):
            omitted += 1
            continue
        kept.append(block if cost <= room else _shortened(block, room))
        room -= cost
    return kept, omitted


def _shortened(text: str, max_bytes: int) -> str:
    """The start of a text that does not fit."""
    length = min(len(text), max_bytes)
    while length and size_of(cut_line(text, length)) > max_bytes:
        length = length * 2 // 3
    return cut_line(text, length)


def _cut_around(line: str, word: str) -> str:
    """A line; if it is long, its start or the part that contains the word."""
    at = line.casefold().find(word) if word else 0
    begin = at - MAX_LINE // 2 if at + len(word) > MAX_LINE else 0
    return (
        f"[{counted(begin, 'character')} omitted] …{cut_line(line[begin:], MAX_LINE)}"
        if begin
        else cut_line(line, MAX_LINE)
    )
