"""Real servers on loopback, each in its own thread, for failures that only a socket can have."""

import contextlib
import json
import select
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PATIENCE_S = 10.0  # no thread waits longer for anything


@dataclass(frozen=True)
class Received:
    """A received request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """The server's reaction to a request.

    Attributes:
        status: of the answer.
        body: as it goes over the wire.
        headers: further ones; `Content-Length` is added unless it is here.
        is_closed: close the connection afterwards, without having announced it.
        is_reset: reset the connection instead of answering.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_closed: bool = False
    is_reset: bool = False


def document(value: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON:API response."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"content-type": "application/vnd.api+json", **named})


def cut(status: int, sent: bytes, announced: int) -> Answer:
    """A response that is shorter than its announced length."""
    headers = {"content-type": "application/vnd.api+json", "content-length": str(announced)}
    return Answer(status, sent, headers, is_closed=True)


class WebServer(ThreadingHTTPServer):
    """Respond with a function; record requests and count connections."""

    daemon_threads = True

    def __init__(self, respond: Callable[[Received], Answer], context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond = respond
        self.received: list[Received] = []
        self.connections = 0
        self.closed = threading.Event()
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "http" if context is None else "https"
        self.address = f"{scheme}://127.0.0.1:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect: these tests provoke it."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S
    disable_nagle_algorithm = True
    server: WebServer

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, self.path, headers, self.rfile.read(length))
        self.server.received.append(request)
        answer = self.server.respond(request)
        if answer.is_reset:
            self._reset()
            return
        self.send_response(answer.status)
        lower = {name.lower() for name in answer.headers}
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if not lower & {"content-length", "transfer-encoding"}:
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = self.close_connection or answer.is_closed

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  # the names that http.server looks for

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.server.closed.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that http.server gives it
        """Log nothing."""


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_PATIENCE_S)


@contextlib.contextmanager
def web_server(
    respond: Callable[[Received], Answer] | Answer, *, context: ssl.SSLContext | None = None
) -> Iterator[WebServer]:
    """A server that responds to every request in this way."""
    server = WebServer(respond if callable(respond) else lambda _: respond, context)
    with _running(server):
        yield server


def unused_port() -> int:
    """A closed port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Proxy(socketserver.ThreadingTCPServer):
    """A tiny proxy: tunnels every CONNECT to one address and answers plain requests itself.

    `heads` contains the complete head of each received request.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, upstream_port: int | None, refusal: bytes | None) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
        self.upstream_port = upstream_port
        self.refusal = refusal
        self.heads: list[str] = []
        self.netloc = f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""


class _ProxyHandler(socketserver.StreamRequestHandler):
    timeout = _PATIENCE_S
    server: Proxy

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline(10_000)
            if not line:
                return
            head += line
        self.server.heads.append(head.decode())
        if self.server.refusal is not None:
            self.wfile.write(self.server.refusal)
        elif head.startswith(b"CONNECT "):
            self._tunnel()
        else:
            body = json.dumps({"data": {"id": "user-1", "type": "users", "attributes": {"username": "operator"}}})
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.api+json\r\nconnection: close\r\n"
                + f"content-length: {len(body)}\r\n\r\n{body}".encode()
            )

    def _tunnel(self) -> None:
        assert self.server.upstream_port is not None
        with socket.create_connection(("127.0.0.1", self.server.upstream_port), timeout=_PATIENCE_S) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {self.connection: upstream, upstream: self.connection}
            while True:
                readable, _, _ = select.select(list(ends), [], [], _PATIENCE_S)
                for end in readable:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)
                if not readable:
                    return


@contextlib.contextmanager
def proxy(*, upstream_port: int | None = None, refusal: bytes | None = None) -> Iterator[Proxy]:
    """A proxy in front of a local server, or one that refuses everything with this response."""
    server = Proxy(upstream_port, refusal)
    with _running(server):
        yield server
