"""Files that only their owner can read, whatever the umask, and the errors of a full disk."""

import errno
import os
import stat
from pathlib import Path

_DISK_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT)  # a full disk, an exceeded quota
_DISK_FULL_SQLITE = 13  # SQLITE_FULL; commands that read do not import sqlite3
_DISK_FULL_STATE = "53100"  # PostgreSQL, "Error Codes": disk_full


def is_disk_full(error: BaseException) -> bool:
    """Whether an error of a file or of the database means that the disk is full."""
    cause = getattr(error, "orig", None) or error
    if getattr(cause, "sqlite_errorcode", None) == _DISK_FULL_SQLITE:
        return True
    if getattr(cause, "sqlstate", None) == _DISK_FULL_STATE:
        return True
    return isinstance(cause, OSError) and cause.errno in _DISK_FULL_NUMBERS


def open_private(path: str, flags: int) -> int:
    """Open a file that only its owner can read: the `opener` of `open`."""
    return os.open(path, flags, 0o600)


def make_private_directory(path: Path) -> None:
    """Create a directory that only its owner can use; restrict an existing one.

    Raises:
        OSError: it cannot be created, or it is open to others and belongs to another user.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o700)
