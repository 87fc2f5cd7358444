"""An API on a socket that injects faults and records which changes it made."""

import asyncio
import gzip
import json
import random
import socket
import struct
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

Json = dict[str, Any]

_START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_BOMB = gzip.compress(bytes(33_000_000), 1)
_PAGE = b"<html><title>Sign in</title></html>"
_DONE = {"apply": "applied", "discard": "discarded", "cancel": "canceled"}
_USER = {"type": "users", "id": "user-bench"}
_REASONS = {200: "OK", 201: "Created", 202: "Accepted"}


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault of one request.

    Attributes:
        kind: its name.
        is_executed: whether the change happens.
        status: HTTP status of the response, if the fault sets one.
        delay_s: delay between the response (or its loss) and the change.
    """

    kind: str
    is_executed: bool = True
    status: int = 0
    delay_s: float = 0.0


@dataclass(slots=True)
class Request:
    """A received request."""

    method: str
    path: str
    body: Json

    @property
    def key(self) -> str:
        """Identifies the call of the request: a message, a comment, or a run."""
        attributes = self.body.get("data", {}).get("attributes", {})
        return str(attributes.get("message") or attributes.get("body") or self.path.split("/")[4])


@dataclass(slots=True)
class FaultyApi:
    """The state of the API, and the planned faults.

    Attributes:
        faults: the faults of the requests of each call, in order; other requests are handled correctly.
        executed: how often the change of each call happened.
        runs: by id.
        delivered: ids of the runs whose creation got a correct response.
    """

    rng: random.Random
    read_faults: float
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    executed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    runs: dict[str, Json] = field(default_factory=dict)
    delivered: set[str] = field(default_factory=set)
    requests: int = 0
    _of_workspace: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    _last: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _later: set[asyncio.Task[None]] = field(default_factory=set)

    # -- changes and reads --------------------------------------------------------------------------------------------

    def add_run(self, workspace_id: str, attributes: Mapping[str, Any]) -> Json:
        """Add a run."""
        id_ = f"run-{len(self.runs):08}"
        run = {
            "id": id_,
            "type": "runs",
            "attributes": {"status": "planned", "created-at": _now().isoformat(), **attributes},
            "relationships": {
                "workspace": {"data": {"type": "workspaces", "id": workspace_id}},
                "created-by": {"data": _USER},
            },
        }
        self.runs[id_] = run
        self._of_workspace[workspace_id].insert(0, run)
        return run

    def forget(self, workspace_id: str) -> None:
        """Delete the runs of a workspace whose calls were checked."""
        for run in self._of_workspace.pop(workspace_id, []):
            self.runs[run["id"]] = {}

    def execute(self, request: Request) -> tuple[int, bytes]:
        """Make a change. Returns the status and the body of the response."""
        self.executed[request.key] += 1
        data = request.body.get("data", {})
        if request.path == "/api/v2/runs":
            workspace_id = data["relationships"]["workspace"]["data"]["id"]
            return 201, _document(self.add_run(workspace_id, data["attributes"]))
        if request.path.endswith("/comments"):
            return 201, _document({"id": "wsc-1", "type": "comments", "attributes": data["attributes"]})
        action = request.path.rsplit("/", 1)[1]
        run = self.runs[request.path.split("/")[4]]  # empty if its call was already checked
        run.setdefault("attributes", {})["status"] = _DONE[action]
        return 202, b""

    def read(self, path: str) -> tuple[int, bytes]:
        """Handle a read. Returns the status and the body of the response."""
        parts = path.partition("?")[0].split("/")[3:]
        if parts[0] == "workspaces":
            return 200, json.dumps({"data": self._of_workspace[parts[1]]}).encode()
        if parts[0] == "account":
            return 200, _document({**_USER, "attributes": {"username": "bench"}})
        return 200, _document(self.runs[parts[1]])

    # -- the socket ---------------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle the requests of one connection."""
        try:
            while request := await _receive(reader):
                self.requests += 1
                fault = self._fault_of(request)
                if not await self._respond(request, fault, writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client disconnected
        finally:
            writer.close()

    def _fault_of(self, request: Request) -> Fault:
        planned = self.faults.get(request.key, []) if request.method == "POST" else []
        if planned:
            return planned.pop(0)
        if request.method == "GET" and self.rng.random() < self.read_faults:
            return Fault(self.rng.choice(["reset", "doubled", "stray", "server error", "cut"]))
        return Fault("none")

    async def _respond(self, request: Request, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        """Handle a request with its fault. Returns whether the connection stays open."""
        status, body = 0, b""
        if request.method == "GET":
            status, body = self.read(request.path)
        elif fault.delay_s:
            self._execute_later(request, fault.delay_s)
        elif fault.is_executed:
            status, body = self.execute(request)
        head, sent = _response_for(fault, status, body)
        stray = self._stray_response(request, fault, head + sent, status)
        if fault.kind == "stray" and stray:
            head, sent = stray, b""
        elif status == 201 and fault.kind in {"none", "doubled", "stray"}:
            self.delivered.add(json.loads(body)["data"]["id"])
        return await _send(fault, head, sent, writer)

    def _stray_response(self, request: Request, fault: Fault, response: bytes, status: int) -> bytes:
        """The last response that is recognizably for another call. A refusal does not identify its call."""
        key, previous = self._last.get(request.method, ("", b""))
        if fault.kind == "none" and status in {200, 201}:
            self._last[request.method] = (request.key, response)
        return previous if key != request.key else b""

    def _execute_later(self, request: Request, delay_s: float) -> None:
        async def later() -> None:
            await asyncio.sleep(delay_s)
            self.execute(request)

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)


async def _receive(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head.split(" ", 2)
    length = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
    content = await reader.readexactly(length)
    return Request(method, path, json.loads(content) if content else {})


def _response_for(fault: Fault, status: int, body: bytes) -> tuple[bytes, bytes]:
    """The head and the body of the response."""
    headers = {"content-type": "application/vnd.api+json"}
    if fault.kind == "page":
        status, body, headers = fault.status, _PAGE, {"content-type": "text/html"}
    elif fault.kind == "redirect":
        status, body, headers = fault.status, b"", {"location": "/api/v2/runs"}
    elif fault.kind in {"refused", "server error"}:
        status = fault.status or 503
        body = json.dumps({"errors": [{"status": str(status), "title": "no"}]}).encode()
    elif fault.kind == "limited":
        status, body = 429, b'{"errors": [{"status": "429", "title": "too many requests"}]}'
        headers |= {"retry-after": "1"}
    elif fault.kind == "empty":
        status, body = fault.status, b""
    elif fault.kind == "no document":
        status, body = fault.status, b'{"message": "ok"}'
    elif fault.kind == "bomb":
        body, headers = _BOMB, headers | {"content-encoding": "gzip"}
    headers |= {
        "date": format_datetime(_now(), usegmt=True),
        "x-ratelimit-limit": "1000000",
        "content-length": str(len(body)),
    }
    lines = [f"HTTP/1.1 {status or 200} {_REASONS.get(status, 'Other')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode(), body


async def _send(fault: Fault, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
    if fault.kind in {"reset", "late"}:
        _reset(writer)
        return False
    if fault.kind == "hang":
        await asyncio.sleep(100)
        return False
    if fault.kind == "cut":
        whole = head + body
        writer.write(whole[: len(whole) * 2 // 3])
        return False
    if fault.kind == "slow":
        for byte in head + body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.5)
        return True
    writer.write((head + body) * (2 if fault.kind == "doubled" else 1))
    await writer.drain()
    return True


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _document(resource: Json) -> bytes:
    return json.dumps({"data": resource}).encode()


def _now() -> datetime:
    return _START + timedelta(seconds=asyncio.get_running_loop().time())
