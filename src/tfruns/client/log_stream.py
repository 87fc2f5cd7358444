"""A log from its beginning to its end, in large pieces, while it grows."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from inspect import isawaitable
from typing import Literal

from anyio import to_thread

from tfruns.client.phase_logs import PhaseName, Read, RunReader, may_have_applied, phase_with_log, reader, running_phase
from tfruns.errors import TfrunsError, UnexpectedResponse
from tfruns.lifecycle import is_planned
from tfruns.logs.lines import lines_of, whole_lines
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import Mask
from tfruns.phases import has_phase_ended
from tfruns.wire.runs import Run

_PIECE = 1 << 20  # bytes per request
_MAX_LINE_BYTES = 4 << 20  # bytes; the value of an output may be on one line
_LONG_LINE = f"[a line of more than {_MAX_LINE_BYTES >> 20} MB is omitted]"


class LogStream:
    """Reads a log as it grows. A line is read once it is complete.

    Attributes:
        phase: the phase that it is of; `auto` until it is known.
        is_over: nothing follows the lines that were read.

    Args:
        client: the API.
        run_id: the run.
        phase: the phase.
        read_mask: reads the mask for the texts of the run; by default, tokens and signed URLs are masked.
    """

    def __init__(
        self,
        client: RunReader,
        run_id: str,
        phase: PhaseName | Literal["auto"] = "auto",
        read_mask: Callable[[Run], Awaitable[Mask]] | None = None,
    ) -> None:
        self.phase: PhaseName | Literal["auto"] = phase
        self.is_over = False
        self._client = client
        self._run_id = run_id
        self._read_mask = read_mask
        self._read: Read | None = None
        self._mask: Mask = redact
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
        mask = await self._read_mask(run) if self._read_mask else redact
        self._read, self._mask = reader(self._client, document), mask
        return True

    def _lines_of(self, data: bytes) -> list[str]:
        """The lines that are complete with these bytes."""
        begin, end, rest = data.rpartition(b"\n")
        whole, rest = (self._rest + begin + end, rest) if end else (b"", self._rest + data)
        if end and self._is_in_long_line:
            whole = whole[whole.find(b"\n") + 1 :]
            self._is_in_long_line = False
        notes: list[str] = []
        if len(rest) > _MAX_LINE_BYTES:
            notes = [] if self._is_in_long_line else [_LONG_LINE]
            rest, self._is_in_long_line = b"", True
        if self.is_over and not self._is_in_long_line:
            whole, rest = whole + rest, b""
        self._rest = rest
        shown = [line for raw in whole_lines(whole) for line in lines_of(raw)] if whole else []
        return [*(self._mask("\n".join(shown)).split("\n") if shown else []), *notes]


class LogFollower:
    """Passes on the log of a run's current phase from its start, then that of the next phase, line by line.

    A log that cannot be read does not stop it: the caller needs the run.
    """

    def __init__(self, client: RunReader, on_line: Callable[[str], object]) -> None:
        self._client = client
        self._on_line = on_line
        self._streams: list[LogStream] | None = None
        self._begun = 0

    async def follow(self, run: Run) -> None:
        """Pass on the lines that were written up to now."""
        streams = self._open(run)
        phases = [stream.phase for stream in streams]
        phase = running_phase(run.status)
        if phase in phases:  # earlier phases have ended
            self._begun = phases.index(phase) + 1
        elif is_planned(run.status, run.passed):
            self._begun = max(self._begun, phases[:1].count("plan"))
        for stream in streams[: self._begun]:
            await self._pass_on(stream)

    async def finish(self, run: Run) -> None:
        """Pass on the rest of the logs, when the run is not watched any longer."""
        for stream in self._open(run):
            if stream.phase == "plan" or may_have_applied(run):
                await self._pass_on(stream)
                await self._pass_on(stream)  # the phase may have ended since its status was read

    def _open(self, run: Run) -> list[LogStream]:
        if self._streams is None:
            phases: tuple[PhaseName, ...] = ("apply",) if may_have_applied(run) else ("plan", "apply")
            self._streams = [LogStream(self._client, run.id, phase) for phase in phases]
        return self._streams

    async def _pass_on(self, stream: LogStream) -> None:
        while lines := await _more(stream):
            for line in lines:
                result = self._on_line(line)
                if isawaitable(result):
                    await result


async def _more(stream: LogStream) -> list[str]:
    with suppress(TfrunsError):
        return await stream.more()
    return []
