"""What interrupts the Terraforms of a server that was killed: a small process beside it that sees it end.

Terraform stops gracefully at the first interrupt, and at once at the second: what it is creating is lost then. Linux's
PR_SET_PDEATHSIG will not do, because a parent with threads dies thread by thread, and the child is sent the signal each
time that it is handed on from one to the next.

The guard reads from a pipe which processes run. When the pipe ends, so has the server, and the guard interrupts what
still runs, once.
"""

import atexit
import logging
import subprocess
import sys
import threading
from contextlib import suppress

_log = logging.getLogger(__name__)

_END_WITHIN_S = 10.0
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
    """The processes that are to be interrupted should this one be killed. The guard is started with the first."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def add(self, pid: int) -> None:
        """Interrupt a process if this one ends before it."""
        with self._lock:
            self._running.add(pid)
            if self._guard is None or self._guard.poll() is not None:
                self._start()
            else:
                self._tell(f"+{pid}\n")

    def remove(self, pid: int) -> None:
        """Leave it alone from now on; before its id can be that of another."""
        with self._lock:
            self._running.discard(pid)
            self._tell(f"-{pid}\n")

    def close(self) -> None:
        """End the guard."""
        with self._lock:
            if self._guard is not None:
                self._end(self._guard)
                self._guard = None

    def _start(self) -> None:
        if self._guard is not None:
            self._end(self._guard)
            self._guard = None
        try:
            self._guard = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", "-c", _GUARD],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,  # the terminal's Ctrl-C is not for it
            )
        except OSError as error:  # too many files or processes; what runs already is not to be lost by it
            _log.warning("What runs would not be interrupted, should this process be killed: %s", error.strerror)
        self._tell("".join(f"+{pid}\n" for pid in self._running))

    def _tell(self, text: str) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with suppress(BrokenPipeError):  # somebody has killed it; the next `add` starts another
                self._guard.stdin.write(text.encode())
                self._guard.stdin.flush()

    @staticmethod
    def _end(guard: subprocess.Popen[bytes]) -> None:
        with suppress(BrokenPipeError):
            if guard.stdin is not None:
                guard.stdin.close()
        guard.wait(_END_WITHIN_S)


INTERRUPT_GUARD = InterruptGuard()
atexit.register(INTERRUPT_GUARD.close)
