"""A file with one record per line, to which several processes append.

Every record starts on a new line, even after a write that a full disk or a crash interrupted. Appending locks the file.
If the lock cannot be acquired in time, or the end of the file cannot be read, the record is preceded by a line feed, so
that it can never continue an incomplete record.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LOCK_TIMEOUT_S = 5.0  # a process that is suspended while it owns the lock must not block all others
_LOCK_POLL_S = 0.005
_FLAGS = os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def append_record(path: Path, record: Callable[[], bytes]) -> None:
    """Append a record, and return once it is on the disk.

    Args:
        path: the file. It is created with its parent directories, readable by its owner only.
        record: returns the record without its line feed; called after the file is locked.

    Raises:
        OSError: the record was not written completely. A written part is removed if possible.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file, is_readable = _opened(path)
    try:
        with _locked(file) as is_locked:
            begin = b"" if is_locked and is_readable and _ends_with_line(file) else b"\n"
            _write(file, begin + record() + b"\n", is_locked=is_locked)
        os.fsync(file)
    finally:
        os.close(file)


def _opened(path: Path) -> tuple[int, bool]:
    """The open file, and whether it can be read."""
    try:
        return os.open(path, os.O_RDWR | _FLAGS, 0o600), True
    except PermissionError:
        return os.open(path, os.O_WRONLY | _FLAGS, 0o600), False


def _ends_with_line(file: int) -> bool:
    """Whether the next byte starts a line. For a device or a pipe, this is unknown and assumed."""
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return True
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) == b"\n"


def _write(file: int, data: bytes, *, is_locked: bool) -> None:
    before = os.fstat(file).st_size
    written = 0
    try:
        while written < len(data):
            written += os.write(file, data[written:])
    except OSError:
        if is_locked and written and os.fstat(file).st_size == before + written:
            with suppress(OSError):  # the next record starts on a new line anyway
                os.ftruncate(file, before)
        raise


@contextmanager
def _locked(file: int) -> Iterator[bool]:
    """Prevent other processes and threads from appending; False if the file cannot be locked."""
    is_locked = _lock(file)
    try:
        yield is_locked
    finally:
        if is_locked and fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_UN)


def _lock(file: int) -> bool:
    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                break
            time.sleep(_LOCK_POLL_S)
        except OSError:  # a file system without locks
            break
        else:
            return True
    return False
