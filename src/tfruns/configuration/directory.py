"""Reading of directories without following symbolic links, even if one appears meanwhile.

If the system supports it, each entry is opened relative to its open parent directory, so that a directory that is
replaced by a link after it was checked is not followed. On Windows, links are refused when they are found.
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
    """An open directory. `path` is its path at the time it was opened."""

    def __init__(self, path: Path, fd: int | None = None) -> None:
        self.path = path
        self._fd = fd

    @contextmanager
    def enter(self, name: str) -> Iterator["Directory"]:
        """Open a subdirectory, or a directory at an absolute path.

        Raises:
            OSError: it does not exist, is not a directory, or is a link.
        """
        path = self.path / name
        if not _HAS_DIRECTORY_FDS:
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise NotADirectoryError(f"{name!r} is not a directory")
            yield Directory(path)
            return
        fd = os.open(name, _AS_DIRECTORY, dir_fd=self._fd)
        try:
            yield Directory(path, fd)
        finally:
            os.close(fd)

    def entries(self, *, most: int) -> list[tuple[str, os.stat_result]]:
        """The entries by name, with their status (`lstat`).

        At most `most` + 1 entries are returned.

        Raises:
            OSError: the directory cannot be read.
        """
        with os.scandir(self.path if self._fd is None else self._fd) as found:
            names = sorted(entry.name for entry in islice(found, most + 1))
        return [(name, os.lstat(self.path / name) if self._fd is None else self._stat(name)) for name in names]

    def _stat(self, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=self._fd, follow_symlinks=False)

    def open(self, name: str) -> BinaryIO:
        """Open a regular file in the directory.

        Raises:
            OSError: it does not exist, cannot be read, or is not a regular file.
        """
        if self._fd is None and stat.S_ISLNK((self.path / name).lstat().st_mode):
            raise OSError(f"{name!r} is a link")
        fd = os.open(self.path / name if self._fd is None else name, _AS_FILE, dir_fd=self._fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(f"{name!r} is not a regular file")
        return os.fdopen(fd, "rb")

    def link_target(self, name: str) -> str:
        """The target of a link in the directory, as written.

        Raises:
            OSError: it is not a link.
        """
        return os.readlink(self.path / name if self._fd is None else name, dir_fd=self._fd)
