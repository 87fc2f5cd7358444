"""Nothing sensitive reaches an assistant: real Terraform that prints, repeats and fails with what it was to keep."""

import json

import pytest

from tests.e2e.local.test_knowing import Assistant, assistant
from tests.support.local_lab import Lab
from tests.unit.review.terraform import SECRET
from tfruns.wire.runs import Run

__all__ = ["assistant"]  # a fixture

pytestmark = pytest.mark.anyio

# The secret is copied without its mark (nonsensitive), printed, and used in an output and a condition message.
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

# Only the workspace marks these as sensitive.
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


async def test_secret_is_masked_in_provisioner_output_and_errors(lab: Lab, assistant: Assistant) -> None:
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


async def test_secret_is_masked_in_the_error_of_a_failed_plan(lab: Lab, assistant: Assistant) -> None:
    workspace = await talkative(lab, TALKATIVE)
    run = await lab.run(workspace, variables={"failing": "true"})
    assert assistant.call("wait_for_run", run_id=run.id)["status"] == "errored"
    assert assistant.call("diagnose_run", run_id=run.id)["errors"]
    assistant.everything_about(run.id)


async def test_sensitive_default_is_masked_in_the_error_of_a_failed_plan(lab: Lab, assistant: Assistant) -> None:
    main = TALKATIVE.replace("sensitive = true", f'sensitive = true\n  default = "{SECRET}"', 1)
    run = await lab.run(await lab.workspace(main), variables={"failing": "true"})
    assert assistant.call("wait_for_run", run_id=run.id)["status"] == "errored"
    assert assistant.call("diagnose_run", run_id=run.id)["errors"]
    assistant.everything_about(run.id)


@pytest.mark.parametrize("is_by_environment", [False, True])
async def test_variable_that_only_the_workspace_marks_is_masked(
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


# Marked as sensitive only by the workspace: each kind of HCL literal, one in each variable.
SHAPES = """
variable "heredoc" {}
variable "map" {}
variable "number" {}
variable "escaped" {}
variable "pin" {}
variable "by_environment" {}
resource "terraform_data" "each" {
  for_each = var.map
  input    = [each.key, each.value, var.heredoc, var.number, var.escaped, var.pin, var.by_environment]
}
output "all" {
  value = jsonencode([var.heredoc, var.map, var.number, var.escaped, var.pin, var.by_environment])
}
"""
_HCL = {
    "heredoc": "<<-EOT\n  first-secret-line\n  second <secret> & line\nEOT\n",
    "map": '{ "key-Qx81zz" = "value-Qx82zz" }',
    "number": "7.319e5",
    "escaped": r'"\u0071uoted \"Qx83\" \\ zz"',
    "pin": '"Qx4"',
}
_PARTS = ("first-secret-line", "second", "Qx81", "Qx82", "731900", "Qx83", "Qx4", "listed-Qx85")


async def test_sensitive_literals_stay_out_of_logs_and_the_redacted_plan(lab: Lab, assistant: Assistant) -> None:
    workspace = await lab.workspace(SHAPES)
    for key, value in _HCL.items():
        await lab.variable(workspace, key, value, sensitive=True, hcl=True)
    await lab.variable(workspace, "TF_VAR_by_environment", '["listed-Qx85zz"]', "env", sensitive=True)
    run = await lab.planned(workspace)
    log, redacted = await lab.log(run), json.dumps(await lab.plan_json(run, is_redacted=True))
    views = json.dumps(assistant.everything_about(run.id), ensure_ascii=False)
    assert "[removed]" in log
    for part in _PARTS:
        assert part not in log
        assert part not in redacted
        assert part not in views


_HOSTILE = (
    "\x1b[2Jcleared",
    "\x1b]52;c;ZXZpbA==\x07clipboard",
    "\x9b31mred",
    "\u202egnirts",
    "a\u2066b",
    "tag\U000e0041\U000e0042",
    "vs\ufe0e\ufe0f\U000e0100",
    "zero\u200bwidth",
    "private\ue000use",
    "filler\u3164\u115f",
)


async def test_hostile_text_of_others_reaches_no_result(lab: Lab, assistant: Assistant) -> None:
    text = " ".join(_HOSTILE)
    workspace = await lab.workspace('resource "terraform_data" "a" {\n  input = "x"\n}', description=text)
    run = await lab.planned(workspace, message=text, target_addrs=["terraform_data.a"])
    await lab.send("POST", f"/runs/{run.id}/comments", {"data": {"type": "comments", "attributes": {"body": text}}})
    views = assistant.everything_about(run.id)
    views.append(assistant.call("list_runs_in_workspace", workspace_id=workspace))
    shown = json.dumps(views, ensure_ascii=False)
    assert "cleared clipboard 31mred gnirts ab tag vs zerowidth privateuse filler" in shown
    for character in "\x1b\x07\x9b\u202e\u2066\ufe0e\ufe0f\u200b\ue000\u3164\u115f\U000e0041\U000e0100":
        assert character not in shown


# Terraform quotes the line of a failed assertion, which contains the value.
QUOTED = f"""
variable "password" {{
  sensitive = true
  default   = "{SECRET}"
}}
check "password" {{
  assert {{
    condition     = var.password == "{SECRET}!"
    error_message = "It is another one."
  }}
}}
resource "terraform_data" "one" {{}}
"""


async def test_value_that_only_the_plan_marks_is_masked_once_the_plan_is_known(lab: Lab, assistant: Assistant) -> None:
    run = await lab.run(await lab.workspace(QUOTED))
    assert assistant.call("wait_for_run", run_id=run.id)["status"] == "planned"
    assert run.plan is not None
    plan = await lab.client.plans.read(run.plan.id)
    assert SECRET in (await lab.http.get(str(plan.log_read_url))).text  # so the note is true while the plan is running
    view = assistant.call("get_run_logs", run_id=run.id)
    assert "(sensitive value)" in view["log"]
    assert "note" not in view or "until it has finished" not in view["note"]
