"""Every option of a run with the real Terraform: its plan, its log and its state."""

import json
from typing import Any

import pytest

from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tests.support.local_server import LocalServer
from tfruns.errors import UnprocessableEntity
from tfruns.vocabulary import PhaseStatus, RunOperation, RunStatus

pytestmark = pytest.mark.anyio

TWO = """
    resource "terraform_data" "a" { input = "one" }
    resource "terraform_data" "b" { input = "two" }
"""
VARIABLES = """
    variable "v" { type = any }
    resource "terraform_data" "v" { input = var.v }
"""
NEVER = """
    resource "terraform_data" "a" {
      lifecycle {
        precondition {
          condition     = terraform.workspace == "none"
          error_message = "Never."
        }
      }
    }
"""
CLOUD = """
    terraform {
      cloud {
        organization = "acme"
        workspaces {
          name = "x"
        }
      }
    }
"""
BACKEND = """
    terraform {
      backend "s3" {
        bucket = "none"
      }
    }
"""
SECRET = "correct-horse-battery"


def outputs(state: Any) -> dict[str, Any]:
    return {name: output["value"] for name, output in state["outputs"].items()}


def inputs(state: Any) -> dict[str, Any]:
    found = {resource["name"]: resource["instances"][0]["attributes"]["input"] for resource in state["resources"]}
    return {name: value["value"] for name, value in found.items() if value is not None}


async def test_run_is_planned_confirmed_and_applied(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    run = await lab.planned(workspace, message="the first")
    assert (run.message, run.has_changes, run.operation) == ("the first", True, RunOperation.PLAN_AND_APPLY)
    assert await lab.actions(run) == {"terraform_data.a": ["create"], "terraform_data.b": ["create"]}
    plan = await lab.plan(run)
    assert (plan.resource_additions, plan.resource_changes, plan.resource_destructions) == (2, 0, 0)
    assert "2 to add, 0 to change, 0 to destroy" in await lab.log(run)
    assert await lab.state(workspace) is None

    run = await lab.confirmed(run)
    assert run.confirmed_by is not None
    assert (await lab.apply(run)).resource_additions == 2
    assert "Apply complete! Resources: 2 added" in await lab.log(run, "apply")
    assert inputs(await lab.state(workspace)) == {"a": "one", "b": "two"}
    assert await lab.is_free(workspace)


async def test_state_of_an_apply_has_terraforms_json_output_format(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    await lab.applied(workspace)
    path = f"/workspaces/{workspace}/current-state-version"

    async def address() -> str:
        attributes = (await lab.send("GET", path))["data"]["attributes"]
        return str(attributes.get("hosted-json-state-download-url") or "")

    await wait_until(address, "the state is stored as JSON")
    document = (await lab.http.get(await address())).json()
    assert document["format_version"].startswith("1.")
    resources = document["values"]["root_module"]["resources"]
    assert {found["address"]: found["values"]["input"] for found in resources} == {
        "terraform_data.a": "one",
        "terraform_data.b": "two",
    }


async def test_run_without_a_message_has_the_default_message(lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(TWO))
    assert run.message == "Queued manually via the Terraform Enterprise API"


async def test_plan_only_run_does_not_wait_for_other_runs(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    await lab.planned(workspace)
    run = await lab.until(await lab.run(workspace, plan_only=True), RunStatus.PLANNED_AND_FINISHED)
    assert run.has_changes
    assert (await lab.apply(run)).status == PhaseStatus.UNREACHABLE
    assert await lab.actions(run) == {"terraform_data.a": ["create"], "terraform_data.b": ["create"]}


async def test_saved_plan_waits_outside_the_queue(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    await lab.lock(workspace)
    run = await lab.until(await lab.run(workspace, save_plan=True, auto_apply=True), RunStatus.PLANNED_AND_SAVED)
    await lab.send("POST", f"/runs/{run.id}/actions/apply", status=409)
    await lab.unlock(workspace)
    assert (await lab.confirmed(run)).status == RunStatus.APPLIED
    assert await lab.resources(workspace) == {"a", "b"}


async def test_saved_plan_is_discarded_when_the_state_changes(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    saved = await lab.until(await lab.run(workspace, save_plan=True), RunStatus.PLANNED_AND_SAVED)
    await lab.applied(workspace)
    await lab.until(saved, RunStatus.DISCARDED)


async def test_auto_apply_of_a_run_overrides_the_workspace(lab: Lab) -> None:
    workspace = await lab.workspace(TWO, **{"auto-apply": True})
    await lab.until(await lab.run(workspace), RunStatus.APPLIED)
    await lab.until(await lab.run(workspace, is_destroy=True, auto_apply=False), RunStatus.PLANNED)


async def test_plan_without_changes_is_applied_only_if_allowed(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    await lab.applied(workspace)
    run = await lab.until(await lab.run(workspace), RunStatus.PLANNED_AND_FINISHED)
    assert run.has_changes is False
    run = await lab.planned(workspace, allow_empty_apply=True)
    assert run.has_changes is False
    run = await lab.confirmed(run)
    assert "Resources: 0 added, 0 changed, 0 destroyed" in await lab.log(run, "apply")


async def test_destroy_run_destroys_all_resources(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    await lab.applied(workspace)
    run = await lab.planned(workspace, is_destroy=True)
    assert await lab.actions(run) == {"terraform_data.a": ["delete"], "terraform_data.b": ["delete"]}
    run = await lab.confirmed(run)
    assert (await lab.apply(run)).resource_destructions == 2
    assert await lab.resources(workspace) == set()


async def test_target_addrs_exclude_other_resources(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    run = await lab.applied(workspace, target_addrs=["terraform_data.b"])
    assert await lab.actions(run) == {"terraform_data.b": ["create"]}
    assert await lab.resources(workspace) == {"b"}


async def test_replace_addrs_replace_resources(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    await lab.applied(workspace)
    before = await lab.state(workspace)
    run = await lab.applied(workspace, replace_addrs=["terraform_data.a"])
    assert await lab.actions(run) == {"terraform_data.a": ["delete", "create"]}
    apply = await lab.apply(run)
    assert (apply.resource_additions, apply.resource_destructions) == (1, 1)
    after = await lab.state(workspace)
    ids = [{r["name"]: r["instances"][0]["attributes"]["id"] for r in state["resources"]} for state in (before, after)]
    assert ids[0]["a"] != ids[1]["a"]
    assert ids[0]["b"] == ids[1]["b"]


async def test_output_change_is_applied(lab: Lab) -> None:
    workspace = await lab.workspace('output "o" { value = 1 }')
    await lab.applied(workspace)
    await lab.upload(workspace, 'output "o" { value = 2 }')
    run = await lab.planned(workspace)
    assert run.has_changes
    assert await lab.actions(run) == {}
    assert (await lab.plan_json(run))["output_changes"]["o"]["after"] == 2
    await lab.confirmed(run)
    assert outputs(await lab.state(workspace)) == {"o": 2}


async def test_refresh_only_accepts_drift_and_changes_nothing_else(lab: Lab, drifting: "Drifting") -> None:
    workspace = await drifting.workspace(lab)
    run = await lab.planned(workspace, refresh_only=True)
    assert (run.operation, run.has_changes) == (RunOperation.REFRESH_ONLY, True)
    assert (await lab.plan_json(run))["output_changes"]["seen"]["after"] == "after"
    run = await lab.confirmed(run)
    assert outputs(await lab.state(workspace)) == {"seen": "after"}
    assert await lab.resources(workspace) == {"b"}, "nothing was created"
    run = await lab.until(await lab.run(workspace, refresh_only=True), RunStatus.PLANNED_AND_FINISHED)
    assert run.has_changes is False


async def test_refresh_is_enabled_by_default(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    await lab.applied(workspace)
    runs = [await lab.run(workspace, plan_only=True, refresh=wanted) for wanted in (None, False)]
    logs = [await lab.log(await lab.until(run, RunStatus.PLANNED_AND_FINISHED)) for run in runs]
    assert ["Refreshing state..." in log for log in logs] == [True, False]


async def test_run_variables_override_workspace_variables(lab: Lab) -> None:
    workspace = await lab.workspace(VARIABLES)
    await lab.variable(workspace, "v", "of the workspace")
    await lab.applied(workspace)
    assert inputs(await lab.state(workspace)) == {"v": "of the workspace"}
    await lab.applied(workspace, variables={"v": '{ list = [1, true, "x"] }'})
    assert inputs(await lab.state(workspace)) == {"v": {"list": [1, True, "x"]}}


async def test_workspace_variables_of_every_category_and_syntax(lab: Lab) -> None:
    main = """
        variable "text" { type = string }
        variable "list" { type = list(number) }
        variable "from_env" { type = string }
        output "all" { value = [var.text, var.list, var.from_env] }
    """
    workspace = await lab.workspace(main)
    await lab.variable(workspace, "text", '["no", "hcl"] ${x}')
    await lab.variable(workspace, "list", "[1, 2]", hcl=True)
    await lab.variable(workspace, "TF_VAR_from_env", "environment", "env")
    await lab.applied(workspace)
    assert outputs(await lab.state(workspace)) == {"all": ['["no", "hcl"] ${x}', [1, 2], "environment"]}


async def test_sensitive_variable_is_masked_in_logs_and_plans(lab: Lab) -> None:
    main = VARIABLES + local_exec("show", "echo the secret is $SECRET_OF_ENV") + 'variable "n" { type = number }'
    workspace = await lab.workspace(main)
    await lab.variable(workspace, "v", SECRET, sensitive=True)
    await lab.variable(workspace, "n", "1")
    await lab.variable(workspace, "SECRET_OF_ENV", f"{SECRET}-env", "env", sensitive=True)
    run = await lab.applied(workspace)
    for text in (
        await lab.log(run),
        await lab.log(run, "apply"),
        json.dumps(await lab.plan_json(run, is_redacted=True)),
        json.dumps(await lab.send("GET", f"/workspaces/{workspace}/vars")),
        json.dumps(await lab.send("GET", f"/runs/{run.id}")),
    ):
        assert SECRET not in text
    assert "the secret is" in await lab.log(run, "apply"), "the log contains the output of the command"
    assert inputs(await lab.state(workspace))["v"] == SECRET, "the state contains it, as always in Terraform"


async def test_sensitive_variable_in_an_error_is_masked(lab: Lab) -> None:
    workspace = await lab.workspace('variable "n" { type = number }')
    await lab.variable(workspace, "n", SECRET, sensitive=True)
    log = await lab.log(await lab.until(await lab.run(workspace), RunStatus.ERRORED))
    assert "a number is required" in log
    assert SECRET not in log


async def test_configuration_is_generated_for_imports(lab: Lab) -> None:
    main = 'import {\n  to = terraform_data.found\n  id = "an-id"\n}\n'
    workspace = await lab.workspace(main)
    run = await lab.until(await lab.run(workspace, plan_only=True), RunStatus.ERRORED)
    assert not (await lab.plan(run)).generated_configuration
    run = await lab.until(await lab.run(workspace, allow_config_generation=True), RunStatus.PLANNED, RunStatus.ERRORED)
    plan = await lab.plan(run)
    assert plan.generated_configuration
    assert "terraform_data" in json.dumps(await lab.plan_json(run))


async def test_import_is_counted(lab: Lab) -> None:
    main = 'import {\n  to = terraform_data.found\n  id = "an-id"\n}\nresource "terraform_data" "found" {}\n'
    workspace = await lab.workspace(main)
    run = await lab.applied(workspace)
    assert (await lab.plan(run)).resource_imports == 1
    assert await lab.resources(workspace) == {"found"}


async def test_debugging_mode_logs_terraforms_trace(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    run = await lab.until(await lab.run(workspace, plan_only=True, debugging_mode=True), RunStatus.PLANNED_AND_FINISHED)
    assert "[TRACE]" in await lab.log(run)
    assert await lab.actions(run) == {"terraform_data.a": ["create"], "terraform_data.b": ["create"]}


async def test_only_the_installed_terraform_version_is_accepted(lab: Lab) -> None:
    workspace = await lab.workspace(TWO)
    with pytest.raises(UnprocessableEntity, match=r"0\.1\.2"):
        await lab.run(workspace, plan_only=True, terraform_version="0.1.2")
    log = await lab.log(await lab.until(await lab.run(workspace, plan_only=True), RunStatus.PLANNED_AND_FINISHED))
    installed = log.split("v", 1)[1].splitlines()[0]
    run = await lab.run(workspace, plan_only=True, terraform_version=installed)
    assert (await lab.until(run, RunStatus.PLANNED_AND_FINISHED)).terraform_version == installed


async def test_configuration_version_of_another_workspace_is_accepted(lab: Lab) -> None:
    other = await lab.workspace()
    configuration = await lab.upload(other, 'output "o" { value = terraform.workspace }')
    workspace = await lab.workspace(TWO, name="of-its-own")
    run = await lab.applied(workspace, configuration_version_id=configuration)
    assert run.configuration_version is not None
    assert run.configuration_version.id == configuration
    assert outputs(await lab.state(workspace)) == {"o": "of-its-own"}


async def test_speculative_configuration_version_makes_the_run_plan_only(lab: Lab) -> None:
    workspace = await lab.workspace()
    configuration = await lab.upload(workspace, TWO, speculative=True)
    run = await lab.run(workspace, configuration_version_id=configuration, auto_apply=True)
    assert (await lab.until(run, RunStatus.PLANNED_AND_FINISHED)).operation == RunOperation.PLAN_ONLY


async def test_working_directory_can_use_sibling_modules(lab: Lab) -> None:
    workspace = await lab.workspace(**{"working-directory": "live/network"})
    files = {"live/network/main.tf": 'module "m" { source = "../../modules/m" }', "modules/m/main.tf": TWO}
    await lab.upload(workspace, files=files)
    run = await lab.applied(workspace)
    assert set(await lab.actions(run)) == {"module.m.terraform_data.a", "module.m.terraform_data.b"}
    await lab.upload(workspace, TWO)
    run = await lab.until(await lab.run(workspace), RunStatus.ERRORED)
    assert "live/network" in await lab.log(run)


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (NEVER, "Never."),
        ('resource "terraform_data" "a" {', "Unclosed configuration block"),
        ('variable "missing" {}', "No value for required variable"),
        ('resource "none_such" "a" {}', "provider"),
        ('terraform { required_version = "< 0.1" }', "Unsupported Terraform Core version"),
        ("", "contains no Terraform configuration files"),
    ],
)
async def test_failed_plan_is_errored_and_logs_the_reason(lab: Lab, main: str, words: str) -> None:
    workspace = await lab.workspace()
    await lab.upload(workspace, files={"main.tf": main} if main else {"README.md": "nothing"})
    run = await lab.until(await lab.run(workspace), RunStatus.ERRORED)
    assert words.lower() in (await lab.log(run)).lower()
    plan, apply = await lab.plan(run), await lab.apply(run)
    assert (plan.status, apply.status) == (PhaseStatus.ERRORED, PhaseStatus.UNREACHABLE)
    assert await lab.is_free(workspace)


async def test_failed_provisioner_taints_its_resource(lab: Lab) -> None:
    main = TWO + local_exec("failing", "echo so it failed; exit 3", depends_on="terraform_data.a, terraform_data.b")
    workspace = await lab.workspace(main)
    run = await lab.until(await lab.run(workspace, auto_apply=True), RunStatus.ERRORED)
    log = await lab.log(run, "apply")
    assert "so it failed" in log
    assert "exit status 3" in log
    assert (await lab.apply(run)).status == PhaseStatus.ERRORED
    state = await lab.state(workspace)
    tainted = {found["name"]: found["instances"][0].get("status") for found in state["resources"]}
    assert tainted == {"a": None, "b": None, "failing": "tainted"}
    await lab.upload(workspace, main.replace("exit 3", "exit 0"))
    run = await lab.applied(workspace)
    assert await lab.actions(run) == {"terraform_data.failing": ["delete", "create"]}


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00broken"])
async def test_invalid_upload_is_rejected_and_starts_no_run(lab: Lab, content: bytes) -> None:
    workspace = await lab.workspace()
    configuration = await lab.upload_bytes(workspace, content, status=422)
    document = await lab.send("GET", f"/configuration-versions/{configuration}")
    assert document["data"]["attributes"]["status"] == "errored"
    with pytest.raises(UnprocessableEntity):
        await lab.run(workspace, configuration_version_id=configuration)


async def test_cloud_and_backend_blocks_are_overridden(lab: Lab) -> None:
    for block in (CLOUD, BACKEND):
        workspace = await lab.workspace(block + TWO)
        await lab.applied(workspace)
        assert await lab.resources(workspace) == {"a", "b"}


async def test_run_keeps_the_variables_of_its_creation(lab: Lab, apply_gate: ApplyGate) -> None:
    workspace = await lab.workspace(VARIABLES + apply_gate.configuration())
    await lab.variable(workspace, "v", "then")
    first = await lab.run(workspace, auto_apply=True)
    await wait_until(apply_gate.has_begun, "the apply waits")
    second = await lab.run(workspace, auto_apply=True, variables={"v": '"of the run"'})
    third = await lab.run(workspace, auto_apply=True)
    document = await lab.send("GET", f"/workspaces/{workspace}/vars")
    await lab.send("DELETE", f"/workspaces/{workspace}/vars/{document['data'][0]['id']}")
    await lab.upload(workspace, "")
    apply_gate.open()
    for run in (first, second, third):
        await lab.until(run, RunStatus.APPLIED)
    assert inputs(await lab.state(workspace)) == {"v": "then"}


class Drifting:
    """A configuration whose output drifts: its data source reads a file that the test changes."""

    def __init__(self, server: LocalServer) -> None:
        self._server = server

    async def workspace(self, lab: Lab) -> str:
        """A workspace that has drifted since its last apply."""
        source = await lab.workspace('output "value" { value = "before" }')
        await lab.applied(source)
        path = self._server.data_dir / f"{source}.tfstate"
        path.write_text(json.dumps(await lab.state(source)))
        main = f"""
            data "terraform_remote_state" "world" {{
              backend = "local"
              config  = {{ path = "{path}" }}
            }}
            resource "terraform_data" "b" {{}}
            output "seen" {{ value = data.terraform_remote_state.world.outputs.value }}
        """
        workspace = await lab.workspace(main)
        await lab.applied(workspace)
        path.write_text(path.read_text().replace('"before"', '"after"'))
        await lab.upload(workspace, main + 'resource "terraform_data" "new" {}')
        return workspace


@pytest.fixture
def drifting(server: LocalServer) -> Drifting:
    return Drifting(server)
