"""The log of one phase: a file that grows while clients read it.

The Terraform CLI drops the first three lines of an apply's log, so every log starts with a header of three lines. The
lines of Terraform's machine-readable output follow, one JSON object each. Sources: internal/cloud of the Terraform CLI;
Terraform, "Machine-Readable UI".

Clients receive STX before the log and ETX after it, and treat ETX as the end of the phase. The file contains neither:
the status of the phase decides whether it has finished, also after a crash or if the disk is full.
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
    """The writer of a log. A write is in the file when it returns.

    Writing raises OSError if the disk is full; earlier writes are kept. Opening an existing log appends to it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        size = os.fstat(self._file).st_size
        self._is_truncated = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def header(self, terraform: Terraform) -> None:
        """Write the three lines that precede Terraform's output."""
        lines = (f"{terraform.name} v{terraform.version}", f"on {terraform.platform}", _INITIALIZING)
        self.write("".join(f"{line}\n" for line in lines).encode())

    def write(self, data: bytes) -> None:
        """Append bytes. They start on a new line if a crash truncated the last one."""
        if self._is_truncated and data:
            data = b"\n" + data
            self._is_truncated = False
        while data:
            data = data[os.write(self._file, data) :]

    def write_error(self, summary: str, detail: str = "") -> None:
        """Append an error of the server in Terraform's format, which every client renders as an error."""
        self._write_diagnostic("error", summary, detail)

    def write_warning(self, summary: str, detail: str = "") -> None:
        """Append a warning of the server in Terraform's format."""
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
        """The number of lines in the file."""
        with open(os.dup(self._file), "rb") as file:  # noqa: PTH123
            file.seek(0)
            return sum(1 for _ in file)

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_INITIALIZING = "Initializing plugins and modules..."


def read_log(path: Path, offset: int = 0, limit: int | None = None, *, is_finished: bool) -> bytes:
    """Read a range of a log; see `log_parts`."""
    return b"".join(log_parts(path, offset, limit, is_finished=is_finished))


def log_parts(path: Path, offset: int = 0, limit: int | None = None, *, is_finished: bool) -> Iterator[bytes]:
    """Read a range of a log, as clients see it, in parts: a log may be larger than the memory.

    There are no parts after the end, or before the first write. ETX is a separate part, the last one.

    Args:
        path: the file of the log.
        offset: the first byte; STX has the offset 0.
        limit: the maximum number of bytes.
        is_finished: whether the phase has finished, so that ETX follows the last byte.
    """
    size = path.stat().st_size if path.exists() else 0
    if not size and not is_finished:
        return
    end = len(STX) + size + len(ETX)
    if limit is not None:
        end = min(end, offset + limit)
    yield STX[offset:end]
    yield from _parts(path, max(offset - len(STX), 0), min(end - len(STX), size))
    if is_finished and offset <= len(STX) + size < end:
        yield ETX


def _parts(path: Path, start: int, end: int) -> Iterator[bytes]:
    if start >= end:
        return
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (part := file.read(min(PART_BYTES, end - start))):
            start += len(part)
            yield part
