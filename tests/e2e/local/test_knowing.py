"""Knowing before applying: plans of real Terraform on the local backend, read through the installed command."""

import base64
import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_lab import Lab
from tests.support.local_server import LocalServer
from tests.support.stdio import StdioServer, environment
from tests.unit.review.terraform import SCENARIOS, SECRET, Scenario
from tests.unit.review.test_terraform_plans import GOLDEN, comparable
from tfruns.wire.runs import Run

pytestmark = pytest.mark.anyio

FAILING = {"failing_precondition"}
ENDING_BY_THEMSELVES = {"no_changes"}


class Assistant:
    """One MCP client for all tests of this module. Nothing that the server ever writes holds a secret of a test."""

    def __init__(self, server: StdioServer, audit: Path) -> None:
        self._server = server
        self._audit = audit

    @property
    def audit_log(self) -> str:
        return self._audit.read_text() if self._audit.exists() else ""

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers."""
        result = self._server.call(tool, arguments)
        assert not result.get("isError"), result
        view: dict[str, Any] = result["structuredContent"]
        assert json.loads(result["content"][0]["text"]) == view
        self._check(result)
        return view

    def failure(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The error of a call that has to fail."""
        result = self._server.call(tool, arguments)
        assert result.get("isError"), result
        self._check(result)
        error: dict[str, Any] = result["structuredContent"]
        return error

    def resource(self, uri: str) -> dict[str, Any]:
        """What a resource holds."""
        result = self._server.result("resources/read", {"uri": uri})
        self._check(result)
        view: dict[str, Any] = json.loads(result["contents"][0]["text"])
        return view

    def everything_about(self, run_id: str) -> list[dict[str, Any]]:
        """What every tool that reads a run says of it, and every resource."""
        names = ("get_run_details", "review_run", "diagnose_run", "get_run_history", "get_run_logs")
        views = [self.call(name, run_id=run_id) for name in names]
        views += [self.call("get_run_logs", run_id=run_id, phase=phase, offset=0) for phase in ("plan", "apply")]
        views += [self.call("get_run_logs", run_id=run_id, phase="plan", search="terraform")]
        views += [self.call("review_run", run_id=run_id, filter=text) for text in ("output", "drift", "no-such")]
        views.append(self.call("wait_for_run", run_id=run_id, timeout_s=0))
        views += [self.resource(f"run://{run_id}{part}") for part in ("", "/plan", "/log/plan", "/log/apply")]
        return views

    def _check(self, result: Any) -> None:
        for text in (json.dumps(result, ensure_ascii=False), self._server.stderr, self.audit_log):
            assert SECRET not in text


@pytest.fixture(scope="module")
def assistant(server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    place = tmp_path_factory.mktemp("assistant")
    audit = place / "audit.jsonl"
    env = environment(place, TFE_ADDRESS=server.url, TFE_TOKEN=server.token, TFRUNS_AUDIT_FILE=str(audit))
    with StdioServer(env=env, log=place / "stderr.log") as process:
        yield Assistant(process, audit)


async def put_state(lab: Lab, workspace_id: str, state: dict[str, Any]) -> None:
    """Give a workspace another state, as if the world had changed."""
    content = json.dumps(state).encode()
    attributes = {
        "serial": state["serial"],
        "lineage": state["lineage"],
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "state": base64.b64encode(content).decode(),
    }
    await lab.lock(workspace_id)
    body = {"data": {"type": "state-versions", "attributes": attributes}}
    await lab.send("POST", f"/workspaces/{workspace_id}/state-versions", body)
    await lab.unlock(workspace_id)


def changed(state: dict[str, Any], name: str, **fields: Any) -> dict[str, Any]:
    """A state in which the first instance of a resource is another."""
    state = copy.deepcopy(state)
    (found,) = [resource for resource in state["resources"] if resource["name"] == name]
    found["instances"][0] |= fields
    return state | {"serial": state["serial"] + 1}


def options_of(scenario: Scenario) -> dict[str, Any]:
    """The options of a plan, as those of a run."""
    options: dict[str, Any] = {}
    for option in scenario.options:
        name, _, value = option.removeprefix("-").partition("=")
        known: dict[str, dict[str, Any]] = {
            "replace": {"replace_addrs": [value]},
            "refresh-only": {"refresh_only": True},
            "destroy": {"is_destroy": True},
        }
        options |= known[name]
    return options


async def run_of(lab: Lab, scenario: Scenario) -> Run:
    """A run that plans a scenario."""
    workspace = await lab.workspace()
    if scenario.before:
        await lab.upload(workspace, files={"main.tf": scenario.before, **scenario.files})
        await lab.applied(workspace)
    if scenario.taint:
        state = await lab.state(workspace)
        await put_state(lab, workspace, changed(state, scenario.taint.rpartition(".")[2], status="tainted"))
    await lab.upload(workspace, files={"main.tf": scenario.after, **scenario.files})
    return await lab.run(workspace, **options_of(scenario))


def golden(name: str) -> dict[str, Any]:
    """What the review of the same plan is, made without a server."""
    view: dict[str, Any] = json.loads((GOLDEN / f"{name}.full.json").read_text())
    return view


def addresses(rows: list[dict[str, Any]]) -> list[str]:
    return [row["address"] for row in rows]


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in FAILING])
async def test_plan_is_awaited_and_reviewed(lab: Lab, assistant: Assistant, name: str) -> None:
    run = await run_of(lab, SCENARIOS[name])
    waited = assistant.call("wait_for_run", run_id=run.id)
    status, outcome = ("planned_and_finished", "final") if name in ENDING_BY_THEMSELVES else ("planned", "attention")
    assert (waited["status"], waited["outcome"]) == (status, outcome)

    review = assistant.call("review_run", run_id=run.id)
    shown, agreed = json.loads(comparable(review)), golden(name)
    for key in ("plan", "counts", "changed_outputs", "notes", "changed_outside_of_terraform", "rows", "total_rows"):
        assert shown.get(key) == agreed.get(key), key
    assert review["fingerprint"] == assistant.resource(f"run://{run.id}/plan")["fingerprint"]
    for action in ("create", "update", "replace", "destroy"):
        rows = assistant.call("review_run", run_id=run.id, filter=action)["rows"]
        of_resources = [row for row in review["rows"] if not row["address"].startswith("output.")]
        assert addresses(rows) == addresses([row for row in of_resources if row["action"] == action])

    assistant.everything_about(run.id)
    told = assistant.call("diagnose_run", run_id=run.id)
    assert told["verdict"] == ("succeeded" if name in ENDING_BY_THEMSELVES else "waiting")
    log = assistant.call("get_run_logs", run_id=run.id)
    assert (log["phase"], log["phase_status"]) == ("plan", "finished")
    history = assistant.call("get_run_history", run_id=run.id)
    assert history["timeline"][-1]["status"] == status


async def test_failed_precondition_is_shown_with_its_location(lab: Lab, assistant: Assistant) -> None:
    run = await run_of(lab, SCENARIOS["failing_precondition"])
    waited = assistant.call("wait_for_run", run_id=run.id)
    assert (waited["status"], waited["outcome"]) == ("errored", "final")
    assert [step["tool"] for step in waited["next_actions"]] == ["diagnose_run", "rerun"]
    told = assistant.call("diagnose_run", run_id=run.id)
    assert (told["verdict"], told["failed_stage"]) == ("failed", "plan")
    (error,) = told["errors"]
    assert error["summary"] == "Resource precondition failed"
    assert "One is not two." in error["detail"]
    assert error["where"].startswith("main.tf:")
    assert told["hints"]
    assert "One is not two." in assistant.call("get_run_logs", run_id=run.id)["errors"][0]
    assistant.everything_about(run.id)


async def test_drift_is_shown_and_accepted(lab: Lab, assistant: Assistant) -> None:
    """Change the state so that it differs from the configuration, because terraform_data never drifts."""
    workspace = await lab.workspace('resource "terraform_data" "a" { input = "agreed" }')
    await lab.applied(workspace)
    state = await lab.state(workspace)
    attributes = state["resources"][0]["instances"][0]["attributes"]
    drifted = attributes | {"input": {"type": "string", "value": "by hand"}}
    await put_state(lab, workspace, changed(state, "a", attributes=drifted))
    run = await lab.planned(workspace)
    (row,) = assistant.call("review_run", run_id=run.id)["rows"]
    assert row["action"] == "update"
    assert 'input: "by hand" -> "agreed"' in row["changes"]
    assistant.everything_about(run.id)
    await lab.client.runs.discard(run.id)

    gone = copy.deepcopy(await lab.state(workspace))
    gone["resources"] = []
    await put_state(lab, workspace, gone | {"serial": gone["serial"] + 1})
    run = await lab.planned(workspace)
    assert assistant.call("review_run", run_id=run.id)["counts"] == {"add": 1}
