"""A backend in process without Terraform: the test acts as the engine, and controls the clock."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from sqlalchemy import event
from starlette.types import ASGIApp

from tfruns.local.backend import Backend
from tfruns.local.queue import Priority
from tfruns.local.service.phases import PhaseResult, finish_phase, start_phase

BASE_URL = "http://127.0.0.1:1"
API = "/api/v2"
TERRAFORM_VERSION = "1.11.4"
STATE = b'{"version":4,"serial":1,"lineage":"aaaa","terraform_version":"1.11.4","outputs":{},"resources":[]}'

Json = Any


@dataclass(slots=True)
class Clock:
    """A clock that only the test advances."""

    time: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(slots=True)
class Dispatches:
    """A dispatcher that records the dispatched phases."""

    seen: list[tuple[str, str, Priority]] = field(default_factory=list)

    def dispatch(self, run_id: str, phase: str, priority: Priority) -> None:
        self.seen.append((run_id, phase, priority))

    def phases_of(self, run_id: str) -> list[str]:
        """The phases of a run that were dispatched, in order."""
        return [phase for id_, phase, _ in self.seen if id_ == run_id]


@dataclass(slots=True)
class Api:
    """A client of the backend that returns raw documents, and the parts of the backend that tests need."""

    http: httpx2.AsyncClient
    app: ASGIApp
    backend: Backend
    clock: Clock
    dispatches: Dispatches
    workspace_id: str = ""

    async def get(self, path: str, status: int = 200, /, **query: str) -> Json:
        """The document at a path below the API's root."""
        return await self.send("GET", path, status=status, params=query or None)

    async def post(self, path: str, body: Json = None, status: int = 201) -> Json:
        """Post a document, and return the response's document."""
        return await self.send("POST", path, status=status, json=body)

    async def send(self, method: str, path: str, *, status: int, **request: Any) -> Json:
        """Send a request, check the status code, and return the document; None for an empty response."""
        answer = await self.http.request(method, API + path, **request)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def create_workspace(self, name: str = "network", **attributes: Json) -> str:
        """Create a workspace and return its id."""
        body = resource("workspaces", {"name": name, **attributes})
        return id_of(await self.post("/organizations/default/workspaces", body))

    async def create_configuration(self, workspace_id: str | None = None, /, **attributes: Json) -> Json:
        """Create a configuration version that queues no run, and return the resource."""
        body = resource("configuration-versions", {"auto-queue-runs": False, **attributes})
        path = f"/workspaces/{workspace_id or self.workspace_id}/configuration-versions"
        return (await self.post(path, body))["data"]

    async def upload(self, configuration: Json, content: bytes | None = None) -> httpx2.Response:
        """Upload the files of a configuration version."""
        url = configuration["attributes"]["upload-url"]
        return await anonymous(self.http, "PUT", url, content=archive() if content is None else content)

    async def configured(self, workspace_id: str | None = None, /, **attributes: Json) -> str:
        """The id of a new configuration version with files."""
        configuration = await self.create_configuration(workspace_id, **attributes)
        answer = await self.upload(configuration)
        assert answer.status_code == 200, answer.text
        return str(configuration["id"])

    async def create_run(self, workspace_id: str | None = None, /, *, status: int = 201, **attributes: Json) -> Json:
        """Create a run and return the resource, or the errors."""
        body = run_body(workspace_id or self.workspace_id, **attributes)
        document = await self.post("/runs", body, status)
        return document["data"] if status == 201 else document["errors"]

    async def run(self, run: Json) -> Json:
        """The current resource of a run."""
        return (await self.get(f"/runs/{run['id']}"))["data"]

    async def status(self, run: Json) -> str:
        """The current status of a run."""
        return str((await self.run(run))["attributes"]["status"])

    async def act(self, run: Json, action: str, status: int = 202, **body: str) -> Json:
        """Perform an action on a run, and return the errors if it is refused."""
        document = await self.post(f"/runs/{run['id']}/actions/{action}", body or None, status)
        return document["errors"] if status >= 400 else document

    # -- the engine's part --

    def begin(self, run: Json, kind: str = "plan", lease: str = "lease") -> bool:
        """Start a phase, and return whether it must be executed: it has not finished, and is not only recovered."""
        with self.backend.database.write() as write:
            begun = start_phase(self.backend, write, run["id"], kind, lease)
        return begun is not None and not begun.is_recovery

    def end(self, run: Json, kind: str = "plan", lease: str = "lease", **result: Any) -> None:
        """Finish a phase. By default it succeeds, and a plan has changes."""
        fields: dict[str, Any] = {"status": "finished", "has_changes": kind == "plan"} | result
        found = PhaseResult(**fields)
        with self.backend.database.write() as write:
            finish_phase(self.backend, write, run["id"], kind, lease, found)

    def plan(self, run: Json, **result: Any) -> None:
        """Execute the plan of a run."""
        assert self.begin(run)
        self.end(run, **result)

    def apply(self, run: Json, **result: Any) -> None:
        """Execute the apply of a confirmed run."""
        assert self.begin(run, "apply")
        self.end(run, "apply", **result)

    # -- runs in a certain status --

    async def planned(self, **attributes: Json) -> Json:
        """A run that waits for confirmation."""
        run = await self.create_run(**attributes)
        self.plan(run)
        return run

    async def applying(self) -> Json:
        """A run that is applying."""
        run = await self.planned()
        await self.act(run, "apply")
        assert self.begin(run, "apply")
        return run


@contextmanager
def statements(api: Api) -> Iterator[list[str]]:
    """The SQL statements executed within the block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(api.backend.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(api.backend.database.engine, "before_cursor_execute", note)


def resource(kind: str, attributes: Json, **relationships: Json) -> Json:
    """A document with one resource object."""
    data = {"type": kind, "attributes": attributes}
    if relationships:
        data["relationships"] = relationships
    return {"data": data}


def run_body(workspace_id: str, configuration_version_id: str | None = None, **attributes: Json) -> Json:
    """A request for a run; attributes are given with underscores."""
    relationships = {"workspace": {"data": {"type": "workspaces", "id": workspace_id}}}
    if configuration_version_id is not None:
        linkage = {"type": "configuration-versions", "id": configuration_version_id}
        relationships["configuration-version"] = {"data": linkage}
    return resource("runs", {name.replace("_", "-"): value for name, value in attributes.items()}, **relationships)


def id_of(document: Json) -> str:
    """The id of the resource in a document."""
    return str(document["data"]["id"])


def ids_of(document: Json) -> list[str]:
    """The ids of the resources in a list."""
    return [item["id"] for item in document["data"]]


def actions_of(run: Json) -> set[str]:
    """The actions that a run's payload shows as possible: `cancelable`, `confirmable` and so on."""
    return {name.removeprefix("is-") for name, is_possible in run["attributes"]["actions"].items() if is_possible}


async def anonymous(http: httpx2.AsyncClient, method: str, url: str, **request: Any) -> httpx2.Response:
    """A request without a token, for signed URLs."""
    built = http.build_request(method, url, **request)
    built.headers.pop("authorization", None)
    return await http.send(built)


def archive(files: dict[str, str] | None = None) -> bytes:
    """The archive of a configuration, as clients upload it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in (files or {"main.tf": 'resource "terraform_data" "a" {}\n'}).items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()
