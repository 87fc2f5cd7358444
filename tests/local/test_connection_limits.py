"""Limits on the number of connections and on the time and size of requests, over real sockets."""

import asyncio
import errno
import logging
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tfruns.local.connection_limits import (
    ConnectionLimiter,
    ConnectionLimits,
    LimitedConnection,
    limits_for,
    listen,
    raise_open_files,
)
from tfruns.local.server import LogRateLimit

PATIENCE_S = 10.0
REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
SLOW = ConnectionLimits(connections=50, head_s=30, body_s=30, read_s=30)


async def application(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Respond with the length of the body; for /large, with more bytes than the socket buffers can store."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    body = b"x" * 30_000_000 if scope["path"] == "/large" else str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Server:
    port: int
    limiter: ConnectionLimiter
    state: ServerState

    def connect(self) -> socket.socket:
        """A non-blocking connection from which nothing is read yet."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        client.setblocking(False)
        return client

    async def ask(self, client: socket.socket, request: bytes = REQUEST) -> bytes:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, request)
        return await self.read(client)

    @staticmethod
    async def read(client: socket.socket) -> bytes:
        """The next bytes; none if the server has closed the connection."""
        with suppress(ConnectionResetError):
            return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 65536), PATIENCE_S)
        return b""

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            self.limiter.expire()
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(limits: ConnectionLimits) -> AsyncIterator[Server]:
    config = uvicorn.Config(application, lifespan="off", ws="none", log_config=None, timeout_keep_alive=30)
    config.load()
    state = ServerState()
    limiter = ConnectionLimiter(config, state, limits)
    with listen("127.0.0.1", 0) as listener:
        accepting = asyncio.create_task(limiter.accept(listener))
        try:
            yield Server(listener.getsockname()[1], limiter, state)
        finally:
            accepting.cancel()
            await asyncio.wait([accepting])
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.sleep(0.01)


def _busy(state: ServerState) -> int:
    """The number of connections that serve a request."""
    return sum(isinstance(one, LimitedConnection) and not one.is_idle for one in state.connections)


async def test_accepted_connections_use_tcp_nodelay() -> None:
    async with serving(SLOW) as server:
        with server.connect() as client:
            assert (await server.ask(client)).endswith(b"\r\n\r\n0")
            (connection,) = server.state.connections
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


async def test_idle_connections_are_closed_for_new_ones(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(replace(SLOW, connections=5)) as server:
        kept = server.connect()
        assert await server.ask(kept)
        idle = [server.connect() for _ in range(50)]
        for _ in range(20):
            with server.connect() as client:
                assert (await server.ask(client)).startswith(b"HTTP/1.1 200")
        assert (await server.ask(kept)).startswith(b"HTTP/1.1 200"), "connections without a request are closed first"
        assert await server.read(idle[0]) == b""
        assert len(server.state.connections) <= 5
        for client in (kept, *idle):
            client.close()
    assert {record.msg for record in caplog.records} == {
        "%d connections are open: closing idle ones to accept new ones"
    }


async def test_busy_connections_are_not_closed_for_new_ones() -> None:
    async with serving(replace(SLOW, connections=3)) as server:
        busy = [server.connect() for _ in range(3)]
        for client in busy:
            await asyncio.get_running_loop().sock_sendall(
                client, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na"
            )
        await server.until(lambda: _busy(server.state) == 3)
        waiting = server.connect()
        response = asyncio.create_task(server.ask(waiting))
        done, _ = await asyncio.wait([response], timeout=0.1)
        assert not done
        assert (await server.ask(busy[0], b"b")).endswith(b"\r\n\r\n2")
        assert (await response).startswith(b"HTTP/1.1 200")
        for client in (*busy, waiting):
            client.close()


# The bytes that a slow client sends first, and those that it repeats every 10 ms.
SLOW_CLIENTS = {
    "nothing": (b"", b""),
    "a slow head": (b"GET / HTTP/1.1\r\n", b"x"),
    "a slow body": (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000\r\n\r\n", b"x"),
    "slow chunks": (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a slow second head": (REQUEST + b"GET / HTTP/1.1\r\n", b"x"),
}


async def test_slow_clients_are_disconnected() -> None:
    limits = replace(SLOW, head_s=0.3, body_s=0.3, body_bytes_per_s=1000)
    async with serving(limits) as server:
        for name, (first, then) in SLOW_CLIENTS.items():
            with server.connect() as client:
                client.send(first)
                start = time.monotonic()
                while server.state.connections or time.monotonic() - start < 0.2:
                    assert time.monotonic() - start < PATIENCE_S, name
                    with suppress(ConnectionError):
                        client.send(then)
                    server.limiter.expire()
                    await asyncio.sleep(0.01)
                assert time.monotonic() - start >= 0.25, name


async def test_client_that_does_not_read_is_disconnected() -> None:
    async with serving(replace(SLOW, read_s=0.3)) as server:
        with server.connect() as client:
            client.send(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            await server.until(lambda: len(server.state.connections) == 1)
            await server.until(lambda: not server.state.connections)


async def test_slow_but_steady_body_is_read_completely() -> None:
    async with serving(replace(SLOW, body_s=0.2, body_bytes_per_s=1000)) as server:
        with server.connect() as client:
            client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n")
            for _ in range(50):
                client.send(b"x" * 100)
                server.limiter.expire()
                await asyncio.sleep(0.01)
            assert (await server.read(client)).endswith(b"\r\n\r\n5000")


async def test_head_that_is_too_large_is_431() -> None:
    async with serving(replace(SLOW, head_bytes=1000)) as server:
        for head in (b"GET /%s", b"GET / HTTP/1.1\r\nx: %s", b"GET / HTTP/1.1\r\n%s: x"):
            with server.connect() as client:
                assert (await server.ask(client, head % (b"x" * 1001))).startswith(b"HTTP/1.1 431 ")
                assert await server.read(client) == b""


async def test_accept_backs_off_when_no_file_descriptors_are_left(caplog: pytest.LogCaptureFixture) -> None:
    class Exhausted(socket.socket):
        tries = 0

        def accept(self) -> Any:
            Exhausted.tries += 1
            raise OSError(errno.EMFILE, "Too many open files")

    async with serving(SLOW) as server:
        idle = server.connect()
        await server.until(lambda: len(server.state.connections) == 1)
        with Exhausted(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            with socket.create_connection(listener.getsockname()):
                accepting = asyncio.create_task(server.limiter.accept(listener))
                await server.until(lambda: not server.state.connections)
                assert Exhausted.tries == 1, "the idle connection is closed before the next attempt"
                await asyncio.sleep(0.1)
                assert Exhausted.tries == 1
                accepting.cancel()
                await asyncio.wait([accepting])
        idle.close()
    assert [record.getMessage() for record in caplog.records] == ["cannot accept connections: Too many open files"]


def test_log_line_of_one_kind_is_written_once_a_minute() -> None:
    now = 0.0
    limit = LogRateLimit(monotonic=lambda: now)

    def record(kind: str, number: int) -> logging.LogRecord:
        return logging.LogRecord("x", logging.WARNING, "", 0, kind, (number,), None)

    passed = []
    for second in range(130):
        now = float(second)
        for kind in ("a %d", "b %d"):
            line = record(kind, second)
            if limit.filter(line):
                passed.append(line.getMessage())
    more = "(59 more lines like this were dropped)"
    assert passed == ["a 0", "b 0", f"a 60 {more}", f"b 60 {more}", f"a 120 {more}", f"b 120 {more}"]


@pytest.mark.processes
def test_open_file_limit_is_raised_to_the_hard_limit() -> None:
    program = """if True:
        import resource
        from tfruns.local.connection_limits import raise_open_files
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 600))
        print(raise_open_files(), resource.getrlimit(resource.RLIMIT_NOFILE), raise_open_files())
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "600 (600, 600) 600\n"
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert raise_open_files() >= before[0] or before[0] == resource.RLIM_INFINITY


def test_connection_limit_depends_on_the_open_file_limit() -> None:
    assert [limits_for(files).connections for files in (16, 64, 256, 1024, 4096, 65_536)] == [4, 8, 32, 384, 1000, 1000]
