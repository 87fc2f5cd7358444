"""The connections of a server: how many are open, and how long a client may take.

uvicorn has no limit for the head of a request, none for a slow body, and cannot tell idle connections from busy ones
(`limit_concurrency` answers 503 as soon as enough connections are idle). When no more files can be open, asyncio's
accept loop spins and logs. So the server accepts connections itself:

- At the limit, the connection that has been idle for longest is closed for a new one; those that never sent a request
  are closed first. While all of them are busy, new connections wait in the kernel's queue.
- The head of a request has a time limit and a size limit. The time limit of a body grows with the bytes received, as in
  Apache's `mod_reqtimeout`. A client that does not read its response is disconnected, too.
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

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_ACCEPT_BACKOFF_S = 0.2
_KERNEL_QUEUE = 2048
_MOST_CONNECTIONS = 1000
_MOST_FILES = 65_536  # some programs that a run starts close every possible descriptor one by one
_FILES_OF_THE_BACKEND = 256  # databases, logs, and the pipes of runs


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a client may take.

    Attributes:
        connections: how many are open at a time.
        head_s: time for the head of a request, from the connection or from its first byte on; for a TLS handshake, too.
        head_bytes: size of the head of a request.
        body_s: time for a body, to which each received byte adds.
        body_bytes_per_s: how slowly a body may arrive in the long run.
        read_s: time in which a client has to read something of its answer.
    """

    connections: int = _MOST_CONNECTIONS
    head_s: float = 10.0
    head_bytes: int = 64 * 1024
    body_s: float = 20.0
    body_bytes_per_s: float = 500.0
    read_s: float = 60.0


def raise_open_files() -> int:
    """Raise the number of files that this process may open to what the system allows; the number is returned."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS: not above `kern.maxfilesperproc`
            return soft
        return wanted
    return soft if soft != resource.RLIM_INFINITY else _MOST_FILES


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: the address is in use, or not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what is accepted; without, each answer on a kept connection
    # may wait 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_KERNEL_QUEUE)  # on Linux two may bind, and one of them listen
    except BaseException:
        listener.close()
        raise
    return listener


def limits_for(open_files: int) -> ConnectionLimits:
    """The limits of a server that may open so many files: an upload takes a connection and a file."""
    left = max(open_files - _FILES_OF_THE_BACKEND, open_files // 4)
    return ConnectionLimits(connections=max(4, min(_MOST_CONNECTIONS, left // 2)))


class Connection(HttpToolsProtocol):
    """One client's connection.

    Attributes:
        since: when it became idle.
        deadline: when it is closed unless something arrives, or is read, until then.
        had_request: whether a request was ever answered.
    """

    def __init__(self, connections: "Connections", config: Config, server_state: ServerState) -> None:
        super().__init__(config, server_state, {})
        self._connections = connections
        self._limits = connections.limits
        self._head_bytes = 0  # received, with what follows the head in the same part
        self._parsed_bytes = 0  # of names and values
        self._is_in_head = True
        self.since = self.loop.time()
        self.deadline = self.since + self._limits.head_s
        self.had_request = False

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn declares it as never None
        return cycle is None or cycle.response_complete

    def expire(self, now: float) -> None:
        """Close it if the client took too long."""
        if self.transport.is_closing():  # which waits for the client to read the rest
            self.deadline = min(self.deadline, now + self._limits.read_s)
        if self.flow.read_paused:
            self.deadline = max(self.deadline, now + self._limits.body_s)  # it waits for the server
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
            raise ValueError("the head is too large")  # which ends in `send_400_response`

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self.deadline = self.loop.time() + self._limits.body_s
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.deadline += len(body) / self._limits.body_bytes_per_s
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_head, self._head_bytes, self._parsed_bytes = True, 0, 0
        self.deadline = math.inf  # now it is the server's turn
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.since = self.loop.time()
        self.had_request = True
        super().on_response_complete()
        self._connections.changed.set()

    def pause_writing(self) -> None:
        self.deadline = self.loop.time() + self._limits.read_s
        super().pause_writing()

    def resume_writing(self) -> None:
        self.deadline = math.inf
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connections.changed.set()


class Connections:
    """The open connections of a server.

    Args:
        config: uvicorn's.
        state: uvicorn's, which holds the connections.
        limits: what a client may take.
    """

    def __init__(self, config: Config, state: ServerState, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.changed = asyncio.Event()
        self._config = config
        self._state = state
        self._handshakes: dict[asyncio.Task[None], float] = {}  # when they began

    async def accept(self, listener: socket.socket) -> None:
        """Accept connections for ever."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            try:
                accepted, _ = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    _log.warning("no connection can be accepted: %s", error.strerror)
                    self._make_room()
                    await asyncio.sleep(_ACCEPT_BACKOFF_S)
                continue  # otherwise the client has gone
            await self._wait_for_room()
            task = loop.create_task(self._open(accepted, self._config.ssl))
            self._handshakes[task] = loop.time()
            task.add_done_callback(partial(self._opened, accepted))

    def expire(self) -> None:
        """Close the connections of clients that took too long."""
        now = asyncio.get_running_loop().time()
        for connection in self._open_ones():
            connection.expire(now)

    async def _open(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        timeout_s = self.limits.head_s if tls else None
        try:
            await loop.connect_accepted_socket(
                lambda: Connection(self, self._config, self._state), accepted, ssl=tls, ssl_handshake_timeout=timeout_s
            )
        except (OSError, TimeoutError) as error:  # of which ssl.SSLError is one; the transport has closed the socket
            _log.debug("a connection failed: %s", error)
        finally:
            self.changed.set()

    def _opened(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        del self._handshakes[task]
        if task.cancelled():  # perhaps before it had begun
            accepted.close()

    def _open_ones(self) -> list[Connection]:
        return [connection for connection in self._state.connections if isinstance(connection, Connection)]

    @property
    def _is_full(self) -> bool:
        if len(self._state.connections) + len(self._handshakes) < self.limits.connections:
            return False
        staying = sum(not connection.transport.is_closing() for connection in self._open_ones())
        return staying + len(self._handshakes) >= self.limits.connections

    async def _wait_for_room(self) -> None:
        while self._is_full:
            self.changed.clear()
            if self._make_room():
                _log.warning("%d connections are open: idle ones are closed for new ones", self.limits.connections)
                await asyncio.sleep(0)
            else:
                _log.warning("%d connections are busy: new ones wait", self.limits.connections)
                await self.changed.wait()

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest; False if all are busy."""
        idle = [one for one in self._open_ones() if one.is_idle and not one.transport.is_closing()]
        first = min(idle, key=lambda one: (one.had_request, one.since), default=None)
        handshake = min(self._handshakes, key=self._handshakes.__getitem__, default=None)
        if handshake is not None and (first is None or first.had_request or self._handshakes[handshake] < first.since):
            handshake.cancel()
            return True
        if first is not None:
            first.transport.abort()
        return first is not None
