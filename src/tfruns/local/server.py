"""`tfruns server`: the local backend on a socket.

When it is ready it says so in one line on standard output, `listening on http://127.0.0.1:PORT`; its log is standard
error. SIGTERM and Ctrl-C stop it: it begins no phase any more, interrupts what Terraform does, and keeps the state; a
second one does not wait for Terraform.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

from tfruns.local.cannot_start import CannotStart
from tfruns.local.connections import Connections, limits_for, listen, raise_open_files
from tfruns.local.data_dir import DataDirectory
from tfruns.local.engine.resume import is_any_under_way
from tfruns.local.idle import IdleExit
from tfruns.local.listening import Listening
from tfruns.local.log_limits import LogRateLimit
from tfruns.local.running import BackendOptions, PhaseStuck, Running, running
from tfruns.local.status import StatusEndpoint
from tfruns.local.terraform.slug_process import ARCHIVES

_log = logging.getLogger(__name__)

_REQUESTS_END_WITHIN_S = 10
_KEEP_ALIVE_S = 60
_OBJECTS_BETWEEN_COLLECTIONS = 20_000
_TICKS_PER_S = 10  # uvicorn's
# What clients can cause, and how many lines of each kind are written in a minute.
_LIMITED_LOGS = {"uvicorn.error": 1, "tfruns.local.connections": 1, "tfruns.local.api.app": 60}


class CannotListen(CannotStart):
    """The address is in use, or none of this machine."""


def serve(
    directory: DataDirectory, options: BackendOptions, listening: Listening, *, idle_exit_s: float | None = None
) -> None:
    """Serve until a signal.

    Args:
        directory: the data directory.
        options: how the backend is set up.
        listening: where it listens.
        idle_exit_s: exit too after so long without a use; see `IdleExit`. None to stay until a signal.

    Raises:
        InvalidInput: see `Listening.check`.
        CannotListen: the address is in use, or is none of this machine.
        OSError: the certificate cannot be written.

    And what `running` raises.
    """
    listening.check()
    for talkative in ("alembic", "uvicorn"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    for name, lines_per_minute in _LIMITED_LOGS.items():
        logging.getLogger(name).addFilter(LogRateLimit(lines_per_minute))
    signals = _Signals()
    with signals.taken(), running(directory, options) as backend, _bound(listening, directory) as bound:
        certificate = directory.certificate if listening.is_self_signed else None
        listening = listening.with_certificate(directory.certificate)
        url = listening.url(bound.getsockname()[1])
        server = _Server(listening, backend, directory, url)
        signals.server = server
        # Nothing is executed before it is sure that the server can be reached: a start that fails would break it off.
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
        count: how many there were.
        server: what they stop, once it is there.
    """

    def __init__(self) -> None:
        self.count = 0
        self.server: _Server | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take them in this block."""
        before = {number: signal.signal(number, self._take) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, *_: object) -> None:
        self.count += 1
        if self.server is not None:
            self.server.stop(is_urgent=self.count > 1)


def settle() -> None:
    """Take what was loaded until now out of the garbage collector's care: it stays, and to look at it takes 60 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)  # by default 700, which a single list of runs makes


def _bound(listening: Listening, directory: DataDirectory) -> socket.socket:
    """The socket; where any port will do, that of the directory's last server unless it is taken."""
    last_port = directory.last_port()
    if listening.port == 0 and last_port:
        with suppress(OSError):
            return listen(listening.host, last_port)
    try:
        return listen(listening.host, listening.port)
    except OSError as error:
        raise CannotListen(f"Cannot listen on {listening.host}, port {listening.port}: {error.strerror}.") from None


def _say_where(url: str) -> None:
    """Say it to whoever waits for it, and to nobody if he has gone."""
    try:
        print(f"listening on {url}", flush=True)  # noqa: T201
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # what could not be written is tried again when the process ends
        os.close(nowhere)


def _configuration(app: StatusEndpoint, listening: Listening) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        loop="uvloop",
        timeout_keep_alive=_KEEP_ALIVE_S,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_REQUESTS_END_WITHIN_S,
        ssl_certfile=listening.tls_cert,
        ssl_keyfile=listening.tls_key,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready, and whose signals are the engine's too."""

    def __init__(self, listening: Listening, backend: Running, directory: DataDirectory, url: str) -> None:
        self._status = StatusEndpoint(backend.app, backend.backend)
        super().__init__(_configuration(self._status, listening))
        self._backend = backend
        self._directory = directory
        self._url = url
        self.servers: list[asyncio.base_events.Server] = []  # uvicorn's own, of which there is none: see `Connections`
        self._accepting: list[asyncio.Task[None]] = []
        self._connections: Connections | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._connections = Connections(self.config, self.server_state, limits_for(raise_open_files()))
        accepting = [self._connections.accept(listener) for listener in sockets or []]
        self._accepting = [asyncio.create_task(accept, name="accept") for accept in accepting]
        self.started = True
        settle()
        self._directory.announce(self._url)
        terraform = self._backend.workshop.terraform
        _log.info("%s %s, data in %s", terraform.name, terraform.version, self._directory.path)
        _say_where(self._url)

    async def on_tick(self, counter: int) -> bool:
        for task in self._accepting:
            if task.done():
                task.result()  # which raises: a server that accepts nothing must not stay
        if self._connections is not None and counter % _TICKS_PER_S == 0:
            self._connections.expire()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._directory.withdraw()
        for task in self._accepting:
            task.cancel()
        await asyncio.wait(self._accepting)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone; uvicorn would raise them again when it has ended."""
        yield

    def stop(self, *, is_urgent: bool = False) -> None:
        """Stop; if it is urgent, without waiting for Terraform."""
        self._backend.engine.demand_stop(is_urgent=is_urgent)
        ARCHIVES.stop()
        self.should_exit = True

    def exit_when_idle(self, after_s: float) -> None:
        """Stop once nothing has used the server for so long, and no run is under way."""
        idle = IdleExit(
            self._directory, after_s, self._status.uses, lambda: is_any_under_way(self._backend.backend), self.stop
        )
        self._status.idle_exit = idle
        threading.Thread(target=idle.run, name="idle exit", daemon=True).start()
