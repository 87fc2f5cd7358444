"""Files that only their owner can read, whatever the umask, and the errors of a full disk."""

import errno
import os
import stat
from pathlib import Path

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""The error numbers of a full disk and of an exceeded quota."""


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
