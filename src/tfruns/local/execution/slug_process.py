"""Archives, read in a process with limits: however an archive is made, it cannot take the server's memory or time."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tfruns.local.execution import slug
from tfruns.local.execution.process import has_ended
from tfruns.local.execution.slug import BadArchive

_POLL_S = 0.1
_FIRST_POLL_S = 0.25


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

    def stop(self) -> None:
        """End those that are running, and start no more."""
        self._stopped.set()

    def check(self, archive: Path) -> None:
        """See `slug.check`.

        Raises:
            BadArchive: the archive cannot be used, or takes too much time or memory.
            ArchiveInterrupted: the server is stopping.
            OSError: the system refuses something.
        """
        self._run(["check", str(archive)], lambda: False)

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
            slug.remove_unfinished(into)  # a process that was killed leaves it
            raise

    def _run(self, arguments: list[str], is_canceled: Callable[[], bool]) -> None:
        # -I, -S: neither the environment nor what is installed has a say in it, and it starts in 20 ms.
        command = [sys.executable, "-I", "-S", slug.__file__, str(self._cpu_s), *arguments]
        with subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
            cwd="/",
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        ) as process:
            try:
                self._wait(process, is_canceled)
            finally:
                process.kill()
            said = process.stdout.read().decode(errors="replace") if process.stdout else ""
        self._raise_for(process.returncode, said)

    def _wait(self, process: subprocess.Popen[bytes], is_canceled: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._wall_s
        timeout_s = _FIRST_POLL_S  # most have ended by then; to be asked may cost a query
        while True:
            if has_ended(process, within_s=timeout_s):
                return
            timeout_s = _POLL_S
            if self._stopped.is_set() or is_canceled():
                raise ArchiveInterrupted
            if time.monotonic() > deadline:
                raise BadArchive(f"it takes more than {self._wall_s:g} s to be read")

    def _raise_for(self, exit_code: int, said: str) -> None:
        if exit_code == slug.BAD_ARCHIVE:
            raise BadArchive(said)
        if exit_code == slug.SYSTEM_ERROR:
            number = int(said)
            raise OSError(number, os.strerror(number))
        if exit_code == -signal.SIGXCPU:
            raise BadArchive(f"it takes more than {self._cpu_s} s of processor time to be read")
        if exit_code:
            raise BadArchive(f"it cannot be read: the process that reads it ended with exit code {exit_code}")


ARCHIVES = ArchiveProcesses()
