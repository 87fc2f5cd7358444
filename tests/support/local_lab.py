"""Workspaces, uploads and runs on a local server for tests, and their results, through the API only."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio
import httpx2

from tests.local.support import archive
from tests.support.local_server import LocalServer
from tfruns import Client
from tfruns.lifecycle import is_final
from tfruns.vocabulary import RunStatus
from tfruns.wire.plans import Apply, Plan
from tfruns.wire.run_params import RunParams, RunVariableParam
from tfruns.wire.runs import Run

PATIENCE_S = 60.0  # a busy machine
_POLL_S = 0.03
_numbers = count(1)


@dataclass
class Lab:
    """A client of the server, and plain HTTP for requests without a method in the client."""

    client: Client
    http: httpx2.AsyncClient
    organization: str = "default"
    _configurations: dict[str, str] = field(default_factory=dict)

    # -- plain requests --

    async def send(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """Send a request, check its status (the given one, or any success), and return the document or None."""
        answer = await self.http.request(method, f"/api/v2{path}", json=body)
        is_expected = answer.status_code == status if status else answer.is_success
        assert is_expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def workspace(self, main: str | None = None, /, **attributes: Any) -> str:
        """Create a workspace, with a configuration if one is given, and return its id."""
        attributes = {"name": f"ws-{next(_numbers)}-{time.monotonic_ns()}", **attributes}
        body = {"data": {"type": "workspaces", "attributes": attributes}}
        document = await self.send("POST", f"/organizations/{self.organization}/workspaces", body)
        id_ = str(document["data"]["id"])
        if main is not None:
            await self.upload(id_, main)
        return id_

    async def upload(
        self, workspace_id: str, main: str = "", *, files: dict[str, str] | None = None, **attributes: Any
    ) -> str:
        """Upload a configuration, main.tf or other files, without queuing a run, and return its id."""
        return await self.upload_bytes(workspace_id, archive(files or {"main.tf": main}), **attributes)

    async def upload_bytes(self, workspace_id: str, content: bytes, *, status: int = 200, **attributes: Any) -> str:
        """Upload an archive unchanged."""
        body = {"data": {"type": "configuration-versions", "attributes": {"auto-queue-runs": False, **attributes}}}
        document = await self.send("POST", f"/workspaces/{workspace_id}/configuration-versions", body)
        url = document["data"]["attributes"]["upload-url"]
        answer = await self.http.put(url, content=content)
        assert answer.status_code == status, answer.text
        return str(document["data"]["id"])

    async def variable(self, workspace_id: str, key: str, value: str, category: str = "terraform", **more: Any) -> None:
        """Create a variable of a workspace."""
        attributes = {"key": key, "value": value, "category": category, **more}
        body = {"data": {"type": "vars", "attributes": attributes}}
        await self.send("POST", f"/workspaces/{workspace_id}/vars", body)

    async def lock(self, workspace_id: str) -> None:
        await self.send("POST", f"/workspaces/{workspace_id}/actions/lock", {"reason": "a test"})

    async def unlock(self, workspace_id: str) -> None:
        await self.send("POST", f"/workspaces/{workspace_id}/actions/unlock")

    # -- runs --

    async def run(self, workspace_id: str, **params: Any) -> Run:
        """Create a run. `variables` is a dict of HCL literals."""
        variables = params.pop("variables", None)
        if variables is not None:
            params["variables"] = [RunVariableParam(key=key, value=value) for key, value in variables.items()]
        return await self.client.runs.create(workspace_id, RunParams(**params))

    async def until(self, run: Run, *statuses: str, within_s: float = PATIENCE_S) -> Run:
        """Wait until the run has one of these statuses. Another final status fails, with the run's logs."""
        deadline = time.monotonic() + within_s
        while True:
            seen = await self.client.runs.read(run.id)
            if seen.status in statuses:
                return seen
            if is_final(seen.status) or time.monotonic() > deadline:
                logs = [await self.log(seen, kind) for kind in ("plan", "apply")]
                raise AssertionError(f"{run.id} is {seen.status}, not {statuses}\n{logs[0]}\n{logs[1]}")
            await anyio.sleep(_POLL_S)

    async def planned(self, workspace_id: str, **params: Any) -> Run:
        """Create a run, and wait until it awaits confirmation."""
        return await self.until(await self.run(workspace_id, **params), RunStatus.PLANNED)

    async def applied(self, workspace_id: str, **params: Any) -> Run:
        """Create a run with auto-apply, and wait until it is applied."""
        return await self.until(await self.run(workspace_id, auto_apply=True, **params), RunStatus.APPLIED)

    async def confirmed(self, run: Run) -> Run:
        """Apply a run that awaits confirmation, and wait until it is final."""
        await self.client.runs.apply(run.id)
        return await self.until(run, RunStatus.APPLIED)

    async def status(self, run: Run) -> str:
        return str((await self.client.runs.read(run.id)).status)

    async def plan(self, run: Run) -> Plan:
        assert run.plan is not None
        return await self.client.plans.read(run.plan.id)

    async def apply(self, run: Run) -> Apply:
        assert run.apply is not None
        return await self.client.applies.read(run.apply.id)

    async def log(self, run: Run, kind: str = "plan") -> str:
        """The current log of a phase."""
        if kind == "plan":
            return (await self.client.plans.read_log(await self.plan(run))).decode()
        return (await self.client.applies.read_log(await self.apply(run))).decode()

    async def plan_json(self, run: Run, *, is_redacted: bool = False) -> Any:
        """The plan's JSON output; None if it does not exist."""
        assert run.plan is not None
        document = await self.client.plans.read_json(run.plan.id, is_redacted=is_redacted)
        return json.loads(document) if document else None

    async def actions(self, run: Run) -> dict[str, list[str]]:
        """The actions of a plan by address, without unchanged resources."""
        changes = (await self.plan_json(run)).get("resource_changes") or []
        found = {change["address"]: change["change"]["actions"] for change in changes}
        return {address: actions for address, actions in found.items() if actions != ["no-op"]}

    # -- states --

    async def state(self, workspace_id: str) -> Any:
        """The workspace's state; None if it has none."""
        path = f"/api/v2/workspaces/{workspace_id}/current-state-version"
        answer = await self.http.get(path)
        if answer.status_code == 404:
            return None
        url = answer.json()["data"]["attributes"]["hosted-state-download-url"]
        return (await self.http.get(url, follow_redirects=True)).json()

    async def resources(self, workspace_id: str) -> set[str]:
        """The names of the resources in the workspace's state."""
        state = await self.state(workspace_id)
        return {found["name"] for found in state["resources"] if found["mode"] == "managed"} if state else set()

    async def is_free(self, workspace_id: str) -> bool:
        """Whether neither a run nor a person has locked the workspace."""
        return not (await self.client.workspaces.read(workspace_id)).locked


@asynccontextmanager
async def lab(server: LocalServer) -> AsyncIterator[Lab]:
    """A lab on a server."""
    async with server.client() as client, server.http() as http:
        yield Lab(client, http)


async def wait_until(condition: Any, what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for a condition without blocking the event loop. It may be a coroutine function."""
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if hasattr(found, "__await__"):
            found = await found
        if found:
            return
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        await anyio.sleep(_POLL_S)


def local_exec(name: str, command: str, *, depends_on: str = "") -> str:
    """A resource that runs a command when it is created."""
    depends = f"depends_on = [{depends_on}]" if depends_on else ""
    return f"""
        resource "terraform_data" "{name}" {{
          provisioner "local-exec" {{
            command = {json.dumps(command)}
          }}
          {depends}
        }}
    """
