"""Plans and applies with every option of a run and the real Terraform."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.local.terraform.conftest import Bench, Gate, local_exec
from tfruns.local.terraform.inputs import PlanOutcome
from tfruns.local.terraform.phases import plan_arguments
from tfruns.local.terraform.plan_json import ResourceCounts
from tfruns.local.terraform.variables import VariableValue
from tfruns.vocabulary import PhaseStatus

TWO = """
variable "n" { default = 1 }
resource "terraform_data" "a" { input = var.n }
resource "terraform_data" "b" { input = "b" }
"""


def actions(outcome: PlanOutcome) -> Mapping[str, Any]:
    """The planned actions of each resource by its address."""
    assert outcome.plan_json is not None
    plan = json.loads(outcome.plan_json.read_text())
    return {change["address"]: change["change"]["actions"] for change in plan["resource_changes"]}


def test_plan_reports_changes_that_the_apply_makes(bench: Bench) -> None:
    bench.given(TWO)
    plan = bench.planned()
    assert (plan.status, plan.exit_code, plan.counts) == (PhaseStatus.FINISHED, 0, ResourceCounts(additions=2))
    assert plan.has_changes
    apply = bench.apply()
    assert (apply.status, apply.exit_code, apply.counts) == (PhaseStatus.FINISHED, 0, ResourceCounts(additions=2))
    assert apply.state is not None
    assert len(json.loads(apply.state.raw)["resources"]) == 2


def test_logs_contain_machine_readable_output_after_the_header(bench: Bench) -> None:
    bench.given(TWO)
    bench.applied()
    for log, summary in (
        (bench.plan_log, "Plan: 2 to add, 0 to change, 0 to destroy."),
        (bench.apply_log, "Apply complete! Resources: 2 added, 0 changed, 0 destroyed."),
    ):
        lines = log.read_text().splitlines()
        assert lines[0] == f"Terraform v{bench.inputs.terraform.version}"
        assert lines[1] == f"on {bench.inputs.terraform.platform}"
        assert lines[2] == "Initializing plugins and modules..."
        assert summary in [json.loads(line)["@message"] for line in lines[3:]]


def test_plan_without_changes_can_be_applied(bench: Bench) -> None:
    bench.given(TWO)
    bench.applied()
    assert bench.planned().has_changes is False
    apply = bench.apply()
    assert (apply.status, apply.counts, apply.state) == (PhaseStatus.FINISHED, ResourceCounts(), None)


def test_output_change_counts_as_a_change(bench: Bench) -> None:
    bench.given(TWO)
    bench.applied()
    bench.given(TWO + 'output "o" { value = 1 }')
    plan = bench.planned()
    assert (plan.counts, plan.has_changes) == (ResourceCounts(), True)


def test_is_destroy_destroys_all_resources(bench: Bench) -> None:
    bench.given(TWO)
    bench.applied()
    bench.given(TWO, is_destroy=True)
    assert bench.planned().counts == ResourceCounts(destructions=2)
    apply = bench.apply()
    assert apply.counts == ResourceCounts(destructions=2)
    assert apply.state is not None
    assert json.loads(apply.state.raw)["resources"] == []


def test_target_addrs_limit_the_plan(bench: Bench) -> None:
    bench.given(TWO, target_addrs=("terraform_data.a",))
    assert actions(bench.planned()) == {"terraform_data.a": ["create"]}


def test_replace_addrs_force_replacement(bench: Bench) -> None:
    bench.given(TWO)
    bench.applied()
    bench.given(TWO, replace_addrs=("terraform_data.b",))
    plan = bench.planned()
    assert actions(plan) == {"terraform_data.a": ["no-op"], "terraform_data.b": ["delete", "create"]}
    assert plan.counts == ResourceCounts(additions=1, destructions=1)


def test_refresh_only_changes_no_resource(bench: Bench) -> None:
    bench.given(TWO)
    bench.applied()
    bench.given(TWO, run_variables=(VariableValue("n", "2", is_hcl=True),), refresh_only=True)
    plan = bench.planned()
    assert (plan.counts, plan.has_changes) == (ResourceCounts(), False)
    assert bench.apply().status is PhaseStatus.FINISHED


def test_refresh_false_does_not_read_resources(bench: Bench) -> None:
    bench.given(TWO)
    bench.applied()
    for refresh, is_read in ((True, True), (False, False)):
        bench.plan_log.unlink()
        bench.given(TWO, refresh=refresh)
        bench.planned()
        assert ("Refreshing state..." in bench.plan_log.read_text()) is is_read


def test_imports_are_counted_and_configuration_is_generated(bench: Bench) -> None:
    bench.given('import {\n to = terraform_data.a\n id = "x"\n}', allow_config_generation=True)
    plan = bench.planned()
    assert plan.counts is not None
    assert plan.counts.imports == 1
    assert plan.has_generated_configuration
    assert plan.redacted_json is not None
    assert "generated_config" in plan.redacted_json.read_text()
    assert bench.apply().counts.imports == 1


def test_actions_require_terraform_1_14(bench: Bench) -> None:
    from dataclasses import replace

    bench.given(TWO, invoke_action_addrs=("action.x.y",))
    old = replace(bench.inputs.terraform, version="1.13.0")
    outcome = bench.plan(terraform=old)
    assert outcome.status is PhaseStatus.ERRORED
    assert (
        outcome.error == "Actions cannot be invoked: Terraform 1.13.0 does not support it. Use Terraform 1.14 or later."
    )
    new = replace(bench.inputs, terraform=replace(old, version="1.14.0"))
    assert "-invoke=action.x.y" in plan_arguments(new)


def test_module_of_the_configuration_is_used(bench: Bench) -> None:
    bench.given('module "m" { source = "./m" }', {"m/main.tf": TWO})
    assert set(actions(bench.planned())) == {"module.m.terraform_data.a", "module.m.terraform_data.b"}


def test_working_directory_can_use_a_sibling_module(bench: Bench) -> None:
    files = {"live/main.tf": 'module "m" { source = "../m" }', "m/main.tf": TWO}
    bench.given(files=files, working_directory="live")
    assert bench.applied().counts.additions == 2


def test_configuration_error_is_logged_and_returned(bench: Bench) -> None:
    bench.given('resource "terraform_data" "a" {')
    outcome = bench.plan()
    assert (outcome.status, outcome.exit_code) == (PhaseStatus.ERRORED, 1)
    assert outcome.error is not None
    assert outcome.error.startswith("Unclosed configuration block (main.tf:1)")
    assert outcome.plan_json is None
    last = json.loads(bench.plan_log.read_text().splitlines()[3])
    assert last["diagnostic"]["summary"] == "Unclosed configuration block"


def test_planning_error_is_logged_and_returned(bench: Bench) -> None:
    bench.given('resource "terraform_data" "a" { input = file("missing") }')
    outcome = bench.plan()
    assert outcome.status is PhaseStatus.ERRORED
    assert "missing" in (outcome.error or "")
    assert bench.plan_log.read_text().count("Error: Invalid function argument") == 1


def test_unavailable_provider_fails_the_plan(bench: Bench) -> None:
    bench.given('terraform {\n required_providers {\n x = { source = "localhost/a/b" }\n }\n}\nresource "x_y" "z" {}')
    outcome = bench.plan()
    assert outcome.status is PhaseStatus.ERRORED
    assert "localhost/a/b" in (outcome.error or "")


@pytest.mark.parametrize("archive", ["upload.tar.gz", "missing.tar.gz"])
def test_invalid_archive_fails_the_plan(bench: Bench, archive: str) -> None:
    (bench.root / "upload.tar.gz").write_text("no archive")
    outcome = bench.plan(archive=bench.root / archive)
    assert outcome.status is PhaseStatus.ERRORED
    assert f"Error: {outcome.error}" in [
        json.loads(line)["@message"] for line in bench.plan_log.read_text().splitlines()[3:]
    ]


def test_partially_failed_apply_keeps_the_completed_changes(bench: Bench) -> None:
    bench.given(local_exec("exit 3", "bad") + '\nresource "terraform_data" "good" {}')
    bench.planned()
    apply = bench.apply()
    assert (apply.status, apply.exit_code) == (PhaseStatus.ERRORED, 1)
    assert "exit status 3" in (apply.error or "")
    assert apply.counts == ResourceCounts(additions=1)
    assert apply.state is not None
    instances = {
        resource["name"]: resource["instances"][0].get("status")
        for resource in json.loads(apply.state.raw)["resources"]
    }
    assert instances == {"good": None, "bad": "tainted"}


def test_apply_without_a_plan_file_fails(bench: Bench) -> None:
    bench.given(TWO)
    apply = bench.apply()
    assert (apply.status, apply.state) == (PhaseStatus.ERRORED, None)
    assert apply.error == "The plan cannot be applied: its file is missing on the server. Start a new run."


def test_plan_can_be_repeated_in_the_same_directory(bench: Bench) -> None:
    bench.given(TWO)
    bench.planned()
    bench.planned()
    assert bench.apply().counts == ResourceCounts(additions=2)


def test_tf_cli_args_of_the_workspace_apply_to_its_commands(bench: Bench) -> None:
    bench.given(
        TWO,
        environment=(
            VariableValue("TF_CLI_ARGS_plan", "-target=terraform_data.a"),
            VariableValue("TF_CLI_ARGS", "-no-color"),
        ),
    )
    assert set(actions(bench.planned())) == {"terraform_data.a"}


def test_phase_that_exceeds_its_time_limit_is_errored(bench: Bench, gate: Callable[[str], Gate]) -> None:
    bench.given(local_exec(f"read go < {gate('never').path}"))
    bench.planned()
    apply = bench.apply(limit_s=0.5)
    assert (apply.status, apply.error) == (PhaseStatus.ERRORED, "Terraform was stopped: it took longer than 0.5 s.")
    assert apply.state is not None
