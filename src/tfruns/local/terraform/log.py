"""The log of one phase: a file that grows while it is read.

The Terraform CLI drops the first three lines of an apply's log, so every log has a header of three lines. Then come the
lines of Terraform's machine-readable output, one JSON object each. Sources: internal/cloud of the Terraform CLI;
Terraform, "Machine-Readable UI".

Readers get STX before and ETX behind it, and take ETX for the end of the phase. So neither is in the file: whether the
phase has ended is its status, which only the reader of both knows, also after a crash or on a full disk.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tfruns.local.terraform.executable import Terraform

HEADER_LINES = 3
STX = b"\x02"
ETX = b"\x03"
PART_BYTES = 1 << 20


class PhaseLog:
    """The writing side. Every write is in the file when it returns; a log that a crash left behind is continued.

    Writing raises OSError when the disk is full; what was written before stays. To open a log that is there writes
    nothing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        size = os.fstat(self._file).st_size
        self._is_cut_off = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def header(self, terraform: Terraform) -> None:
        """Write the three lines that come before Terraform's own."""
        lines = (f"{terraform.name} v{terraform.version}", f"on {terraform.platform}", _INITIALIZING)
        self.write("".join(f"{line}\n" for line in lines).encode())

    def write(self, data: bytes) -> None:
        """Append bytes; on a line of their own, where a crash has cut off the last one."""
        if self._is_cut_off and data:
            data = b"\n" + data
            self._is_cut_off = False
        while data:
            data = data[os.write(self._file, data) :]

    def write_error(self, summary: str, detail: str = "") -> None:
        """Append an error of ours in the form of Terraform's, so that every renderer shows it as one."""
        self._write_diagnostic("error", summary, detail)

    def write_warning(self, summary: str, detail: str = "") -> None:
        """Append a warning of ours in the form of Terraform's."""
        self._write_diagnostic("warning", summary, detail)

    def _write_diagnostic(self, severity: str, summary: str, detail: str) -> None:
        message = {
            "@level": "error" if severity == "error" else "warn",
            "@message": f"{severity.capitalize()}: {summary}",
            "@module": "tfruns",
            "@timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "diagnostic": {"severity": severity, "summary": summary, "detail": detail},
            "type": "diagnostic",
        }
        self.write(json.dumps(message).encode() + b"\n")

    def count_lines(self) -> int:
        """How many lines there are by now, from this writer and those before it."""
        with open(os.dup(self._file), "rb") as file:  # noqa: PTH123
            file.seek(0)
            return sum(1 for _ in file)

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_INITIALIZING = "Initializing plugins and modules..."


def read_log(path: Path, offset: int = 0, limit: int | None = None, *, is_ended: bool) -> bytes:
    """Part of a log as clients see it, or all of it; see `log_parts`."""
    return b"".join(log_parts(path, offset, limit, is_ended=is_ended))


def log_parts(path: Path, offset: int = 0, limit: int | None = None, *, is_ended: bool) -> Iterator[bytes]:
    """Part of a log as clients see it, or all of it, bit by bit: it may be larger than what fits into memory.

    It is empty past the end, or where nothing has been written yet. ETX comes by itself, as the last.

    Args:
        path: the log's file.
        offset: bytes to leave out at the beginning; STX is the first byte.
        limit: bytes to return at most.
        is_ended: whether the phase has ended, so that ETX follows the last byte.
    """
    size = path.stat().st_size if path.exists() else 0
    if not size and not is_ended:
        return
    end = len(STX) + size + len(ETX)
    if limit is not None:
        end = min(end, offset + limit)
    yield STX[offset:end]
    yield from _parts(path, max(offset - len(STX), 0), min(end - len(STX), size))
    if is_ended and offset <= len(STX) + size < end:
        yield ETX


def _parts(path: Path, start: int, end: int) -> Iterator[bytes]:
    if start >= end:
        return
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (part := file.read(min(PART_BYTES, end - start))):
            start += len(part)
            yield part
