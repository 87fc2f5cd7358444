"""Waiting, logs, diagnosis and history of runs of real Terraform."""

import json
from typing import Any

import pytest

from tests.support.local_lab import Lab
from tests.tools.calls import ASSISTANT, TOOLS
from tfruns.gate.pipeline import Gate
from tfruns.views.base import as_json
from tfruns.wire.runs import Run

pytestmark = pytest.mark.anyio

SECRET = "correct-horse-battery"
BROKEN = f"""
variable "password" {{
  sensitive = true
  default   = "{SECRET}"
}}
resource "terraform_data" "secret" {{
  input = var.password
}}
resource "terraform_data" "broken" {{
  depends_on = [terraform_data.secret]
  provisioner "local-exec" {{ command = "echo boom {SECRET}; exit 3" }}
}}
"""


async def call(lab: Lab, name: str, run: Run, **more: Any) -> Any:
    view = as_json(await Gate(lab.client, ASSISTANT).call(TOOLS[name], {"run_id": run.id, **more}))
    assert SECRET not in json.dumps(view)
    return view


async def test_failed_run_is_awaited_and_explained_without_its_secret(lab: Lab) -> None:
    workspace = await lab.workspace(BROKEN)
    run = await lab.run(workspace)
    waited = await call(lab, "wait_for_run", run)
    assert (waited["outcome"], waited["status"]) == ("attention", "planned")
    assert waited["plan"] == {"add": 2, "change": 0, "destroy": 0}

    behind = await lab.run(workspace)
    waits_for = (await call(lab, "diagnose_run", behind))["waits_for"]
    assert (waits_for["held_by"]["id"], waits_for["position"]) == (run.id, 2)
    assert waits_for["freed_by"] == "A person applying or discarding that run."

    await lab.client.runs.apply(run.id, comment="go")
    assert (await call(lab, "wait_for_run", run, until="final"))["status"] == "errored"

    logs = await call(lab, "get_run_logs", run)
    assert (logs["phase"], logs["phase_status"]) == ("apply", "errored")
    assert logs["errors"][0].startswith("Error: local-exec provisioner error")
    assert "terraform_data.broken (local-exec): boom (sensitive value)" in logs["log"]
    plan = await call(lab, "get_run_logs", run, phase="plan", offset=0)
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in plan["log"]
    assert plan["next_offset"] is None

    told = await call(lab, "diagnose_run", run)
    assert (told["verdict"], told["failed_stage"]) == ("failed", "apply")
    (error,) = told["errors"]
    assert (error["address"], error["where"]) == ("terraform_data.broken", "main.tf:11")

    history = await call(lab, "get_run_history", run)
    assert [event["comment"] for event in history["events"] if "comment" in event] == ["go"]
    assert history["timeline"][-1]["status"] == "errored"
