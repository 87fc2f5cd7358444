"""Files and directories that only their owner can read, whatever the umask."""

import os
import stat
from pathlib import Path


def opener(path: str, flags: int) -> int:
    """For `open`; `Path.open` takes none."""
    return os.open(path, flags, 0o600)


def directory(path: Path) -> None:
    """Create a directory for its owner alone; one that exists is closed to others.

    Raises:
        OSError: it cannot be created, or it belongs to another user and is open to others.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o700)
