"""Processes with limits that read archives, so that a malicious archive cannot exhaust the server's memory or time.

A small server process forks a child for each archive (see `slug`). A fork takes 1 ms; starting Python takes 40 ms. A
child reads a single archive, and the server process reads none.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tfruns.local.terraform import slug
from tfruns.local.terraform.slug import BadArchive

_POLL_S = 0.1
_FIRST_POLL_S = 0.25
_EXIT_TIMEOUT_S = 10.0
_PART_BYTES = 1 << 16


class ArchiveInterrupted(Exception):
    """The run was canceled or the server is stopping before the archive was read. The archive may be valid."""


class ArchiveProcesses:
    """The processes that read archives.

    Args:
        wall_s: the maximum duration of one archive in seconds.
        cpu_s: the maximum processor time of one archive in seconds.
    """

    def __init__(self, wall_s: float = 300.0, cpu_s: int = 60) -> None:
        self._wall_s = wall_s
        self._cpu_s = cpu_s
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._forker: _Forker | None = None

    def stop(self) -> None:
        """Stop the running processes, and start no more."""
        self._stopped.set()
        with self._lock:
            if self._forker is not None:
                self._forker.close()
                self._forker = None

    def check(self, archive: Path) -> None:
        """Check an archive; see `slug.check`.

        Raises:
            BadArchive: the archive is invalid, or needs too much time or memory.
            ArchiveInterrupted: the server is stopping.
            OSError: the archive cannot be read, or a process cannot be started.
        """
        self._run(["check", str(archive), ""], lambda: False)

    def unpack(self, archive: Path, into: Path, is_canceled: Callable[[], bool] = lambda: False) -> None:
        """Unpack an archive; see `slug.unpack`.

        Raises:
            BadArchive: the archive is invalid, or needs too much time or memory.
            ArchiveInterrupted: `is_canceled` returned true, or the server is stopping.
            OSError: the disk is full, or the directory is not writable.
        """
        try:
            self._run(["unpack", str(archive), str(into)], is_canceled)
        except BaseException:
            slug.remove_unfinished(into)  # a process that was stopped does not remove it
            raise

    def _run(self, request: list[str], is_canceled: Callable[[], bool]) -> None:
        with self._child() as connection:
            with suppress(ConnectionError):  # the child has exited; the response is empty
                connection.sendall(json.dumps([self._cpu_s, *request]).encode() + b"\n")
            response = self._wait(connection, is_canceled)
        if not response:
            raise BadArchive("the process that reads it exited unexpectedly")
        code, detail = json.loads(response)
        if code == slug.BAD_ARCHIVE:
            raise BadArchive(detail)
        if code == slug.SYSTEM_ERROR:
            raise OSError(int(detail), os.strerror(int(detail)))

    @contextmanager
    def _child(self) -> Iterator[socket.socket]:
        """A connection to a new child, which has exited at the end of the block."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._fork(theirs)
            try:
                yield ours
            finally:
                with suppress(OSError):
                    ours.shutdown(socket.SHUT_WR)  # makes the child exit
                    ours.settimeout(_EXIT_TIMEOUT_S)
                    while ours.recv(_PART_BYTES):
                        pass

    def _fork(self, connection: socket.socket) -> None:
        with self._lock:
            if self._stopped.is_set():
                raise ArchiveInterrupted
            if self._forker is not None and not self._forker.is_alive:  # it was killed
                self._forker.close()
                self._forker = None
            self._forker = self._forker or _Forker()
            self._forker.fork(connection)

    def _wait(self, connection: socket.socket, is_canceled: Callable[[], bool]) -> bytes:
        """The response of the child, which is complete when the child exits."""
        deadline = time.monotonic() + self._wall_s
        connection.settimeout(_FIRST_POLL_S)  # most have finished by then; `is_canceled` can be a database query
        received = b""
        while True:
            try:
                part = connection.recv(_PART_BYTES)
            except ConnectionError:
                part = b""
            except TimeoutError:
                connection.settimeout(_POLL_S)
                if self._stopped.is_set() or is_canceled():
                    raise ArchiveInterrupted from None
                if time.monotonic() > deadline:
                    raise BadArchive(f"reading it takes more than {self._wall_s:g} s") from None
                continue
            if not part:
                return received
            received += part


class _Forker:
    """The process that forks the children. It exits with this process."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            # -I, -S: ignore the environment and the installed packages.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", slug.__file__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal must not reach it
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def fork(self, connection: socket.socket) -> None:
        """Fork a child that serves a connection."""
        with suppress(ConnectionError):  # the process was killed; the connection closes without a response
            socket.send_fds(self._control, [b"+"], [connection.fileno()])

    def close(self) -> None:
        self._control.close()
        self._process.kill()  # its children exit with their connections
        self._process.wait()


ARCHIVES = ArchiveProcesses()
atexit.register(ARCHIVES.stop)
