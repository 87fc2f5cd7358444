"""The start and the end of a log. Only the part of a huge log that is shown is in memory.

The API provides a URL and no size. The URL takes `offset` and `limit`, and returns nothing beyond the end.
"""

from dataclasses import dataclass

from tfruns.client.client import Client
from tfruns.client.phase_logs import PhaseName, Read, read_phase, reader
from tfruns.wire.runs import Run

CHUNK = 65_536  # the Terraform CLI's request size; a shorter response is the end
_PIECE = 1 << 20  # for large reads; a response may be shorter
_MAX_SIZE = 1 << 40


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a log, and the offset of its first byte."""

    data: bytes
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    def from_line_start(self) -> "Part":
        """The part without a line whose start is missing: it could contain part of a secret."""
        begin = (self.data.find(b"\n") + 1 or len(self.data)) if self.offset else 0
        return Part(self.data[begin:], self.offset + begin)

    def up_to_line_end(self) -> "Part":
        """The part without an incomplete last line."""
        return Part(self.data[: self.data.rfind(b"\n") + 1], self.offset)


async def head(read: Read, max_bytes: int) -> tuple[bytes, bool]:
    """The first bytes of a log, and whether they are the whole log."""
    pieces: list[bytes] = []
    size = 0
    while size < max_bytes:
        piece = await read(size, min(_PIECE, max_bytes - size))
        if not piece:
            return b"".join(pieces), True
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces), not await read(size, 1)


async def tail(read: Read, max_bytes: int, *, start: int = 0) -> Part:
    """The last bytes of a log. The number of requests grows with the logarithm of its size."""
    first = await read(start, CHUNK)
    if len(first) < CHUNK:
        data = first[-max_bytes:]
        return Part(data, start + len(first) - len(data))
    near = await _near_the_end(read, start + len(first), max_bytes)
    begin = max(start, near - max_bytes)
    pieces: list[bytes] = []
    size = 0
    for _ in range(2 * max_bytes // CHUNK + 2):
        pieces.append(await read(begin + size, CHUNK))
        size += len(pieces[-1])
        if len(pieces[-1]) < CHUNK:
            break
    data = b"".join(pieces)
    last = data[-max_bytes:]
    return Part(last, begin + len(data) - len(last))


async def _near_the_end(read: Read, known: int, precision: int) -> int:
    """An offset within the log, less than `precision` bytes before its end. `known` is within the log."""
    step = precision
    while known + step < _MAX_SIZE and await read(known + step, 1):
        known += step
        step *= 2
    beyond = known + step
    while beyond - known > precision:
        middle = (known + beyond) // 2
        if await read(middle, 1):
            known = middle
        else:
            beyond = middle
    return known


class Follower:
    """Follows a log that is being written, and returns its last lines."""

    def __init__(self, client: Client, run: Run, name: PhaseName, *, max_bytes: int = 8_192) -> None:
        self._client = client
        self._run = run
        self._name: PhaseName = name
        self._max_bytes = max_bytes
        self._read: Read | None = None
        self._part = Part(b"", 0)

    async def last_lines(self) -> bytes:
        """The complete lines at the current end of the log.

        Raises:
            TfrunsError: it cannot be read. The next call requests a new URL.
        """
        read, self._read = self._read, None
        if read is None:
            phase = await read_phase(self._client, self._run, self._name)
            if phase is None or phase.log_read_url is None:
                return b""
            read = reader(self._client, phase)
        more = await tail(read, self._max_bytes, start=self._part.end)
        data = (self._part.data if more.offset == self._part.end else b"") + more.data
        kept = data[-self._max_bytes :]
        self._part = Part(kept, more.end - len(kept))
        self._read = read
        return self._part.from_line_start().up_to_line_end().data
