"""The commands that list the parts of a workspace, after a real apply."""

import json
import shutil
from collections.abc import AsyncIterator

import pytest

from tests.support.command import Shell
from tests.support.local_lab import Lab
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH"),
]

SECRET = "s3cret-of-the-command"
MAIN = f"""
resource "terraform_data" "node" {{ count = 2 }}
output "region" {{ value = "eu-west-1" }}
output "zones" {{ value = ["a", "b"] }}
output "password" {{
  value     = "{SECRET}"
  sensitive = true
}}
"""


@pytest.fixture
async def lab(server: LocalServer) -> AsyncIterator[Lab]:
    async with lab_on(server) as lab:
        yield lab


async def test_parts_of_a_workspace_are_tables(shell: Shell, lab: Lab) -> None:
    workspace = await lab.workspace(MAIN)
    await lab.variable(workspace, "region", "eu-west-1")
    await lab.variable(workspace, "token", SECRET, "env", sensitive=True)
    run = await lab.applied(workspace)
    assert run.configuration_version is not None
    assert shell("workspace", "outputs", workspace).rows == [
        ["password", "string", "(sensitive value)"],
        ["region", "string", "eu-west-1"],
        ["zones", "array", '["a", "b"]'],
    ]
    addresses = [row[0] for row in shell("workspace", "resources", workspace).rows]
    assert addresses == ["terraform_data.node[0]", "terraform_data.node[1]"]
    assert [row[:3] for row in shell("variable", "list", "-w", workspace).rows] == [
        ["region", "eu-west-1", "terraform"],
        ["token", "(sensitive value)", "env"],
    ]
    (state,) = shell("state", "list", "-w", workspace).rows
    assert (state[2], state[4], state[5]) == ("current", run.id, "2")
    (configuration,) = shell("config", "list", "-w", workspace).rows
    assert configuration[:3] == [run.configuration_version.id, "uploaded", "current"]
    shown = shell("workspace", "resources", workspace, "--search", "[1]", "--json").json
    assert shown["rows"] == [{"address": "terraform_data.node[1]", "provider": "terraform.io/builtin/terraform"}]
    assert "More: --page 2" in shell("workspace", "resources", workspace, "--page-size", "1").err


async def test_single_output_is_printed_without_decoration(shell: Shell, lab: Lab) -> None:
    workspace = await lab.workspace(MAIN)
    await lab.applied(workspace)
    assert shell("workspace", "outputs", workspace, "--name", "region").out == "eu-west-1\n"
    assert shell("workspace", "outputs", workspace, "--name", "region", "--json").json == "eu-west-1"
    assert shell("workspace", "outputs", workspace, "--name", "zones").out == '["a", "b"]\n'
    missing = shell("workspace", "outputs", workspace, "--name", "regio", code=1).err
    assert "has no output regio" in missing
    assert f"List the outputs: tfruns workspace outputs {workspace}\n" in missing
    refused = shell("workspace", "outputs", workspace, "--name", "password", code=2)
    assert refused.out == ""
    assert "is sensitive" in refused.err


async def test_part_that_the_local_backend_lacks_is_explained(shell: Shell, lab: Lab) -> None:
    workspace = await lab.workspace()
    assert "no state yet" in shell("workspace", "outputs", workspace).err
    assert "does not list actions" in shell("workspace", "actions", workspace).err
    assert "No health assessment exists" in shell("workspace", "health", workspace).err


async def test_outcome_of_a_failed_apply_is_a_table(shell: Shell, lab: Lab) -> None:
    main = """
    resource "terraform_data" "broken" {
      provisioner "local-exec" { command = "exit 3" }
    }
    resource "terraform_data" "after" { depends_on = [terraform_data.broken] }
    """
    workspace = await lab.workspace(main)
    run = await lab.until(await lab.run(workspace, auto_apply=True), "errored")
    done = shell("run", "outcome", run.id)
    assert done.rows == [
        ["failed", "create", "terraform_data.broken"],
        ["not_started", "create", "terraform_data.after"],
    ]
    assert "1 failed, 1 not started" in done.err
    assert shell("run", "outcome", run.id, "--filter", "not_started", "--json").json["total_rows"] == 1
    assert len(shell("run", "outcome", run.id, "--limit", "1").rows) == 1


async def test_plan_is_saved_for_its_owner_without_secrets(shell: Shell, lab: Lab) -> None:
    main = """
    variable "pin" {
      sensitive = true
      default   = "q7"
    }
    variable "plain" { default = "readable" }
    variable "ratio" { default = 0.12345678901234567890123 }
    resource "terraform_data" "a" { input = { pin = var.pin, plain = var.plain, ratio = var.ratio } }
    output "pin" {
      value     = var.pin
      sensitive = true
    }
    """
    workspace = await lab.workspace(main)
    await lab.variable(workspace, "plain", "of-the-workspace", sensitive=True)
    run = await lab.planned(workspace)
    file = shell.directory / "plan.json"
    assert f"Saved the plan of {run.id}" in shell("run", "plan", run.id, "--output", "plan.json").err
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert '"q7"' not in text
    assert "of-the-workspace" not in text
    assert "0.12345678901234567890123" in text
    plan = json.loads(text)
    after = plan["resource_changes"][0]["change"]["after"]["input"]
    assert (after["pin"], after["plain"]) == ("(sensitive value)", "(sensitive value)")
    assert plan["variables"]["pin"] == {"value": "(sensitive value)"}
    assert shell("run", "plan", run.id).out == text
    refused = shell("run", "plan", run.id, "-O", "plan.json", code=2)
    assert "plan.json exists" in refused.err
    shell("run", "plan", run.id, "-O", "plan.json", "--force")
    assert sorted(path.name for path in shell.directory.iterdir()) == ["plan.json"]


async def test_run_without_a_plan_saves_no_file(shell: Shell, lab: Lab) -> None:
    run = await lab.until(await lab.run(await lab.workspace("not hcl {")), "errored")
    assert "has no plan" in shell("run", "plan", run.id, "-O", "plan.json", code=1).err
    assert list(shell.directory.iterdir()) == []
