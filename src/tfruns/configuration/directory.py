"""Directories that are read without ever following a link, wherever somebody puts one meanwhile.

Where the system knows it, everything is opened relative to the open directory above it, so that a directory which is
exchanged for a link after it was looked at is not followed. On Windows a link is refused when it is seen.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

_HAS_DIRECTORY_FDS = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_AS_FILE = os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_AS_DIRECTORY = os.O_RDONLY | _NO_LINK | getattr(os, "O_DIRECTORY", 0)


class Directory:
    """An open directory; `path` is where it was when it was opened."""

    def __init__(self, path: Path, fd: int | None = None) -> None:
        self.path = path
        self._fd = fd

    @contextmanager
    def enter(self, name: str) -> Iterator["Directory"]:
        """Open a directory in this one, or at an absolute path.

        Raises:
            OSError: it is not there, no directory, or a link.
        """
        path = self.path / name
        if not _HAS_DIRECTORY_FDS:
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise NotADirectoryError(f"{name!r} is no directory")
            yield Directory(path)
            return
        fd = os.open(name, _AS_DIRECTORY, dir_fd=self._fd)
        try:
            yield Directory(path, fd)
        finally:
            os.close(fd)

    def entries(self, *, most: int) -> list[tuple[str, os.stat_result]]:
        """What is in it, by name, with what the system says of it; of a link, not of what it leads to.

        Where it holds more than `most`, these and one more are returned.

        Raises:
            OSError: it cannot be read.
        """
        with os.scandir(self.path if self._fd is None else self._fd) as found:
            names = sorted(entry.name for entry in islice(found, most + 1))
        return [(name, os.lstat(self.path / name) if self._fd is None else self._stat(name)) for name in names]

    def _stat(self, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=self._fd, follow_symlinks=False)

    def open(self, name: str) -> BinaryIO:
        """Open a regular file in it.

        Raises:
            OSError: it is not there, cannot be read, or is a link or no regular file.
        """
        if self._fd is None and stat.S_ISLNK((self.path / name).lstat().st_mode):
            raise OSError(f"{name!r} is a link")
        fd = os.open(self.path / name if self._fd is None else name, _AS_FILE, dir_fd=self._fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(f"{name!r} is no regular file")
        return os.fdopen(fd, "rb")

    def link_target(self, name: str) -> str:
        """Where a link in it leads to, as it is written.

        Raises:
            OSError: it is no link any more.
        """
        return os.readlink(self.path / name if self._fd is None else name, dir_fd=self._fd)
