"""Attaching to the server of a data directory. If none is running, one is started that exits after a time without use.

An attached process has a shared lock on the file `attached`, which the kernel releases when the process exits in any
way; see `idle`. The process that starts a server locks the file `starting`, and the others wait for it.

This module imports nothing of the server, so that commands that attach stay fast.
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
_LOG_TAIL_CHARACTERS = 2000


class ServerNotStarted(CannotStart):
    """The server of this data directory could not be started. The text states the cause."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A connection to a server, which keeps running at least until the attachment is closed.

    Attributes:
        directory: the server's data directory.
        url: the server's URL.
        token: the admin's token.
        lock: the open file with the shared lock.
    """

    directory: DataDirectory
    url: str
    token: str
    lock: int

    @property
    def ca_file(self) -> Path | None:
        """The certificate to trust, if the server has a self-signed one."""
        return self.directory.certificate if self.directory.certificate.exists() else None

    def is_alive(self) -> bool:
        """Whether the same server still owns the directory."""
        owner = self.directory.owner()
        return owner is not None and owner.url == self.url and self.directory.is_owned()

    def close(self) -> None:
        """Detach from the server."""
        os.close(self.lock)


def attach(directory: DataDirectory, idle_exit_s: int) -> Attachment:
    """Attach to the server that owns a data directory. If none is running, start one.

    Args:
        directory: the data directory.
        idle_exit_s: how long a server that is started here stays without use.

    Raises:
        ServerNotStarted: the server exited immediately, or was not ready in time.
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
    """Attach to the server that owns a data directory for the length of a block; see `attach`."""
    attachment = attach(directory, idle_exit_s)
    try:
        yield attachment
    finally:
        attachment.close()


@contextmanager
def unused(directory: DataDirectory) -> Iterator[bool]:
    """Whether no process is attached. If so, none can attach within the block."""
    lock = _opened(directory, "attached")
    try:
        yield _locked(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _url(directory: DataDirectory, deadline: float, idle_exit_s: int) -> str:
    """The URL of the server, once it is ready."""
    if (url := _published(directory)) is not None:
        return url
    starting = _opened(directory, "starting")
    server: subprocess.Popen[bytes] | None = None
    try:
        while (url := _published(directory)) is None:
            if server is not None and server.poll() is not None and not directory.is_owned():
                raise ServerNotStarted(f"The local backend could not be started. {_log_tail(directory)}")
            if server is None and not directory.is_owned() and _locked(starting, fcntl.LOCK_EX):
                server = _start(directory, idle_exit_s)
            _wait(deadline, directory)
    finally:
        os.close(starting)
    return url


def _published(directory: DataDirectory) -> str | None:
    """The URL of the server that owns the directory; None if none is running or ready."""
    owner = directory.owner()
    return owner.url if owner is not None and directory.is_owned() else None


def _start(directory: DataDirectory, idle_exit_s: int) -> subprocess.Popen[bytes]:
    """Start a server in its own session, so that neither a signal nor the exit of this process stops it."""
    # -P: modules are not imported from the working directory, which may belong to anyone.
    command = [sys.executable, "-P", "-m", "tfruns", "server", "--data-dir", str(directory.path), "--port", "0"]
    # O_APPEND, because another server may be starting too.
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
    # A server that exits before this process must not stay a zombie.
    threading.Thread(target=server.wait, name="local server", daemon=True).start()
    return server


def _wait(deadline: float, directory: DataDirectory) -> None:
    if time.monotonic() >= deadline:
        raise ServerNotStarted(f"The local backend was not ready in {_START_WITHIN_S:.0f} s. {_log_tail(directory)}")
    time.sleep(_POLL_S)


def _log_tail(directory: DataDirectory) -> str:
    path = _log_of(directory)
    text = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    return text[-_LOG_TAIL_CHARACTERS:] or f"To see the cause, run: tfruns server --data-dir {directory.path}"


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
