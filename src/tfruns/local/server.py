"""`tfruns server`: the local backend on a socket.

When the server is ready, it prints one line, `listening on http://127.0.0.1:PORT`; its log goes to standard error.
SIGTERM and Ctrl-C stop it: it starts no more phases, interrupts Terraform, and keeps the state. A second signal kills
Terraform.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from tfruns.local.bind_config import BindConfig
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.cannot_start import CannotStart
from tfruns.local.connection_limits import ConnectionLimiter, limits_for, listen, raise_open_files
from tfruns.local.data_dir import DataDirectory
from tfruns.local.engine.resume import has_active_runs
from tfruns.local.idle import IdleExit
from tfruns.local.startup import BackendOptions, OpenBackend, PhaseStuck, open_backend
from tfruns.local.status import StatusEndpoint
from tfruns.local.terraform.slug_process import ARCHIVES

_log = logging.getLogger(__name__)

_GRACEFUL_SHUTDOWN_S = 10
_KEEP_ALIVE_S = 60
_GC_THRESHOLD = 20_000
_TICKS_PER_S = 10  # uvicorn's
_TICKS_PER_WAKEUP = 2

AddPages = Callable[[ASGIApp, str], ASGIApp]
"""Adds pages to the API of a server: from the API and the server's URL to an application that serves both."""
# The loggers whose lines clients can cause, and the lines of each kind that are written per minute.
_LINES_PER_MINUTE = {"uvicorn.error": 1, "tfruns.local.connection_limits": 1, "tfruns.local.api.app": 60}
_LOG_PERIOD_S = 60.0


class CannotListen(CannotStart):
    """The address is in use, or does not belong to this machine."""


def serve(
    directory: DataDirectory,
    options: BackendOptions,
    bind: BindConfig,
    *,
    idle_exit_s: float | None = None,
    add_pages: AddPages = lambda api, _: api,
) -> None:
    """Serve until a signal arrives.

    Args:
        directory: the data directory.
        options: the options of the backend.
        bind: the address to listen on.
        idle_exit_s: exit also after this many seconds without a use, see `IdleExit`; None to exit only on a signal.
        add_pages: adds pages for people to the API.

    Raises:
        InvalidInput: see `BindConfig.check`.
        CannotListen: the address is in use, or does not belong to this machine.
        OSError: the certificate cannot be written.

    And what `open_backend` raises.
    """
    bind.check()
    for verbose in ("alembic", "httpx2", "uvicorn"):
        logging.getLogger(verbose).setLevel(logging.WARNING)
    for name, lines_per_minute in _LINES_PER_MINUTE.items():
        logging.getLogger(name).addFilter(LogRateLimit(lines_per_minute))
    signals = _Signals()
    with signals.handled(), open_backend(directory, options) as backend, _socket(bind, directory) as bound:
        certificate = directory.certificate if bind.is_self_signed else None
        bind = bind.with_certificate(directory.certificate)
        url = bind.url(bound.getsockname()[1])
        server = _Server(bind, backend, directory, url, add_pages)
        signals.server = server
        # Runs are executed only once the server is sure to be reachable: a failed start would interrupt them.
        try:
            with backend.executing(url, certificate):
                if idle_exit_s is not None:
                    server.exit_when_idle(idle_exit_s)
                if not signals.count:
                    server.run(sockets=[bound])
        except PhaseStuck as error:
            _log.error("%s", error)
            os._exit(1)


class _Signals:
    """The signals that stop a server, from its start until its last run has stopped.

    Attributes:
        count: the number of signals received.
        server: the server that they stop, once it exists.
    """

    def __init__(self) -> None:
        self.count = 0
        self.server: _Server | None = None

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals within this block."""
        before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _receive(self, *_: object) -> None:
        self.count += 1
        if self.server is not None:
            self.server.stop(CancelLevel.INTERRUPT if self.count == 1 else CancelLevel.KILL)


def freeze_loaded_objects() -> None:
    """Exclude all objects loaded so far from garbage collection: they stay, and traversing them takes 60 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 20)  # the default is 700, which a single list of runs exceeds


def _socket(bind: BindConfig, directory: DataDirectory) -> socket.socket:
    """The listening socket. Without a given port, the port of the directory's last server is used if it is free."""
    last_port = directory.last_port()
    if bind.port == 0 and last_port:
        with suppress(OSError):
            return listen(bind.host, last_port)
    try:
        return listen(bind.host, bind.port)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {bind.host}, port {bind.port}: {error.strerror}. "
            "Use another --port (0 for any free port) or --host."
        ) from None


def _print_url(url: str) -> None:
    """Print the URL for a process that waits for it. A closed standard output is ignored."""
    try:
        print(f"listening on {url}", flush=True)  # noqa: T201
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())  # otherwise the buffered line would fail again when the process exits
        os.close(null)


def _uvicorn_config(app: StatusEndpoint, bind: BindConfig) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        loop="uvloop",
        timeout_keep_alive=_KEEP_ALIVE_S,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACEFUL_SHUTDOWN_S,
        ssl_certfile=bind.tls_cert,
        ssl_keyfile=bind.tls_key,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which also announces its address and stops the engine."""

    def __init__(
        self, bind: BindConfig, backend: OpenBackend, directory: DataDirectory, url: str, add_pages: AddPages
    ) -> None:
        self._status = StatusEndpoint(add_pages(backend.app, url), backend.backend)
        super().__init__(_uvicorn_config(self._status, bind))
        self._backend = backend
        self._directory = directory
        self._url = url
        self.servers: list[asyncio.base_events.Server] = []  # uvicorn's own; `ConnectionLimiter` replaces them
        self._accepting: list[asyncio.Task[None]] = []
        self._limiter: ConnectionLimiter | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._limiter = ConnectionLimiter(self.config, self.server_state, limits_for(raise_open_files()))
        accepting = [self._limiter.accept(listener) for listener in sockets or []]
        self._accepting = [asyncio.create_task(accept, name="accept") for accept in accepting]
        self.started = True
        freeze_loaded_objects()
        self._directory.announce(self._url)
        terraform = self._backend.execution.terraform
        _log.info("%s %s, data in %s", terraform.name, terraform.version, self._directory.path)
        _print_url(self._url)

    async def main_loop(self) -> None:
        """Wake half as often as uvicorn's own loop: its wakeups are most of an idle server's processor time."""
        counter = 0
        while not await self.on_tick(counter):
            counter += _TICKS_PER_WAKEUP
            await asyncio.sleep(_TICKS_PER_WAKEUP / _TICKS_PER_S)

    async def on_tick(self, counter: int) -> bool:
        for task in self._accepting:
            if task.done():
                task.result()  # raises: a server that accepts no connections must exit
        if self._limiter is not None and counter % _TICKS_PER_S == 0:
            self._limiter.expire()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._directory.withdraw()
        for task in self._accepting:
            task.cancel()
        await asyncio.wait(self._accepting)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `_Signals`; uvicorn would raise them again after the shutdown."""
        yield

    def stop(self, level: CancelLevel = CancelLevel.INTERRUPT) -> None:
        """Stop the server, and its running phases at this level."""
        self._backend.engine.request_stop(level)
        ARCHIVES.stop()
        self.should_exit = True

    def exit_when_idle(self, after_s: float) -> None:
        """Stop the server after this many seconds without a use or an active run."""
        idle = IdleExit(
            self._directory, after_s, self._status.uses, lambda: has_active_runs(self._backend.backend), self.stop
        )
        self._status.idle_exit = idle
        threading.Thread(target=idle.run, name="idle exit", daemon=True).start()


# -- log limits -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Window:
    started: float
    lines: int = 0
    dropped: int = 0


class LogRateLimit(logging.Filter):
    """Limits the log lines that clients can cause, so that they cannot fill the disk.

    Each kind of record, identified by its format string, has its own limit per minute. The first record of the next
    minute states how many were dropped.

    Args:
        lines_per_minute: the number of records of one kind that pass.
        monotonic: the clock, in seconds.
    """

    def __init__(self, lines_per_minute: int = 1, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._lines_per_minute = lines_per_minute
        self._monotonic = monotonic
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        kind, now = str(record.msg), self._monotonic()
        with self._lock:
            window = self._windows.setdefault(kind, _Window(now))
            if now - window.started >= _LOG_PERIOD_S:
                if window.dropped:
                    record.msg = f"{kind} ({window.dropped} more lines like this were dropped)"
                self._windows[kind] = window = _Window(now)
            window.lines += 1
            if window.lines <= self._lines_per_minute:
                return True
            window.dropped += 1
            return False
