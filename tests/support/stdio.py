"""The installed command as a process, and a client of its JSON-RPC that shares no code with it."""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tests.support.command_process import TFRUNS, start

PATIENCE_S = 30.0  # for a busy machine; normally, each wait is much shorter

Era = Literal["2025-11-25", "2026-07-28"]
WITH_HANDSHAKE: Era = "2025-11-25"
WITHOUT_HANDSHAKE: Era = "2026-07-28"

CLIENT_INFO = {"name": "wire-test", "version": "1"}

# MCP 2026-07-28, "Per-request protocol fields"
META = {
    "io.modelcontextprotocol/protocolVersion": WITHOUT_HANDSHAKE,
    "io.modelcontextprotocol/clientInfo": CLIENT_INFO,
    "io.modelcontextprotocol/clientCapabilities": {},
}

Message = dict[str, Any]


def tfruns() -> str:
    """The installed command."""
    return TFRUNS


def environment(home: Path, **variables: str) -> dict[str, str]:
    """An environment without the settings of the user who runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "TFRUNS_IDLE_EXIT": "0", **variables}


class StdioServer:
    """`tfruns mcp` as a process. Every wait has a deadline; every line of the output must be JSON-RPC."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str],
        log: Path,
        era: Era = WITH_HANDSHAKE,
        capabilities: Message | None = None,
    ) -> None:
        self.era = era
        self.capabilities = capabilities or {}
        self.messages: list[Message] = []
        self._log = log
        self._log_start = 0
        self._last_id = 1000  # smaller ids are chosen by tests
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        with log.open("wb") as stderr:
            self.process = start([tfruns(), "mcp", *arguments], env=env, stdin=subprocess.PIPE, stderr=stderr)
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()

    @property
    def stderr(self) -> str:
        """Its standard error so far."""
        return self._log.read_bytes()[self._log_start :].decode()

    @property
    def is_running(self) -> bool:
        """Whether the process is still running."""
        return self.process.poll() is None

    def forget(self) -> None:
        """Clear `messages` and `stderr`, for a test that shares a server with others."""
        self.messages.clear()
        self._log_start = self._log.stat().st_size

    # -- sending ------------------------------------------------------------------------------------------------------

    def send_line(self, line: bytes) -> None:
        """Send bytes and a line feed."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, method: str, params: Message | None = None, *, id_: int | str | None = None) -> None:
        """Send a request, or a notification if it has no id."""
        message: Message = {"jsonrpc": "2.0", "method": method}
        if id_ is not None:
            message["id"] = id_
        if self.era == WITHOUT_HANDSHAKE:
            meta = META | {"io.modelcontextprotocol/clientCapabilities": self.capabilities}
            params = {**(params or {}), "_meta": meta | (params or {}).get("_meta", {})}
        if params is not None:
            message["params"] = params
        self.send_line(json.dumps(message).encode())

    def next_id(self) -> int:
        """An id that no request has used."""
        self._last_id += 1
        return self._last_id

    # -- receiving ----------------------------------------------------------------------------------------------------

    def receive(self) -> Message:
        """The next message."""
        try:
            line = self._lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"no message within {PATIENCE_S} s; standard error:\n{self.stderr}") from None
        assert line is not None, f"the server has exited; standard error:\n{self.stderr}"
        message = _message(line)
        self.messages.append(message)
        return message

    def answer_to(self, id_: int | str) -> Message:
        """The response to a request. Messages before it are stored in `messages`."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            message = self.receive()
            if message.get("id") == id_ and "method" not in message:
                return message
        raise AssertionError(f"no answer to {id_} within {PATIENCE_S} s")

    # -- requests with responses --------------------------------------------------------------------------------------

    def request(self, method: str, params: Message | None = None) -> Message:
        """Send a request, and return the complete response."""
        id_ = self.next_id()
        self.send(method, params, id_=id_)
        return self.answer_to(id_)

    def result(self, method: str, params: Message | None = None) -> Message:
        """Send a request and return its result."""
        answer = self.request(method, params)
        assert "result" in answer, answer
        result: Message = answer["result"]
        return result

    def call(self, tool: str, arguments: Message | None = None) -> Message:
        """Call a tool, and return its result, successful or not."""
        return self.result("tools/call", {"name": tool, "arguments": arguments or {}})

    def handshake(self) -> Message:
        """Initialize, as the revisions up to 2025-11-25 require, and return the result."""
        client = {"protocolVersion": WITH_HANDSHAKE, "capabilities": self.capabilities, "clientInfo": CLIENT_INFO}
        result = self.result("initialize", client)
        self.send("notifications/initialized")
        return result

    def close_input(self) -> int:
        """Close the input, and return the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.wait()

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Wait for the exit code. The remaining output is then in `messages`."""
        code = self.process.wait(patience_s)
        self._reader.join(PATIENCE_S)
        while (line := self._lines.get(timeout=PATIENCE_S)) is not None:
            self.messages.append(_message(line))
        self._lines.put(None)
        return code

    def __enter__(self) -> "StdioServer":
        if self.era == WITH_HANDSHAKE:
            self.handshake()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Kill the process if it is still running."""
        if self.is_running:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None and not stream.closed:
                _close(stream)

    def _read_lines(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)


def _close(stream: Any) -> None:
    with suppress(BrokenPipeError):  # the reader of unwritten data is gone
        stream.close()


def _message(line: bytes) -> Message:
    """Parse a line of the output, which must be a JSON-RPC 2.0 message."""
    assert line.endswith(b"\n"), line
    message = json.loads(line)
    assert isinstance(message, dict), line
    assert message.get("jsonrpc") == "2.0", line
    assert ("method" in message) + ("result" in message) + ("error" in message) == 1, line
    return message
