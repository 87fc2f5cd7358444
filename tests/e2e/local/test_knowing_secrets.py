"""Nothing sensitive reaches an assistant: real Terraform that prints, repeats and fails with what it was to keep."""

import pytest

from tests.e2e.local.test_knowing import Assistant, assistant
from tests.support.local_lab import Lab
from tests.unit.review.terraform import SECRET
from tfruns.wire.runs import Run

__all__ = ["assistant"]  # a fixture

pytestmark = pytest.mark.anyio

# It is copied without its mark (nonsensitive), printed, put into a failing condition's message, and an output.
TALKATIVE = """
variable "password" {
  sensitive = true
}
variable "failing" {
  default = false
}
locals {
  open = nonsensitive(var.password)
}
resource "terraform_data" "kept" {
  input = var.password
}
resource "terraform_data" "copied" {
  input            = { copy = local.open, list = [local.open], "${local.open}" = "a key" }
  triggers_replace = local.open
}
resource "terraform_data" "checked" {
  lifecycle {
    precondition {
      condition     = !var.failing
      error_message = "It is not ${local.open}."
    }
  }
}
resource "terraform_data" "printing" {
  provisioner "local-exec" {
    command = "echo begin ${local.open} end; exit 3"
  }
}
output "repeated" {
  value = "and it is ${local.open}."
}
output "kept" {
  value     = var.password
  sensitive = true
}
check "honest" {
  assert {
    condition     = var.failing
    error_message = "A check that says ${local.open}."
  }
}
"""

# Neither the configuration nor Terraform knows that these are sensitive; the workspace alone does.
UNMARKED = """
variable "password" {}
resource "terraform_data" "copied" {
  input = var.password
  provisioner "local-exec" {
    command = "echo from the environment $IN_THE_ENVIRONMENT and a variable ${var.password}"
  }
}
output "repeated" {
  value = "it is ${var.password}"
}
"""


async def talkative(lab: Lab, main: str) -> str:
    workspace = await lab.workspace(main)
    await lab.variable(workspace, "password", SECRET, sensitive=True)
    return workspace


def check(assistant: Assistant, run: Run) -> None:
    """Read all there is of a run, of which each answer is looked through; the mark of what was hidden is there."""
    views = assistant.everything_about(run.id)
    assert any("(sensitive value)" in str(view) for view in views)


async def test_what_a_provisioner_prints_an_output_repeats_and_a_failure_says(lab: Lab, assistant: Assistant) -> None:
    workspace = await talkative(lab, TALKATIVE)
    run = await lab.run(workspace, message=f"I set {SECRET}")
    assert assistant.call("wait_for_run", run_id=run.id)["status"] == "planned"
    review = assistant.call("review_run", run_id=run.id)
    check(assistant, run)
    assistant.call("comment_on_run", run_id=run.id, body=f"I wonder about {SECRET}")
    assistant.call("apply_run", run_id=run.id, comment=f"because of {SECRET}", fingerprint=review["fingerprint"])
    assert assistant.call("wait_for_run", run_id=run.id, until="final")["status"] == "errored"
    assert assistant.call("diagnose_run", run_id=run.id)["failed_stage"] == "apply"
    check(assistant, run)
    assistant.call("list_runs_in_workspace", workspace_id=workspace)
    assistant.call("list_runs_in_organization", organization="default")


async def test_a_failing_plan_whose_message_holds_it(lab: Lab, assistant: Assistant) -> None:
    workspace = await talkative(lab, TALKATIVE)
    run = await lab.run(workspace, variables={"failing": "true"})
    assert assistant.call("wait_for_run", run_id=run.id)["status"] == "errored"
    assert assistant.call("diagnose_run", run_id=run.id)["errors"]
    assistant.everything_about(run.id)


async def test_a_failing_plan_whose_message_holds_a_default(lab: Lab, assistant: Assistant) -> None:
    main = TALKATIVE.replace("sensitive = true", f'sensitive = true\n  default = "{SECRET}"', 1)
    run = await lab.run(await lab.workspace(main), variables={"failing": "true"})
    assert assistant.call("wait_for_run", run_id=run.id)["status"] == "errored"
    assert assistant.call("diagnose_run", run_id=run.id)["errors"]
    assistant.everything_about(run.id)


@pytest.mark.parametrize("is_by_environment", [False, True])
async def test_what_the_workspace_alone_calls_sensitive(
    lab: Lab, assistant: Assistant, is_by_environment: bool
) -> None:
    workspace = await lab.workspace(UNMARKED)
    await lab.variable(workspace, "IN_THE_ENVIRONMENT", SECRET, "env", sensitive=True)
    if is_by_environment:
        await lab.variable(workspace, "TF_VAR_password", SECRET, "env", sensitive=True)
    else:
        await lab.variable(workspace, "password", SECRET, sensitive=True)
    run = await lab.planned(workspace)
    check(assistant, run)
    review = assistant.call("review_run", run_id=run.id)
    assistant.call("apply_run", run_id=run.id, fingerprint=review["fingerprint"])
    assert assistant.call("wait_for_run", run_id=run.id, until="final")["status"] == "applied"
    check(assistant, run)
