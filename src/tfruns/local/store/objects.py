"""Objects: large contents in files below the data directory, by kind and id.

An object is written under a temporary name and then renamed, so that readers never see an incomplete object, and a full
disk leaves the old one unchanged. Objects are synced to disk, because the database refers to them afterwards: a power
failure must not lose an object that the database lists.
"""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from tfruns.local.files import open_private

KINDS_OF_PHASE = ("log", "plan-json", "plan-json-redacted", "errored-state")
"""The kinds of objects that a plan or an apply can have."""

KINDS_OF_STATE = ("state", "json-state")
"""The kinds of objects of a state version: the state, and optionally its JSON output format."""


class Objects:
    """The objects of one backend.

    Args:
        root: their directory, which is created at the first write.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, kind: str, id_: str) -> Path:
        """The path of an object: its kind (`configuration`, `state`, or one of a phase), then its id."""
        return self._root / kind / id_

    def read(self, kind: str, id_: str) -> bytes | None:
        """The content of an object; None if it does not exist."""
        try:
            return self.path(kind, id_).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, kind: str, id_: str, content: bytes | Iterable[bytes]) -> int:
        """Write an object atomically, readable only by the owner.

        Returns:
            Its size in bytes.

        Raises:
            OSError: the disk is full or not writable. Nothing has changed.
        """
        target = self.path(kind, id_)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with open(unfinished, "xb", opener=open_private) as file:
                size = sum(file.write(part) for part in ([content] if isinstance(content, bytes) else content))
                file.flush()
                os.fsync(file.fileno())
            _move(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
        return size

    def adopt(self, kind: str, id_: str, file: Path) -> None:
        """Store a complete file as an object, by renaming it."""
        target = self.path(kind, id_)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file.open("rb") as complete:
            os.fsync(complete.fileno())
        _move(file, target)

    def delete(self, kind: str, id_: str) -> None:
        """Delete an object, if it exists."""
        self.path(kind, id_).unlink(missing_ok=True)


def _move(file: Path, target: Path) -> None:
    """Rename a synced file, and sync the directory with its new name."""
    file.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
