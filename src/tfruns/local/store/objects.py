"""The larger objects: files below the data directory, by kind and id.

An object is written under another name first and moved into place when it is complete, so that nobody ever reads half
of one, and a full disk leaves the old one as it was. What the database says of it is written later, so it has to be on
the disk itself by then: a power cut must not take it away.
"""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from tfruns.local.files import open_private

KINDS_OF_PHASE = ("log", "plan-json", "plan-json-redacted", "errored-state")
"""The objects that a plan or an apply may have."""

KINDS_OF_STATE = ("state", "json-state")
"""The objects of a state version: the state, and its JSON output format if there is one."""


class Objects:
    """The objects of one backend.

    Args:
        root: their directory; it is made when the first is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, kind: str, id_: str) -> Path:
        """Where an object stands: its kind (`configuration`, `state`, or one of a phase), then its id."""
        return self._root / kind / id_

    def read(self, kind: str, id_: str) -> bytes | None:
        """An object; None if there is none."""
        try:
            return self.path(kind, id_).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, kind: str, id_: str, content: bytes | Iterable[bytes]) -> int:
        """Write an object as a whole, readable by the owner alone.

        Returns:
            Its size in bytes.

        Raises:
            OSError: the disk is full, or not writable; nothing has changed.
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
        """Move a complete file in as an object."""
        target = self.path(kind, id_)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file.open("rb") as complete:
            os.fsync(complete.fileno())
        _move(file, target)

    def delete(self, kind: str, id_: str) -> None:
        """Delete an object, if there is one."""
        self.path(kind, id_).unlink(missing_ok=True)


def _move(file: Path, target: Path) -> None:
    """Move a file that is on the disk, and see to it that its new name is there too."""
    file.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
