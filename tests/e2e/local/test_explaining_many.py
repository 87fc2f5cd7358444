"""Many runs in one call: what each open run waits for, and why failed runs failed, with real Terraform."""

import json
from typing import Any

import pytest

from tests.support.local_lab import Lab
from tests.tools.calls import TOOLS
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Policy
from tfruns.scope import parse_scope
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio

ADDS = 'resource "terraform_data" "a" {}\nresource "terraform_data" "b" {}'
FAILS = """
variable "number" {
  default = 1
}
resource "terraform_data" "a" {
  lifecycle {
    precondition {
      condition     = var.number > 2
      error_message = "One is not more than two."
    }
  }
}
"""


async def explained(lab: Lab, scope: str | None = None, **arguments: Any) -> Any:
    policy = Policy(confirm=Confirm.NEVER, scope=parse_scope(workspaces=scope))
    return as_json(await Gate(lab.client, policy).call(TOOLS["explain_runs"], arguments))


async def test_open_runs_tell_what_they_wait_for(lab: Lab) -> None:
    paused = await lab.workspace(ADDS, name="many-paused")
    first = await lab.planned(paused, message="Add two")
    second = await lab.run(paused)
    locked = await lab.workspace(ADDS, name="many-locked")
    await lab.lock(locked)
    held = await lab.run(locked)
    view = await explained(lab, filter_workspace_names="many-*")
    assert (view["organization"], len(view["runs"])) == ("default", 3)
    rows = {row["id"]: row for row in view["runs"]}
    assert rows[first.id] == {
        "id": first.id,
        "status": "planned",
        "needs_person": True,
        "workspace_name": "many-paused",
        "message": "Add two",
        "since": rows[first.id]["since"],
        "waits_for": "person",
        "why": "Waits for a person to apply or discard it.",
        "plan": {"add": 2},
    }
    blocked = rows[second.id]
    assert (blocked["waits_for"], blocked["blocked_by"], blocked["needs_person"]) == ("run", first.id, True)
    assert blocked["why"] == f"{first.id} is before it: planned. Waits for a person to apply or discard it."
    assert (rows[held.id]["waits_for"], rows[held.id]["needs_person"]) == ("lock", True)
    assert rows[held.id]["why"] == "admin locked the workspace (a test)."


async def test_failed_runs_have_their_first_error(lab: Lab) -> None:
    failing = await lab.workspace(FAILS, name="many-failing")
    run = await lab.until(await lab.run(failing), "errored")
    view = await explained(lab, which="failed", filter_workspace_names="many-failing")
    (row,) = view["runs"]
    assert (row["id"], row["status"]) == (run.id, "errored")
    assert row["why"] == ("Resource precondition failed: One is not more than two. (main.tf:8)")
    assert view["note"].startswith("Failed since ")
    assert (await explained(lab, filter_workspace_names="many-failing"))["runs"] == []


async def test_scope_limits_the_runs(lab: Lab) -> None:
    outside = await lab.workspace(ADDS, name="other-paused")
    await lab.planned(outside)
    inside = await lab.workspace(ADDS, name="scoped-paused")
    run = await lab.planned(inside)
    view = await explained(lab, "default/scoped-*")
    assert [row["id"] for row in view["runs"]] == [run.id]
    assert "other-paused" not in json.dumps(view)
