"""Ten everyday tasks of an assistant, each with the fewest tool calls: the number of calls, the size of the results.

The local backend runs real Terraform, and the tools are called over standard input and output. Each task begins with a
situation, whose preparation is not counted.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from tests.support.local_server import LocalServer
from tests.support.stdio import StdioServer, environment

from bench.job import api_of
from bench.measure import Row
from bench.tokens import counter

_NETWORK = 'resource "terraform_data" "%s" {\n  input = "%s"\n}\n'
_FAILING = """\
resource "terraform_data" "first" {}
resource "terraform_data" "second" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "echo 'quota exceeded' >&2; exit 1"
  }
}
resource "terraform_data" "third" {
  depends_on = [terraform_data.second]
}
"""


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    if shutil.which("terraform") is None:
        return [], ["skipped: `terraform` is not on the PATH"]
    rows: list[Row] = []
    notes = []
    for task in TASKS:
        with tempfile.TemporaryDirectory() as scratch, LocalServer(Path(scratch) / "data") as backend:
            root = Path(scratch) / "configuration"
            root.mkdir()
            env = environment(Path(scratch), TFE_ADDRESS=backend.url, TFE_TOKEN=backend.token)
            log = Path(scratch) / "stderr.log"
            with api_of(backend) as http, StdioServer("--allow-dir", str(root), env=env, log=log) as server:
                assistant = Assistant(server, http, root)
                task.play(assistant)
        rows += task.rows(assistant)
        notes.append(f"{task.name}: {', '.join(name for name, _ in assistant.results)}")
    return rows, notes


@dataclass
class Assistant:
    """The calls of a task, and the texts of their results."""

    server: StdioServer
    http: httpx2.Client
    root: Path
    results: list[tuple[str, str]] = field(default_factory=list)

    def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool, which must succeed, and count the call."""
        result = self.server.call(tool, arguments)
        if result.get("isError"):
            raise RuntimeError(f"{tool} failed: {result}")
        text: str = result["content"][0]["text"]
        self.results.append((tool, text))
        return json.loads(text)

    # -- preparation, which is not counted --

    def create_workspace(self, name: str) -> str:
        """Create a workspace, and return its id."""
        body = {"data": {"type": "workspaces", "attributes": {"name": name}}}
        made = self.http.post("/organizations/default/workspaces", json=body).raise_for_status().json()
        id_: str = made["data"]["id"]
        return id_

    def lock(self, workspace_id: str, reason: str) -> None:
        """Lock a workspace."""
        self.http.post(f"/workspaces/{workspace_id}/actions/lock", json={"reason": reason}).raise_for_status()

    def run(self, workspace: str, configuration: str, *, until: str = "planned", **params: Any) -> str:
        """Upload a configuration, create a run, and wait until it has this status. Returns the id of the run."""
        (self.root / "main.tf").write_text(configuration, encoding="utf-8")
        counted = list(self.results)
        uploaded = self.call("upload_configuration", workspace_id=workspace, directory=str(self.root))
        params |= {"configuration_version_id": uploaded["configuration_version_id"]}
        run_id: str = self.call("create_run", workspace_id=workspace, params=params)["id"]
        if until != "pending":
            expect(until, self.call("wait_for_run", run_id=run_id)["status"])
        self.results = counted
        return run_id

    def applied(self, workspace: str, configuration: str, **params: Any) -> str:
        """A run that was applied."""
        run_id = self.run(workspace, configuration, **params)
        counted = list(self.results)
        self.review_and_apply(run_id)
        self.results = counted
        return run_id

    # -- steps that several tasks share --

    def review_and_apply(self, run_id: str, status: str = "applied") -> None:
        """Review a plan, apply it, and wait for the end."""
        fingerprint = self.call("review_run", run_id=run_id)["fingerprint"]
        self.call("apply_run", run_id=run_id, fingerprint=fingerprint)
        expect(status, self.call("wait_for_run", run_id=run_id, until="final", timeout_s=20)["status"])


def expect(expected: Any, found: Any) -> None:
    """Fail if a result is not the expected one."""
    if found != expected:
        raise RuntimeError(f"Expected {expected!r}, found {found!r}.")


# -- the tasks --------------------------------------------------------------------------------------------------------


def what_waits_for_me(assistant: Assistant) -> None:
    assistant.create_workspace("network")
    run_id = assistant.run("network", _NETWORK % ("a", 1))
    (row,) = assistant.call("explain_runs")["runs"]
    expect((run_id, "person", {"add": 1}), (row["id"], row["waits_for"], row["plan"]))


def what_is_stuck(assistant: Assistant) -> None:
    assistant.create_workspace("network")
    first = assistant.run("network", _NETWORK % ("a", 1))
    assistant.run("network", _NETWORK % ("a", 2), until="pending")
    assistant.lock(assistant.create_workspace("database"), "maintenance until Monday")
    assistant.run("database", _NETWORK % ("a", 1), until="pending")
    rows = assistant.call("explain_runs")["runs"]
    expect({"person", "run", "lock"}, {row["waits_for"] for row in rows})
    expect({first}, {row["blocked_by"] for row in rows if row["waits_for"] == "run"})


def what_failed(assistant: Assistant) -> None:
    for name in ("network", "database"):
        assistant.create_workspace(name)
        broken = _NETWORK % ("a", f'${{jsondecode("{name}")}}')
        assistant.run(name, broken.replace('\\"', '"'), until="errored")
    rows = assistant.call("explain_runs", which="failed")["runs"]
    expect(2, len(rows))
    expect([], [row for row in rows if "main.tf:2" not in row["why"]])


def plan_a_directory(assistant: Assistant) -> None:
    assistant.create_workspace("network")
    (assistant.root / "main.tf").write_text(_NETWORK % ("a", 1), encoding="utf-8")
    uploaded = assistant.call(
        "upload_configuration", workspace_id="network", directory=str(assistant.root), speculative=True
    )
    params = {"configuration_version_id": uploaded["configuration_version_id"], "plan_only": True}
    run_id = assistant.call("create_run", workspace_id="network", params=params)["id"]
    expect("planned_and_finished", assistant.call("wait_for_run", run_id=run_id)["status"])
    expect("terraform_data.a", assistant.call("review_run", run_id=run_id)["rows"][0]["address"])


def review_and_apply(assistant: Assistant) -> None:
    assistant.create_workspace("network")
    assistant.review_and_apply(assistant.run("network", _NETWORK % ("a", 1)))


def roll_back(assistant: Assistant) -> None:
    assistant.create_workspace("network")
    earlier = assistant.applied("network", _NETWORK % ("a", 1), message="The good version")
    assistant.applied("network", _NETWORK % ("a", 2), message="The bad version")
    listed = assistant.call("list_runs_in_workspace", workspace_id="network", filter_status="applied")["runs"]
    good = next(row for row in listed if row["message"] == "The good version")
    expect(earlier, good["id"])
    params = {"configuration_version_id": good["configuration_version_id"], "message": "Back to the good version"}
    run_id = assistant.call("create_run", workspace_id="network", params=params)["id"]
    expect({"add": 0, "change": 1, "destroy": 0}, assistant.call("wait_for_run", run_id=run_id)["plan"])
    assistant.review_and_apply(run_id)


def apply_in_several_workspaces(assistant: Assistant) -> None:
    for name in ("prod-a", "prod-b", "practice"):
        assistant.create_workspace(name)
        assistant.run(name, _NETWORK % ("a", 1))
    waiting = assistant.call("explain_runs", filter_workspace_names="prod-*")["runs"]
    expect(["prod-a", "prod-b"], sorted(row["workspace_name"] for row in waiting))
    for row in waiting:
        assistant.review_and_apply(row["id"])


def cancel_what_is_queued(assistant: Assistant) -> None:
    assistant.create_workspace("network")
    first = assistant.run("network", _NETWORK % ("a", 1))
    for number in (2, 3):
        assistant.run("network", _NETWORK % ("a", number), until="pending")
    for row in assistant.call("explain_runs", filter_workspace_names="network")["runs"]:
        if row.get("blocked_by") == first:
            expect("canceled", assistant.call("cancel_run", run_id=row["id"])["status"])


def explain_a_failed_apply(assistant: Assistant) -> None:
    assistant.create_workspace("network")
    run_id = assistant.run("network", _FAILING)
    assistant.review_and_apply(run_id, "errored")
    assistant.results.clear()
    found = assistant.call("diagnose_run", run_id=run_id)
    expect("apply", found["failed_stage"])
    expect(["terraform_data.first: created"], found["apply_result"]["done"])
    expect(["terraform_data.third: create"], found["apply_result"]["not_started"])


def who_locked_the_workspace(assistant: Assistant) -> None:
    assistant.lock(assistant.create_workspace("network"), "maintenance until Monday")
    found = assistant.call("get_workspace_details", workspace_id="network")
    expect(("admin", "maintenance until Monday"), (found["locked_by"], found["locked_reason"]))
    expect(False, assistant.call("set_workspace_lock", workspace_id="network", action="unlock")["locked"])


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        name: what a person asks for.
        play: prepares the situation, and does the task.
        max_calls: the fewest calls that are necessary.
        max_tokens: the most tokens of their results.
    """

    name: str
    play: Callable[[Assistant], None]
    max_calls: int
    max_tokens: int

    def rows(self, assistant: Assistant) -> list[Row]:
        """The rows for calls and tokens."""
        texts = [text for _, text in assistant.results]
        rows = [Row(self.name, len(texts), "calls", at_most=self.max_calls)]
        if count := counter():
            rows.append(Row(self.name, sum(map(count, texts)), "tokens", at_most=self.max_tokens))
        return rows


TASKS = (
    Task("what waits for me", what_waits_for_me, 1, 150),
    Task("what is stuck, and why", what_is_stuck, 1, 450),
    Task("what failed in the last 24 hours, and why", what_failed, 1, 350),
    Task("plan a directory", plan_a_directory, 4, 1_000),
    Task("review and apply", review_and_apply, 3, 600),
    Task("roll back to an earlier configuration", roll_back, 6, 1_200),
    Task("apply what waits in prod-*", apply_in_several_workspaces, 7, 1_300),
    Task("cancel what is queued behind a run", cancel_what_is_queued, 3, 600),
    Task("explain a failed apply, and what it did", explain_a_failed_apply, 1, 500),
    Task("who locked the workspace; unlock it", who_locked_the_workspace, 2, 300),
)
