"""A log from its beginning to its end, in large pieces: for a terminal or a file, where an assistant reads pages."""

from typing import TYPE_CHECKING, Literal

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.errors import UnexpectedResponse
from tfruns.logs.lines import lines_of, whole_lines
from tfruns.phases import has_phase_ended
from tfruns.runs.logs import PhaseName, Read, phase_with_log, reader
from tfruns.runs.masks import masker, withheld

if TYPE_CHECKING:
    from tfruns.masking.secrets import Mask

_PIECE = 1 << 20  # bytes per request
_LONGEST_LINE = 4 << 20  # bytes; the value of an output may be on one line
_LONG_LINE = f"[a line of more than {_LONGEST_LINE >> 20} MB is omitted]"


class LogStream:
    """Reads a log as it grows. A line is read once it is complete.

    Attributes:
        phase: the phase that it is of; `auto` until it is known.
        is_over: nothing follows the lines that were read.
    """

    def __init__(self, client: Client, run_id: str, phase: PhaseName | Literal["auto"] = "auto") -> None:
        self.phase: PhaseName | Literal["auto"] = phase
        self.is_over = False
        self._client = client
        self._run_id = run_id
        self._read: Read | None = None
        self._mask: Mask = withheld
        self._has_ended = False
        self._offset = 0
        self._rest = b""
        self._is_in_long_line = False

    @property
    def has_begun(self) -> bool:
        """Whether there is a log."""
        return self.is_over or self._offset > 0 or self._read is not None

    async def more(self) -> list[str]:
        """The next lines; empty if none are available now.

        Raises:
            TfrunsError: the run or its log cannot be read.
        """
        while not self.is_over and (data := await self._next_piece()) is not None:
            if lines := await to_thread.run_sync(self._lines_of, data):
                return lines
        return []

    async def _next_piece(self) -> bytes | None:
        """The next bytes; empty at the end of a finished log; None if nothing more was written yet."""
        if self._read is None and not await self._open():
            return None
        data = await self._read_at_offset()
        if data:
            self._offset += len(data)
            return data
        self._read = None  # the next call asks again whether the phase has ended
        self.is_over = self._has_ended
        return b"" if self.is_over else None

    async def _read_at_offset(self) -> bytes:
        try:
            return await self._read(self._offset, _PIECE) if self._read else b""
        except UnexpectedResponse:  # the address may have expired
            if not await self._open() or self._read is None:
                raise
            return await self._read(self._offset, _PIECE)

    async def _open(self) -> bool:
        """Read the log's URL. Returns False if there is no log yet."""
        run = await self._client.runs.read(self._run_id)
        found = await phase_with_log(self._client, run, self.phase)
        if found is None:
            return False
        self.phase, document = found
        self._has_ended = has_phase_ended(document.status)
        self._read, self._mask = reader(self._client, document), await masker(self._client, run)
        return True

    def _lines_of(self, data: bytes) -> list[str]:
        """The lines that are complete with these bytes."""
        begin, end, rest = data.rpartition(b"\n")
        whole, rest = (self._rest + begin + end, rest) if end else (b"", self._rest + data)
        if end and self._is_in_long_line:
            whole = whole[whole.find(b"\n") + 1 :]
            self._is_in_long_line = False
        notes: list[str] = []
        if len(rest) > _LONGEST_LINE:
            notes = [] if self._is_in_long_line else [_LONG_LINE]
            rest, self._is_in_long_line = b"", True
        if self.is_over and not self._is_in_long_line:
            whole, rest = whole + rest, b""
        self._rest = rest
        shown = [line for raw in whole_lines(whole) for line in lines_of(raw)] if whole else []
        return [*(self._mask("\n".join(shown)).split("\n") if shown else []), *notes]
