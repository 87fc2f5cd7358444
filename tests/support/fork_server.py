"""A process that has loaded `tfruns` and its libraries, and forks to run the command: see `command_process`.

It loads nearly all modules of tfruns and of its libraries. The tests of the installed command, and of the imports of
each command, start without loaded modules, so that they find a missing import.

Its argument is the file descriptor of its control socket. Each request has five files: a JSON document with the
program, the three standard streams, and a pipe to which it writes the process ID, and the
exit code once the process has finished.
"""

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_FILES = 5
_MODULES = (
    "alembic.command",
    "alembic.runtime.migration",
    "anyio.to_thread",
    "anyio._backends._asyncio",
    "cryptography.x509",
    "cyclopts.config",
    "cyclopts.help",
    "cyclopts.validators",
    "difflib",
    "docstring_parser",
    "httpcore2",
    "httpx2",
    "mcp.server",
    "mcp.server.stdio",
    "platformdirs",
    "pydantic",
    "rich.console",
    "rich.panel",
    "rich.progress",
    "rich.table",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.orm",
    "starlette.applications",
    "tenacity",
    "tfruns.local.server",
    "truststore",
    "uvicorn",
    "uvloop",
)
_PACKAGES = ("cli", "client", "configuration", "gate", "logs", "mcp", "review", "runs", "tools", "views")  # whole


@dataclass(frozen=True)
class Request:
    """The program of a new process, its standard streams, and the pipe for its exit code."""

    document: dict[str, Any]
    streams: list[int]
    report: int

    def take_over(self) -> None:
        """Give this process the environment, the directory and the standard streams of the request."""
        os.environ.clear()
        os.environ.update(self.document["env"])
        os.chdir(self.document["cwd"])
        if self.document["is_new_session"]:
            os.setsid()
        for target, stream in enumerate(self.streams):
            os.dup2(stream, target)
            os.close(stream)
        os.close(self.report)
        sys.stdin = _stream(0, "r", sys.stdin)
        sys.stdout = _stream(1, "w", sys.stdout)
        sys.stderr = _stream(2, "w", sys.stderr, line_buffering=True)
        sys.argv = self.document["arguments"]

    def run(self, last: "Exit") -> None:
        """Run the program. The interpreter exits as after any program, except for the steps that `last` skips."""
        gc.enable()
        if self.document["has_fault"]:  # it may change a module before other modules import from it
            for name in [name for name in sys.modules if name.partition(".")[0] == "tfruns"]:
                del sys.modules[name]
        try:
            exec(compile(self.document["program"], "<string>", "exec"), {"__name__": "__main__"})
        except SystemExit as end:
            if end.code is None or isinstance(end.code, int):
                last.code = end.code or 0
            raise


class Exit:
    """Exits before the interpreter frees all modules: 70 ms of processor time, because a fork has to copy them.

    The interpreter calls it after all other exit functions, when all threads have finished. After an exception, or if
    the output cannot be written, the interpreter exits normally.
    """

    def __init__(self) -> None:
        self.code: int | None = None

    def __call__(self) -> None:
        if self.code is not None:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(self.code)


def _stream(file: int, mode: str, like: Any, *, line_buffering: bool = False) -> io.TextIOWrapper:
    """A standard stream as the interpreter creates it."""
    raw = io.FileIO(file, mode, closefd=False)
    buffered: Any = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    newline = None if mode == "r" else "\n"
    is_terminal = raw.isatty()
    return io.TextIOWrapper(
        buffered, like.encoding, like.errors, newline=newline, line_buffering=line_buffering or is_terminal
    )


class ForkServer:
    """Forks for each request until the control socket is closed."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._reports: dict[int, int] = {}
        self._ended, self._wakeup = os.pipe()
        os.set_blocking(self._wakeup, False)
        signal.set_wakeup_fd(self._wakeup)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> Request | None:
        """Serve requests. Returns the request in each forked process, and None in this process at the end."""
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._ended], [], [])
            if self._ended in ready:
                os.read(self._ended, 4096)
                self._reap()
            if self._control.fileno() in ready:
                request = self._receive()
                if request is None or self._fork(request):
                    return request

    def _receive(self) -> Request | None:
        message, files, _, _ = socket.recv_fds(self._control, 1, _FILES)
        if not message:
            return None
        document, *streams, report = files
        with os.fdopen(document, "rb") as file:
            file.seek(0)
            return Request(json.load(file), streams, report)

    def _fork(self, request: Request) -> bool:
        """Whether this process is the new one."""
        pid = os.fork()
        if pid == 0:
            self._forget()
            return True
        for stream in request.streams:
            os.close(stream)
        self._reports[pid] = request.report
        self._report(request.report, pid)
        return False

    def _forget(self) -> None:
        """Release all resources of the fork server in a new process."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._control.close()
        for file in (self._ended, self._wakeup, *self._reports.values()):
            os.close(file)

    def _reap(self) -> None:
        while self._reports:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            report = self._reports.pop(pid)
            self._report(report, os.waitstatus_to_exitcode(status))
            os.close(report)

    def _report(self, report: int, number: int) -> None:
        try:
            os.write(report, b"%d\n" % number)
        except BrokenPipeError:  # the test has finished without waiting for the process
            return


def load_modules() -> None:
    """Import the modules without garbage collection, and exclude their objects from it later."""
    gc.disable()
    for name in _MODULES:
        importlib.import_module(name)
    for name in _PACKAGES:
        package = importlib.import_module(f"tfruns.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    gc.freeze()


if __name__ == "__main__":
    quick_exit = Exit()
    atexit.register(quick_exit)  # before the modules register theirs, so that it is called last
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load_modules()
    asked = ForkServer(socket.socket(fileno=int(sys.argv[1]))).serve()
    if asked is not None:
        asked.take_over()
        asked.run(quick_exit)
