"""A small process that interrupts Terraform if the server is killed.

Terraform stops gracefully after the first interrupt. After the second it stops immediately and loses the resources that
it is creating. PR_SET_PDEATHSIG of Linux sends several interrupts: a parent with threads dies thread by thread, and the
child receives the signal each time that another thread becomes its parent.

The guard reads the ids of the running processes from a pipe. The pipe closes when the server exits for any reason; the
guard then interrupts each process that is still running, once.
"""

import atexit
import logging
import subprocess
import sys
import threading
from contextlib import suppress

_log = logging.getLogger(__name__)

_EXIT_TIMEOUT_S = 10.0
_GUARD = """\
import os, signal, sys
running = set()
for line in sys.stdin:
    (running.add if line[0] == "+" else running.discard)(int(line[1:]))
for pid in running:
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        pass
"""


class InterruptGuard:
    """The processes to interrupt if this process is killed. The guard starts before the first of them."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the guard unless it is running, so that the next process is covered as soon as it is added."""
        with self._lock:
            if not self._is_running():
                self._start()

    def add(self, pid: int) -> None:
        """Add a process to interrupt if this process is killed."""
        with self._lock:
            self._running.add(pid)
            if self._is_running():
                self._send(f"+{pid}\n")
            else:
                self._start()

    def remove(self, pid: int) -> None:
        """Remove a process. Call this before the operating system can reuse its id."""
        with self._lock:
            self._running.discard(pid)
            self._send(f"-{pid}\n")

    def close(self) -> None:
        """Stop the guard."""
        with self._lock:
            if self._guard is not None:
                self._stop(self._guard)
                self._guard = None

    def _is_running(self) -> bool:
        return self._guard is not None and self._guard.poll() is None

    def _start(self) -> None:
        if self._guard is not None:
            self._stop(self._guard)
            self._guard = None
        try:
            self._guard = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", "-c", _GUARD],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal must not reach it
            )
        except OSError as error:  # too many open files or processes; the running commands must continue
            _log.warning(
                "The process that interrupts Terraform if the server is killed cannot be started: %s.", error.strerror
            )
        self._send("".join(f"+{pid}\n" for pid in self._running))

    def _send(self, text: str) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with suppress(BrokenPipeError):  # the guard was killed; the next `add` starts another one
                self._guard.stdin.write(text.encode())
                self._guard.stdin.flush()

    @staticmethod
    def _stop(guard: subprocess.Popen[bytes]) -> None:
        with suppress(BrokenPipeError):
            if guard.stdin is not None:
                guard.stdin.close()
        guard.wait(_EXIT_TIMEOUT_S)


INTERRUPT_GUARD = InterruptGuard()
atexit.register(INTERRUPT_GUARD.close)
