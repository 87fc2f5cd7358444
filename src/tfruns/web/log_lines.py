"""Logs with their colors: the end of a log, what was added to it, and the pages of a whole log with line numbers.

These are tools, so that they pass the gate, and they are not in the registry, because their results are too large for
an assistant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from time import monotonic

from anyio import to_thread

from tfruns.arguments import RunId
from tfruns.client.client import Client
from tfruns.client.phase_logs import PhaseName, Read, phase_with_log, reader
from tfruns.logs.colors import StyledLine, classes_of, plain_text, styled_lines
from tfruns.logs.lines import ETX, whole_lines
from tfruns.logs.paging import MAX_LINE
from tfruns.masking.secrets import Mask
from tfruns.phases import has_phase_ended
from tfruns.policy import Toolset
from tfruns.runs.logs import CHUNK, tail
from tfruns.runs.masks import masker
from tfruns.tool import Context, tool
from tfruns.views.base import View
from tfruns.web.log_index import PAGE_BYTES, PAGE_LINES, LogIndex, LogIndexes, PageStart
from tfruns.wording import cut_line

_TAIL_LINES = 200
_MAX_PAGE = 4 * PAGE_BYTES
_MAX_MATCHES = 500
_SEARCH_S = 2.0  # for one request
_TOO_LONG = "[line omitted: too long]"


@dataclass(frozen=True, slots=True)
class LogTextView(View):
    """Lines of a log.

    Attributes:
        phase: `plan` or `apply`; empty if the run has no log.
        text: the lines.
        length: the length of the text before it passed the gate; the styles are valid only for this length.
        numbers: the number of each line in the log, or 0 for a further line of the same message; empty if unknown.
        styles: the styles of parts of the text.
        next_offset: where a log that still grows continues; None for a complete log.
        is_tail: whether the log has lines before these.
        page: the number of the page, from 1.
        previous_line: a line of the previous page.
        next_line: the first line of the next page, or where a search continues.
        total_lines: the number of lines, if it is known.
    """

    phase: str = ""
    text: str = ""
    length: int = 0
    numbers: tuple[int, ...] = ()
    styles: tuple[tuple[int, int, int], ...] = ()
    next_offset: int | None = None
    is_tail: bool = False
    page: int = 1
    previous_line: int | None = None
    next_line: int | None = None
    total_lines: int | None = None
    note: str = ""

    def lines(self) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """The number of each line, and its parts with the classes of their styles."""
        styles = self.styles if len(self.text) == self.length else ()
        begin, at = 0, 0
        for index, line in enumerate(self.text.split("\n") if self.text or self.numbers else ()):
            end = begin + len(line)
            parts: list[tuple[str, str]] = []
            done = begin
            while at < len(styles) and styles[at][0] < end:
                first, last, style = styles[at]
                parts += [("", self.text[done:first]), (classes_of(style), self.text[first:last])]
                done, at = last, at + 1
            parts.append(("", self.text[done:end]))
            yield (self.numbers[index] if index < len(self.numbers) else 0), [part for part in parts if part[1]]
            begin = end + 1


@dataclass(frozen=True, slots=True)
class _Log:
    """The log of a phase."""

    name: PhaseName
    phase_id: str
    read: Read
    mask: Mask
    is_over: bool


async def _open(client: Client, run_id: str, phase: str) -> _Log | None:
    run = await client.runs.read(run_id)
    found = await phase_with_log(client, run, phase)
    if found is None:
        return None
    name, document = found
    is_over = has_phase_ended(document.status)
    return _Log(name, document.id, reader(client, document), await masker(client, run), is_over)


@tool(title="Read the end of a log", toolset=Toolset.REVIEW, order=0, is_read_only=True)
async def log_tail(context: Context, run_id: RunId, phase: str = "auto") -> LogTextView:
    """Read the last lines of a run's log."""
    log = await _open(context.client, run_id, phase)
    if log is None:
        return LogTextView(note="The run has no log yet.")
    part = (await tail(log.read, 4 * CHUNK)).from_line_start()
    is_complete = log.is_over or part.data.endswith(ETX)
    whole = part if is_complete else part.up_to_line_end()
    lines = await to_thread.run_sync(_rendered, whole.data)
    shown = lines[-_TAIL_LINES:]
    return await to_thread.run_sync(
        partial(
            _view,
            log,
            [(0, line) for line in shown],
            next_offset=None if is_complete else whole.end,
            is_tail=bool(whole.offset) or len(shown) < len(lines),
        )
    )


@tool(title="Follow a log", toolset=Toolset.REVIEW, order=0, is_read_only=True)
async def log_since(context: Context, run_id: RunId, phase: str, offset: int) -> LogTextView:
    """Read the complete lines that were added to a log after an offset, at most a piece."""
    log = await _open(context.client, run_id, phase)
    if log is None:
        return LogTextView(next_offset=offset)
    data = await log.read(offset, CHUNK)
    is_end = len(data) < CHUNK and (log.is_over or data.endswith(ETX))
    end = len(data) if is_end else data.rfind(b"\n") + 1
    if not end and len(data) >= CHUNK:  # a line that is longer than a piece
        return LogTextView(log.name, _TOO_LONG, len(_TOO_LONG), next_offset=offset + len(data))
    lines = await to_thread.run_sync(_rendered, data[:end])
    return await to_thread.run_sync(
        partial(_view, log, [(0, line) for line in lines], next_offset=None if is_end else offset + end)
    )


@tool(title="Read a page of a log", toolset=Toolset.REVIEW, order=0, is_read_only=True)
async def log_page(context: Context, run_id: RunId, phase: str, line: int = 1, search: str = "") -> LogTextView:
    """Read the page of a log with a line, or its last page for 0; or the lines from a line on that contain a text."""
    log = await _open(context.client, run_id, phase)
    if log is None:
        return LogTextView(note=f"The run has no log of the {phase} yet.")
    index = context.client.derived(LogIndexes).of(log.phase_id)
    if search.strip():
        return await _search(log, index, line, search.strip().casefold())
    number = await index.find(log.read, line or None)
    lines = await to_thread.run_sync(_numbered, await _page_data(log, index, number), index.starts[number])
    is_known = number + 1 < len(index.starts)
    return await to_thread.run_sync(
        partial(
            _view,
            log,
            lines,
            page=number + 1,
            previous_line=index.starts[number - 1].line if number else None,
            next_line=index.starts[number + 1].line if is_known else None,
            total_lines=None if is_known else max((number for number, _ in lines), default=0),
        )
    )


async def _page_data(log: _Log, index: LogIndex, number: int) -> bytes:
    """The bytes of a page, without the part of a huge line that exceeds the limit."""
    size = min(index.size(number) or _MAX_PAGE, _MAX_PAGE)
    data = b""
    while len(data) < size and (more := await log.read(index.starts[number].offset + len(data), size - len(data))):
        data += more
    if len(data) == _MAX_PAGE and not data.endswith(b"\n"):
        return data[: data.rfind(b"\n") + 1] + _TOO_LONG.encode() + b"\n"
    is_last = index.size(number) is None
    return data if not is_last or log.is_over or data.endswith(ETX) else data[: data.rfind(b"\n") + 1]


async def _search(log: _Log, index: LogIndex, line: int, word: str) -> LogTextView:
    found: list[tuple[int, StyledLine]] = []
    number = await index.find(log.read, line)
    deadline = monotonic() + _SEARCH_S
    while len(found) < _MAX_MATCHES and monotonic() < deadline:
        data = await _page_data(log, index, number)
        found += await to_thread.run_sync(_matches, log, data, index.starts[number], line, word)
        if number + 1 >= len(index.starts):
            await index.find(log.read, index.starts[number].line + PAGE_LINES)
        if number + 1 >= len(index.starts):
            number = -1
            break
        number += 1
    rest = None if number < 0 else index.starts[number].line
    if len(found) > _MAX_MATCHES:
        found, rest = found[:_MAX_MATCHES], found[_MAX_MATCHES][0]
    return await to_thread.run_sync(partial(_view, log, found, next_line=rest))


def _matches(log: _Log, data: bytes, start: PageStart, line: int, word: str) -> list[tuple[int, StyledLine]]:
    """The lines of a page that contain a text, after they were masked."""
    plain = plain_text(data)
    if plain is not None and word not in plain.casefold():
        return []
    lines = _numbered(data, start)
    masked = log.mask("\n".join(item.text for _, item in lines)).split("\n")
    found, number = list[tuple[int, StyledLine]](), 0
    for position, (own, item) in enumerate(lines):
        number = own or number
        text = masked[position] if len(masked) == len(lines) else log.mask(item.text)
        if number >= line and word in text.casefold():
            found.append((number, item))
    return found


def _rendered(data: bytes) -> list[StyledLine]:
    return [line for raw in whole_lines(data) for line in styled_lines(raw)] if data else []


def _numbered(data: bytes, start: PageStart) -> list[tuple[int, StyledLine]]:
    """The rendered lines of a page. The first one of each line of the log has its number."""
    return [
        (0 if position else number, line)
        for number, raw in enumerate(whole_lines(data) if data else (), start.line)
        for position, line in enumerate(styled_lines(raw))
    ]


def _view(log: _Log, lines: Iterable[tuple[int, StyledLine]], **members: object) -> LogTextView:
    """The view of lines. A line that contains a secret loses its colors."""
    found = list(lines)
    shown = log.mask("\n".join(line.text for _, line in found)).split("\n") if found else []
    is_aligned = len(shown) == len(found)
    styles: list[tuple[int, int, int]] = []
    at = 0
    for number, text in enumerate(shown):
        if is_aligned and text == found[number][1].text and len(text) <= MAX_LINE:
            styles += [(at + first, at + last, style) for first, last, style in found[number][1].styles]
        shown[number] = cut_line(text, MAX_LINE)
        at += len(shown[number]) + 1
    text = "\n".join(shown)
    numbers = tuple(number for number, _ in found) if is_aligned and any(number for number, _ in found) else ()
    return LogTextView(log.name, text, len(text), numbers, tuple(styles), **members)  # type: ignore[arg-type]
