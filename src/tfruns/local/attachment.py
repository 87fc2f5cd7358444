"""Finding the server of a data directory, or starting one that exits when it was not used for a while.

Whoever is attached holds a shared lock on the file `attached`, which the kernel releases however the process exits; see
`idle`. The file `starting` is locked by the process that starts a server: the others wait for that one.

Nothing of the server is imported here: a command that attaches stays quick.
"""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tfruns.local.cannot_start import CannotStart
from tfruns.local.data_dir import DataDirectory

_POLL_S = 0.02
_START_WITHIN_S = 60.0
_SHOWN_OF_LOG = 2000  # characters


class ServerNotStarted(CannotStart):
    """No server of this data directory could be started. The text says why."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A server that stays as long as this is open.

    Attributes:
        directory: what it owns.
        url: where it listens.
        token: the admin's.
        lock: the shared lock, an open file.
    """

    directory: DataDirectory
    url: str
    token: str
    lock: int

    @property
    def ca_file(self) -> Path | None:
        """What has to be trusted, if the server has a certificate of its own."""
        return self.directory.certificate if self.directory.certificate.exists() else None

    def is_there(self) -> bool:
        """Whether it is still that server which owns the directory."""
        owner = self.directory.owner()
        return owner is not None and owner.url == self.url and self.directory.is_owned()

    def close(self) -> None:
        """Let it go."""
        os.close(self.lock)


def attach(directory: DataDirectory, idle_exit_s: int) -> Attachment:
    """Attach to the server that owns a data directory; one is started where there is none.

    Args:
        directory: the data directory.
        idle_exit_s: how long a server that is started here stays without use.

    Raises:
        ServerNotStarted: it ended at once, or was not ready in time.
        OSError: the directory cannot be written.
    """
    directory.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + _START_WITHIN_S
    lock = _opened(directory, "attached")
    try:
        while not _locked(lock, fcntl.LOCK_SH):  # a server is exiting
            _wait(deadline, directory)
        return Attachment(directory, _url(directory, deadline, idle_exit_s), directory.token() or "", lock)
    except BaseException:
        os.close(lock)
        raise


@contextmanager
def attached(directory: DataDirectory, idle_exit_s: int = 0) -> Iterator[Attachment]:
    """The server that owns a data directory, for the length of a block; see `attach`."""
    attachment = attach(directory, idle_exit_s)
    try:
        yield attachment
    finally:
        attachment.close()


@contextmanager
def unused(directory: DataDirectory) -> Iterator[bool]:
    """Whether nobody is attached; nobody can be, within the block."""
    lock = _opened(directory, "attached")
    try:
        yield _locked(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _url(directory: DataDirectory, deadline: float, idle_exit_s: int) -> str:
    """The address of the server, once it is ready."""
    if (url := _published(directory)) is not None:
        return url
    starting = _opened(directory, "starting")
    server: subprocess.Popen[bytes] | None = None
    try:
        while (url := _published(directory)) is None:
            if server is not None and server.poll() is not None and not directory.is_owned():
                raise ServerNotStarted(f"The local backend could not be started. {_last_words(directory)}")
            if server is None and not directory.is_owned() and _locked(starting, fcntl.LOCK_EX):
                server = _start(directory, idle_exit_s)
            _wait(deadline, directory)
    finally:
        os.close(starting)
    return url


def _published(directory: DataDirectory) -> str | None:
    """The address of the server that owns the directory; None if there is none, or it is not ready."""
    owner = directory.owner()
    return owner.url if owner is not None and directory.is_owned() else None


def _start(directory: DataDirectory, idle_exit_s: int) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that neither a signal nor the end of this process ends it."""
    # -P: what lies in the working directory, which may be anybody's, is not taken for a module.
    command = [sys.executable, "-P", "-m", "tfruns", "server", "--data-dir", str(directory.path), "--port", "0"]
    # Appended, since another one may be starting too.
    log = os.open(_log_of(directory), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        server = subprocess.Popen(  # noqa: S603
            [*command, "--idle-exit", str(idle_exit_s)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=directory.path,
            start_new_session=True,
        )
    finally:
        os.close(log)
    # Should it end before this process, it must not stay a zombie.
    threading.Thread(target=server.wait, name="local server", daemon=True).start()
    return server


def _wait(deadline: float, directory: DataDirectory) -> None:
    if time.monotonic() >= deadline:
        raise ServerNotStarted(f"The local backend was not ready in {_START_WITHIN_S:.0f} s. {_last_words(directory)}")
    time.sleep(_POLL_S)


def _last_words(directory: DataDirectory) -> str:
    path = _log_of(directory)
    text = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    return text[-_SHOWN_OF_LOG:] or f"Start it yourself to see why: tfruns server --data-dir {directory.path}"


def _log_of(directory: DataDirectory) -> Path:
    return directory.path / "server.log"


def _opened(directory: DataDirectory, name: str) -> int:
    return os.open(directory.path / name, os.O_RDWR | os.O_CREAT, 0o600)


def _locked(file: int, operation: int) -> bool:
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
