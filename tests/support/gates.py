"""Gates that block a running Terraform: a fifo for a `local-exec`, and an HTTP response for a plan."""

import json
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.stdio import PATIENCE_S

_STATE = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "aaaa", "outputs": {}, "resources": []}


class ApplyGate:
    """A `local-exec` that signals its start, and then blocks until the test opens the gate."""

    def __init__(self, directory: Path, name: str = "a") -> None:
        self.name = name
        self._begun, self._go = directory / f"{name}.begun", directory / f"{name}.go"
        self._files = [self._made(path) for path in (self._begun, self._go)]

    def _made(self, path: Path) -> int:
        os.mkfifo(path)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def configuration(self, *, before: str = "", depends_on: str = "") -> str:
        """The resource. Its shell executes `before` first."""
        command = f"{before}\necho begun > '{self._begun}'; read line < '{self._go}'"
        depends = f"depends_on = [{depends_on}]" if depends_on else ""
        return f"""
            resource "terraform_data" "{self.name}" {{
              provisioner "local-exec" {{
                command = {json.dumps(command)}
              }}
              {depends}
            }}
        """

    def has_begun(self) -> bool:
        """Whether the `local-exec` has started since the last call."""
        if not select.select([self._files[0]], [], [], 0)[0]:
            return False
        os.read(self._files[0], 4096)
        return True

    def open(self) -> None:
        """Let one `local-exec` continue."""
        os.write(self._files[1], b"go\n")

    def close(self) -> None:
        for file in self._files:
            os.close(file)


class PlanGate:
    """An HTTP server of remote states. A plan that reads one blocks until the test opens the gate."""

    def __init__(self) -> None:
        self._open: dict[str, threading.Event] = {}
        self._requests: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def configuration(self, name: str = "plan", *, depends_on: str = "") -> str:
        """A data source that blocks until `open(name)`. If it depends on a new resource, it blocks the apply."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}/{name}"
        depends = f"depends_on = [{depends_on}]" if depends_on else ""
        return f"""
            data "terraform_remote_state" "{name}" {{
              backend = "http"
              config  = {{ address = "{url}", retry_max = 0 }}
              {depends}
            }}
        """

    def requests(self, name: str = "plan") -> int:
        """The number of requests for a remote state."""
        with self._lock:
            return self._requests.get(name, 0)

    def open(self, name: str = "plan") -> None:
        """Respond to pending and future requests."""
        self._event(name).set()

    def close(self, name: str = "plan") -> None:
        """Block future requests."""
        self._event(name).clear()

    def _event(self, name: str) -> threading.Event:
        with self._lock:
            return self._open.setdefault(name, threading.Event())

    def _respond(self, name: str) -> bytes:
        with self._lock:
            self._requests[name] = self._requests.get(name, 0) + 1
        self._event(name).wait(4 * PATIENCE_S)
        return json.dumps(_STATE).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = gate._respond(self.path.strip("/"))
                try:
                    self.send_response(200)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # the client has closed the connection
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
                """Log nothing."""

        return Handler

    @contextmanager
    def serving(self) -> Iterator["PlanGate"]:
        self._thread.start()
        try:
            yield self
        finally:
            with self._lock:
                events = list(self._open.values())
            for event in events:
                event.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(PATIENCE_S)
