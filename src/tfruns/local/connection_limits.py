"""Limits for the server's connections: their number, and the time and size of requests.

uvicorn limits neither the head of a request nor the time for its body, and does not distinguish idle connections from
busy ones: with `limit_concurrency` it responds with 503 once enough connections are idle. When the process has no file
descriptors left, asyncio's accept loop spins and logs. Therefore this server accepts connections itself:

- At the limit, a new connection replaces the one that has been idle longest; connections that never sent a request are
  closed first. While all connections are busy, new ones wait in the kernel's queue.
- The head of a request has a time limit and a size limit. The time limit for a body grows with the bytes received, as
  in Apache's `mod_reqtimeout`. A client that does not read its response is also disconnected.
"""

import asyncio
import errno
import logging
import math
import resource
import socket
import ssl
from dataclasses import dataclass
from functools import partial

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

_log = logging.getLogger(__name__)

_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_ACCEPT_BACKOFF_S = 0.2
# Clients that reconnect whenever they are disconnected would otherwise keep a core busy.
_EVICTIONS_PER_PAUSE = 10
_EVICTION_PAUSE_S = 0.005
_KERNEL_QUEUE = 2048
_MAX_CONNECTIONS = 1000
_MAX_FILES = 65_536  # not more: some programs that a run starts close every possible descriptor, one by one
_RESERVED_FILES = 256  # for databases, logs, and the pipes of runs


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits.

    Attributes:
        connections: the number of open connections.
        head_s: the time for the head of a request, from the connection or from the first byte; also for a TLS
            handshake.
        head_bytes: the size of the head of a request.
        body_s: the time for a body; each received byte extends it.
        body_bytes_per_s: the lowest average rate at which a body may arrive.
        read_s: the time in which a client must read a part of its response.
    """

    connections: int = _MAX_CONNECTIONS
    head_s: float = 10.0
    head_bytes: int = 64 * 1024
    body_s: float = 20.0
    body_bytes_per_s: float = 500.0
    read_s: float = 60.0


def raise_open_files() -> int:
    """Raise the limit for open files of this process as far as the system allows, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # on macOS, above `kern.maxfilesperproc`
            return soft
        return wanted
    return soft if soft != resource.RLIM_INFINITY else _MAX_FILES


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises:
        OSError: the address is in use, or does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With an explicit protocol, asyncio sets TCP_NODELAY on accepted connections. Otherwise each response on a
    # keep-alive connection may wait 40 ms for the client's delayed acknowledgment.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_KERNEL_QUEUE)  # on Linux two processes can bind, but only one can listen
    except BaseException:
        listener.close()
        raise
    return listener


def limits_for(open_files: int) -> ConnectionLimits:
    """The limits of a server that can open this many files: an upload needs a connection and a file."""
    available = max(open_files - _RESERVED_FILES, open_files // 4)
    return ConnectionLimits(connections=max(4, min(_MAX_CONNECTIONS, available // 2)))


class LimitedConnection(HttpToolsProtocol):
    """The connection of one client.

    Attributes:
        idle_since: when the connection became idle.
        deadline: when the connection is closed, unless the client sends or reads something before.
        had_request: whether a request was completed on this connection.
    """

    def __init__(self, limiter: "ConnectionLimiter", config: Config, server_state: ServerState) -> None:
        super().__init__(config, server_state, {})
        self._limiter = limiter
        self._limits = limiter.limits
        self._head_bytes = 0  # received so far, including bytes after the head in the same read
        self._parsed_bytes = 0  # of the URL and of header names and values
        self._is_in_head = True
        self.idle_since = self.loop.time()
        self.deadline = self.idle_since + self._limits.head_s
        self.had_request = False

    @property
    def is_idle(self) -> bool:
        """Whether the connection serves no request."""
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type omits None
        return cycle is None or cycle.response_complete

    def expire(self, now: float) -> None:
        """Close the connection if the client is too slow."""
        if self.transport.is_closing():  # closing waits until the client has read the rest
            self.deadline = min(self.deadline, now + self._limits.read_s)
        if self.flow.read_paused:
            self.deadline = max(self.deadline, now + self._limits.body_s)  # the server is slow, not the client
        elif now >= self.deadline:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            if not self._head_bytes and self.had_request:
                self.deadline = self.loop.time() + self._limits.head_s
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > self._limits.head_bytes and not self.transport.is_closing():
            self._refuse_head()

    def _refuse_head(self) -> None:
        self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        self.transport.write(b"connection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        if self._parsed_bytes > self._limits.head_bytes:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name, value)
        super().on_header(name, value)

    def _count(self, *parts: bytes) -> None:
        self._parsed_bytes += sum(map(len, parts))
        if self._parsed_bytes > self._limits.head_bytes:
            raise ValueError("the head is too large")  # leads to `send_400_response`

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self.deadline = self.loop.time() + self._limits.body_s
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.deadline += len(body) / self._limits.body_bytes_per_s
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_head, self._head_bytes, self._parsed_bytes = True, 0, 0
        self.deadline = math.inf  # until the server has responded
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        self.had_request = True
        super().on_response_complete()
        self._limiter.changed.set()

    def pause_writing(self) -> None:
        self.deadline = self.loop.time() + self._limits.read_s
        super().pause_writing()

    def resume_writing(self) -> None:
        self.deadline = math.inf
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._limiter.changed.set()


class ConnectionLimiter:
    """Accepts the connections of a server within its limits.

    Args:
        config: the configuration of uvicorn.
        state: the state of uvicorn, which contains the open connections.
        limits: the limits.
    """

    def __init__(self, config: Config, state: ServerState, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.changed = asyncio.Event()
        self._config = config
        self._state = state
        self._evictions = 0
        self._handshakes: dict[asyncio.Task[None], float] = {}  # with the time at which each began

    async def accept(self, listener: socket.socket) -> None:
        """Accept connections until canceled."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            try:
                accepted, _ = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    _log.warning("cannot accept connections: %s", error.strerror)
                    self._make_room()
                    await asyncio.sleep(_ACCEPT_BACKOFF_S)
                continue  # any other error means that the client disconnected
            await self._wait_for_room()
            task = loop.create_task(self._open(accepted, self._config.ssl))
            self._handshakes[task] = loop.time()
            task.add_done_callback(partial(self._opened, accepted))

    def expire(self) -> None:
        """Close the connections of clients that are too slow."""
        now = asyncio.get_running_loop().time()
        for connection in self._open_connections():
            connection.expire(now)

    async def _open(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        timeout_s = self.limits.head_s if tls else None
        try:
            await loop.connect_accepted_socket(
                lambda: LimitedConnection(self, self._config, self._state),
                accepted,
                ssl=tls,
                ssl_handshake_timeout=timeout_s,
            )
        except (OSError, TimeoutError) as error:  # includes ssl.SSLError; the transport has closed the socket
            _log.debug("a connection failed: %s", error)
        finally:
            self.changed.set()

    def _opened(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        del self._handshakes[task]
        if task.cancelled():  # possibly before it started
            accepted.close()

    def _open_connections(self) -> list[LimitedConnection]:
        return [connection for connection in self._state.connections if isinstance(connection, LimitedConnection)]

    @property
    def _is_full(self) -> bool:
        if len(self._state.connections) + len(self._handshakes) < self.limits.connections:
            return False
        remaining = sum(not connection.transport.is_closing() for connection in self._open_connections())
        return remaining + len(self._handshakes) >= self.limits.connections

    async def _wait_for_room(self) -> None:
        while self._is_full:
            self.changed.clear()
            if self._make_room():
                _log.warning("%d connections are open: closing idle ones to accept new ones", self.limits.connections)
                self._evictions += 1
                await asyncio.sleep(0 if self._evictions % _EVICTIONS_PER_PAUSE else _EVICTION_PAUSE_S)
            else:
                _log.warning("%d connections are busy: new connections wait", self.limits.connections)
                await self.changed.wait()

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest; False if all are busy."""
        idle = [one for one in self._open_connections() if one.is_idle and not one.transport.is_closing()]
        first = min(idle, key=lambda one: (one.had_request, one.idle_since), default=None)
        handshake = min(self._handshakes, key=self._handshakes.__getitem__, default=None)
        if handshake is not None and (
            first is None or first.had_request or self._handshakes[handshake] < first.idle_since
        ):
            handshake.cancel()
            return True
        if first is not None:
            first.transport.abort()
        return first is not None
