"""The parts of a workspace after real applies: outputs, resources, variables, state and configuration versions."""

from typing import Any

import pytest

from tests.gate.harness import Log
from tests.support.local_lab import Lab
from tests.tools.calls import TOOLS
from tfruns.errors import Conflict
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Mode, Policy
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio

SECRET = "s3cret-of-the-database"
MAIN = """
variable "size" { default = 2 }
variable "password" {
  sensitive = true
}
resource "terraform_data" "node" {
  count = var.size
  input = "node-${count.index}"
}
resource "terraform_data" "database" {
  input = var.password
}
output "nodes" { value = terraform_data.node[*].output }
output "region" { value = "eu-west-1" }
output "password" {
  value     = terraform_data.database.output
  sensitive = true
}
"""


async def change(lab: Lab, name: str, /, **arguments: Any) -> Any:
    return as_json(await Gate(lab.client, Policy(confirm=Confirm.NEVER), audit=Log()).call(TOOLS[name], arguments))


async def read(lab: Lab, workspace_id: str, part: str, **arguments: Any) -> Any:
    gate = Gate(lab.client, Policy(Mode.READ), audit=Log())
    values = {"workspace_id": workspace_id, "part": part, **arguments}
    return as_json(await gate.call(TOOLS["get_workspace_details"], values))


async def test_parts_show_what_was_applied_and_no_secret(lab: Lab) -> None:
    workspace_id = await lab.workspace(MAIN)
    await lab.variable(workspace_id, "password", SECRET, sensitive=True)
    first = await lab.applied(workspace_id)
    second = await lab.applied(workspace_id, variables={"size": "3"})
    parts = ("outputs", "resources", "variables", "state_versions", "configuration_versions", "actions", "health")
    found = {part: await read(lab, workspace_id, part) for part in parts}
    assert SECRET not in str(found)
    assert {row["name"]: row["value"] for row in found["outputs"]["rows"]} == {
        "nodes": ["node-0", "node-1", "node-2"],
        "region": "eu-west-1",
        "password": "(sensitive value)",
    }
    assert [row["address"] for row in found["resources"]["rows"]] == [
        "terraform_data.database",
        *(f"terraform_data.node[{n}]" for n in range(3)),
    ]
    assert found["variables"]["rows"] == [{"key": "password", "category": "terraform", "sensitive": True}]
    states = found["state_versions"]["rows"]
    assert [row["run_id"] for row in states] == [second.id, first.id]
    assert [row["resources"] for row in states] == [4, 3]
    assert [row.get("current") for row in states] == [True, None]
    (configuration,) = found["configuration_versions"]["rows"]
    assert (configuration["status"], configuration["current"]) == ("uploaded", True)
    # The local backend has neither.
    assert found["actions"]["note"].startswith("This API does not list actions")
    assert found["health"]["note"].startswith("No health assessment exists")


async def test_search_finds_a_resource_by_its_address(lab: Lab) -> None:
    workspace_id = await lab.workspace(MAIN)
    await lab.applied(workspace_id, variables={"password": f'"{SECRET}"'})
    view = await read(lab, workspace_id, "resources", search="NODE", page_size=1)
    assert [row["address"] for row in view["rows"]] == ["terraform_data.node[0]"]
    assert (view["next_page"], view["total_count"]) == (2, 2)


async def test_new_workspace_has_empty_parts(lab: Lab) -> None:
    workspace_id = await lab.workspace()
    for part in ("outputs", "resources", "variables", "state_versions", "configuration_versions"):
        assert (await read(lab, workspace_id, part))["rows"] == []
    assert (await read(lab, workspace_id, "settings"))["id"] == workspace_id


async def test_rollback_restores_the_old_state_and_a_plan_shows_the_difference(lab: Lab) -> None:
    workspace_id = await lab.workspace(MAIN)
    variables = {"password": f'"{SECRET}"'}
    await lab.applied(workspace_id, variables=variables)
    old = (await read(lab, workspace_id, "state_versions"))["rows"][0]["id"]
    await lab.applied(workspace_id, variables=variables | {"size": "3"})
    arguments = {"workspace_id": workspace_id, "state_version_id": old}
    with pytest.raises(Conflict) as refused:
        await change(lab, "roll_back_state", **arguments)
    assert refused.value.solution == "Lock the workspace first."
    await change(lab, "set_workspace_lock", workspace_id=workspace_id, action="lock")
    view = await change(lab, "roll_back_state", **arguments)
    states = (await read(lab, workspace_id, "state_versions"))["rows"]
    assert [row["id"] for row in states if row.get("current")] == [view["state_version_id"]]
    assert [row["serial"] for row in states] == [view["serial"], *(row["serial"] for row in states[1:])]
    assert view["serial"] > states[1]["serial"]
    assert [row["resources"] for row in states] == [3, 4, 3]
    await change(lab, "set_workspace_lock", workspace_id=workspace_id, action="unlock")
    planned = await lab.planned(workspace_id, variables=variables | {"size": "3"})
    assert await lab.actions(planned) == {
        "terraform_data.node[2]": ["create"]
    }  # no longer in the state, although it exists


async def test_sensitive_variable_reaches_the_run_and_no_log(lab: Lab) -> None:
    secret = "env-s3cret-of-the-run"
    main = """
    resource "terraform_data" "echo" {
      provisioner "local-exec" { command = "echo token=$TOKEN" }
    }
    """
    workspace_id = await lab.workspace(main)
    await change(
        lab, "set_variable", workspace_id=workspace_id, key="TOKEN", value=secret, category="env", sensitive=True
    )
    run = await lab.applied(workspace_id)
    gate = Gate(lab.client, Policy(Mode.READ), audit=Log())
    view = as_json(await gate.call(TOOLS["get_run_logs"], {"run_id": run.id, "phase": "apply"}))
    assert "token=" in str(view)
    assert secret not in str(view)


async def test_rerun_repeats_a_failed_run_with_its_variables(lab: Lab) -> None:
    main = """
    variable "size" {
      type = number
    }
    resource "terraform_data" "node" {
      count = var.size
      input = fileexists("/nonexistent") ? "x" : var.size
      lifecycle {
        precondition {
          condition     = terraform.workspace != "" && var.size != 1
          error_message = "one is not enough"
        }
      }
    }
    """
    workspace_id = await lab.workspace(main)
    failed = await lab.until(await lab.run(workspace_id, variables={"size": "1"}, message="First"), "errored")
    view = await change(lab, "rerun", run_id=failed.id)
    again = await lab.client.runs.read(view["id"])
    assert again.message == f"Rerun of {failed.id}: First"
    assert (again.configuration_version, again.variables) == (failed.configuration_version, failed.variables)
    await lab.until(again, "errored")


async def test_rerun_of_an_applied_run_waits_for_confirmation(lab: Lab) -> None:
    workspace_id = await lab.workspace(MAIN)
    run = await lab.applied(
        workspace_id, variables={"password": f'"{SECRET}"'}, replace_addrs=["terraform_data.node[0]"]
    )
    await lab.upload(workspace_id, "# a newer configuration")
    view = await change(lab, "rerun", run_id=run.id)
    assert SECRET not in str(view)
    again = await lab.until(await lab.client.runs.read(view["id"]), "planned")
    assert await lab.actions(again) == {"terraform_data.node[0]": ["delete", "create"]}


async def outcomes(lab: Lab, run_id: str, **arguments: Any) -> Any:
    gate = Gate(lab.client, Policy(Mode.READ), audit=Log())
    return as_json(await gate.call(TOOLS["review_run"], {"run_id": run_id, "applied": True, **arguments}))


async def test_failed_apply_tells_the_outcome_of_each_resource(lab: Lab) -> None:
    main = """
    resource "terraform_data" "first" { count = 2 }
    resource "terraform_data" "broken" {
      depends_on = [terraform_data.first]
      provisioner "local-exec" { command = "exit 3" }
    }
    resource "terraform_data" "after" { depends_on = [terraform_data.broken] }
    """
    workspace_id = await lab.workspace(main)
    planned = await lab.planned(workspace_id)
    assert await outcomes(lab, planned.id) == {
        "run_id": planned.id,
        "status": "planned",
        "rows": [],
        "page": 1,
        "next_page": None,
        "total_rows": 0,
        "note": "The apply has not started: nothing was applied.",
    }
    await lab.client.runs.apply(planned.id)
    await lab.until(planned, "errored")
    view = await outcomes(lab, planned.id)
    assert view["counts"] == {"failed": 1, "not_started": 1, "done": 2}
    rows = [(row["outcome"], row["action"], row["address"]) for row in view["rows"]]
    assert rows[:2] == [
        ("failed", "create", "terraform_data.broken"),
        ("not_started", "create", "terraform_data.after"),
    ]
    assert sorted(rows[2:]) == [("done", "created", f"terraform_data.first[{n}]") for n in range(2)]
    assert view["note"] == "A failed step may have made part of its changes."
    assert [row["address"] for row in (await outcomes(lab, planned.id, filter="not_started"))["rows"]] == [
        "terraform_data.after"
    ]
    page = await outcomes(lab, planned.id, filter="first", page_size=1)
    assert (len(page["rows"]), page["next_page"], page["total_rows"]) == (1, 2, 2)


async def test_successful_apply_is_done_with_everything(lab: Lab) -> None:
    workspace_id = await lab.workspace('resource "terraform_data" "node" { count = 3 }')
    run = await lab.applied(workspace_id)
    view = await outcomes(lab, run.id)
    assert view["counts"] == {"done": 3}
    assert {row["action"] for row in view["rows"]} == {"created"}
    assert "note" not in view
