"""Archives, read in processes with limits: however an archive is made, it cannot take the server's memory or time.

One small process is kept, which forks a child for each archive (see `slug`). A fork takes 1 ms where the start of a
Python takes 40 ms; a child reads a single archive, and the process that forks it reads none.
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
_EXITS_WITHIN_S = 10.0
_PART_BYTES = 1 << 16


class ArchiveInterrupted(Exception):
    """Somebody canceled, or the server is stopping; nothing was decided about the archive."""


class ArchiveProcesses:
    """The processes that read archives.

    Args:
        wall_s: how long one may take.
        cpu_s: how much of the processor's time one may take.
    """

    def __init__(self, wall_s: float = 300.0, cpu_s: int = 60) -> None:
        self._wall_s = wall_s
        self._cpu_s = cpu_s
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._forker: _Forker | None = None

    def stop(self) -> None:
        """Stop those that are running, and start no more."""
        self._stopped.set()
        with self._lock:
            if self._forker is not None:
                self._forker.close()
                self._forker = None

    def check(self, archive: Path) -> None:
        """See `slug.check`.

        Raises:
            BadArchive: the archive cannot be used, or takes too much time or memory.
            ArchiveInterrupted: the server is stopping.
            OSError: the system refuses something.
        """
        self._run(["check", str(archive), ""], lambda: False)

    def unpack(self, archive: Path, into: Path, is_canceled: Callable[[], bool] = lambda: False) -> None:
        """See `slug.unpack`.

        Raises:
            BadArchive: the archive cannot be used, or takes too much time or memory.
            ArchiveInterrupted: `is_canceled` said so, or the server is stopping.
            OSError: the disk is full, or the directory cannot be written.
        """
        try:
            self._run(["unpack", str(archive), str(into)], is_canceled)
        except BaseException:
            slug.remove_unfinished(into)  # a process that was stopped leaves it
            raise

    def _run(self, request: list[str], is_canceled: Callable[[], bool]) -> None:
        with self._child() as connection:
            with suppress(ConnectionError):  # it has ended; the missing answer says so
                connection.sendall(json.dumps([self._cpu_s, *request]).encode() + b"\n")
            answer = self._wait(connection, is_canceled)
        if not answer:
            raise BadArchive("it cannot be read: the process that reads it ended without an answer")
        code, detail = json.loads(answer)
        if code == slug.BAD_ARCHIVE:
            raise BadArchive(detail)
        if code == slug.SYSTEM_ERROR:
            raise OSError(int(detail), os.strerror(int(detail)))

    @contextmanager
    def _child(self) -> Iterator[socket.socket]:
        """A connection to a child of its own, which has exited at the end of the block."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._fork(theirs)
            try:
                yield ours
            finally:
                with suppress(OSError):
                    ours.shutdown(socket.SHUT_WR)  # which makes it exit
                    ours.settimeout(_EXITS_WITHIN_S)
                    while ours.recv(_PART_BYTES):
                        pass

    def _fork(self, connection: socket.socket) -> None:
        with self._lock:
            if self._stopped.is_set():
                raise ArchiveInterrupted
            if self._forker is not None and not self._forker.is_alive:  # somebody has killed it
                self._forker.close()
                self._forker = None
            self._forker = self._forker or _Forker()
            self._forker.fork(connection)

    def _wait(self, connection: socket.socket, is_canceled: Callable[[], bool]) -> bytes:
        """What the child has answered by its end."""
        deadline = time.monotonic() + self._wall_s
        connection.settimeout(_FIRST_POLL_S)  # most have ended by then; to be asked may cost a query
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
                    raise BadArchive(f"it takes more than {self._wall_s:g} s to be read") from None
                continue
            if not part:
                return received
            received += part


class _Forker:
    """The process that forks the children. It exits when this process does."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            # -I, -S: neither the environment nor what is installed has a say in it.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", slug.__file__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
                cwd="/",
                start_new_session=True,  # the terminal's Ctrl-C is not for it
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def fork(self, connection: socket.socket) -> None:
        """Have a child forked that serves a connection."""
        with suppress(ConnectionError):  # it was killed just now; the connection ends without an answer
            socket.send_fds(self._control, [b"+"], [connection.fileno()])

    def close(self) -> None:
        self._control.close()
        self._process.kill()  # its children exit with their connections
        self._process.wait()


ARCHIVES = ArchiveProcesses()
atexit.register(ARCHIVES.stop)
