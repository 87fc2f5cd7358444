"""Where the pages of a log begin, so that a line of a huge log is found without loading the log whole."""

from collections import OrderedDict
from dataclasses import dataclass, field

from tfruns.client.phase_logs import Read

PAGE_LINES = 1_000
PAGE_BYTES = 512 * 1024  # a page ends with the line that exceeds them
_PIECE = 1 << 20
_MAX_KEPT = 20


@dataclass(frozen=True, slots=True)
class PageStart:
    """The beginning of a page: its first byte, and the number of its first line, from 1."""

    offset: int
    line: int


@dataclass(slots=True)
class LogIndex:
    """The beginnings of the pages of one log, as far as it was read. A log only grows.

    Attributes:
        starts: the beginnings.
        end: the end of the last complete line that was read.
        lines: the number of complete lines before it.
        is_whole: whether the log was read to its current end.
    """

    starts: list[PageStart] = field(default_factory=lambda: [PageStart(0, 1)])
    end: int = 0
    lines: int = 0
    is_whole: bool = False

    async def find(self, read: Read, line: int | None) -> int:
        """The number of the page with a line, from 0; the last page if the log has fewer lines, or for None."""
        self.is_whole = False
        while not self.is_whole and (line is None or self.starts[-1].line <= line):
            await self._read_on(read)
        number = len(self.starts) - 1
        while line is not None and number and self.starts[number].line > line:
            number -= 1
        return number

    def size(self, number: int) -> int | None:
        """The bytes of a page; None for the last page that is known."""
        return None if number + 1 >= len(self.starts) else self.starts[number + 1].offset - self.starts[number].offset

    async def _read_on(self, read: Read) -> None:
        """Read the next piece. A line longer than a piece is read in several."""
        data = await read(self.end, _PIECE)
        while data and b"\n" not in data:
            more = await read(self.end + len(data), _PIECE)
            if not more:
                break
            data += more
        at = data.find(b"\n")
        if at < 0:
            self.is_whole = True
            return
        begin = self.end
        while at >= 0:
            last = self.starts[-1]
            if self.lines + 1 - last.line >= PAGE_LINES or self.end - last.offset >= PAGE_BYTES:
                self.starts.append(PageStart(self.end, self.lines + 1))
            self.lines += 1
            self.end = begin + at + 1
            at = data.find(b"\n", at + 1)


@dataclass(slots=True)
class LogIndexes:
    """The indexes of the logs that a visitor opened."""

    _kept: OrderedDict[str, LogIndex] = field(default_factory=OrderedDict)

    def of(self, phase_id: str) -> LogIndex:
        """The index of a phase's log."""
        found = self._kept.pop(phase_id, None) or LogIndex()
        self._kept[phase_id] = found
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return found
