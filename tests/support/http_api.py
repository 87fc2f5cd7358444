"""A scripted API as an HTTP server on loopback, for clients in other processes."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from tests.support.api import with_what_was_sent

_PATIENCE_S = 30.0  # the limit of every wait


@dataclass(frozen=True, slots=True)
class Received:
    """A received request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


Answer = httpx2.Response | threading.Event | Callable[[Received], httpx2.Response]


class HttpApi:
    """Responds to requests from a script; a request that is not in the script gets a 404.

    Each route has a queue of responses. The last one is repeated. An event instead of a response blocks the request
    until it is set, and then closes the connection; a function is called with the request. `requests` contains all
    received requests. Every response announces a rate limit that no test reaches.

        with HttpApi() as api:
            api.on("GET", "/runs/run-1", answer(...))
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.routes: dict[tuple[str, str], deque[Answer]] = {}
        self._arrival = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def hostname(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def address(self) -> str:
        return f"http://{self.hostname}"

    def on(self, method: str, path: str, *answers: Answer) -> "HttpApi":
        """Script a path below /api/v2."""
        self.routes.setdefault((method, f"/api/v2{path}"), deque()).extend(answers)
        return self

    def reset(self) -> None:
        """Clear the script and the requests."""
        with self._arrival:
            self.routes.clear()
            self.requests.clear()

    def sent(self, method: str, path: str = "") -> list[Received]:
        """The received requests with this method and this end of the path."""
        return [r for r in self.requests if r.method == method and r.path.endswith(path)]

    def wait_for(self, method: str, path: str) -> Received:
        """Wait for the first request with this method and this end of the path."""
        with self._arrival:
            arrived = self._arrival.wait_for(lambda: self.sent(method, path), _PATIENCE_S)
        assert arrived, f"no {method} {path} within {_PATIENCE_S} s"
        return arrived[0]

    def answer_to(self, request: Received) -> Answer:
        """Record a request, and return the next response for it."""
        with self._arrival:
            self.requests.append(request)
            self._arrival.notify_all()
            answers = self.routes.get((request.method, request.path))
            if not answers:
                return _NOT_FOUND
            return answers.popleft() if len(answers) > 1 else answers[0]

    def __enter__(self) -> "HttpApi":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(_PATIENCE_S)
        self._server.server_close()


_NOT_FOUND = httpx2.Response(404, json={"errors": [{"status": "404", "title": "not found"}]})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    api: HttpApi


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = Received(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=content if self.command == "PUT" else json.loads(content) if content else None,
        )
        answer = self.server.api.answer_to(request)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx2.Response) and self.command == "POST":
            answer = with_what_was_sent(answer, request.body)
        if isinstance(answer, threading.Event):
            answer.wait(_PATIENCE_S)
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        for name, value in {"x-ratelimit-limit": "1000", **answer.headers}.items():
            if name not in {"content-length", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)
