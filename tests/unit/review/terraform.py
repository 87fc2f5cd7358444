"""Plans created by Terraform: one configuration is applied, then another one is planned on its state."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tfruns.local.terraform.redacted_plan import redacted_plan

TIMEOUT_S = 120.0

SECRET = "s3cret-Zx81-of-the-test"  # the only secret in the plans below
_MODULE = {
    "child/main.tf": """
        variable "size" {}
        resource "terraform_data" "inner" { input = var.size }
        output "size" { value = terraform_data.inner.output }
    """
}


@dataclass(frozen=True)
class Scenario:
    """A plan to create.

    Attributes:
        after: the configuration that is planned.
        before: the configuration that is applied before the plan; none if empty.
        options: options of `terraform plan`.
        files: additional files of both configurations.
        taint: an address to taint between the apply and the plan.
        is_refresh_only: whether it is a refresh-only plan.
    """

    after: str
    before: str = ""
    options: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    taint: str = ""
    is_refresh_only: bool = False


SCENARIOS = {
    "count_for_each_modules_sensitive_and_unknown": Scenario(
        files=_MODULE,
        after=f"""
        variable "password" {{
          sensitive = true
          default   = "{SECRET}"
        }}
        resource "terraform_data" "counted" {{
          count = 12
          input = {{ size = 1, password = var.password, list = ["open", var.password] }}
        }}
        resource "terraform_data" "each" {{
          for_each = toset(["a", "b", "with \\"quotes\\" [0]", "{"x" * 60}"])
          input    = each.key
        }}
        module "many" {{
          source   = "./child"
          for_each = toset(["eu", "us"])
          size     = 5
        }}
        module "one" {{
          source = "./child"
          size   = terraform_data.counted[0].id
        }}
        output "password" {{
          value     = var.password
          sensitive = true
        }}
        output "open" {{ value = {{ name = "x", id = terraform_data.counted[0].id }} }}
        output "late" {{ value = terraform_data.counted[0].id }}
        """,
    ),
    "update_and_destroy": Scenario(
        files=_MODULE,
        before=f"""
        locals {{ password = sensitive("{SECRET}") }}
        resource "terraform_data" "counted" {{
          count = 4
          input = {{ size = 1, tags = {{ a = "1" }}, ports = [80, 443] }}
        }}
        resource "terraform_data" "each" {{
          for_each = toset(["a", "b"])
          input    = "same"
        }}
        resource "terraform_data" "hidden" {{ input = {{ password = local.password, same = local.password }} }}
        resource "terraform_data" "kind" {{ input = 1 }}
        resource "terraform_data" "policy" {{
          input = jsonencode({{ Statement = [{{ Action = "s3:Get", Effect = "Allow" }}], Version = 1 }})
        }}
        resource "terraform_data" "text" {{ input = "{"a" * 200}-old-{"b" * 200}" }}
        resource "terraform_data" "gone" {{}}
        module "gone" {{
          source = "./child"
          size   = 1
        }}
        output "gone" {{ value = 1 }}
        output "changed" {{ value = 1 }}
        """,
        after=f"""
        locals {{ password = sensitive("new-{SECRET}") }}
        resource "terraform_data" "counted" {{
          count = 3
          input = {{ size = 2, tags = {{ a = "1", b = null }}, ports = [443, 8080] }}
        }}
        resource "terraform_data" "each" {{
          for_each = toset(["a"])
          input    = "same"
        }}
        resource "terraform_data" "hidden" {{
          input = {{ password = local.password, same = sensitive("{SECRET}") }}
        }}
        resource "terraform_data" "kind" {{ input = true }}
        resource "terraform_data" "policy" {{
          input = jsonencode({{ Statement = [{{ Action = "s3:*", Effect = "Allow" }}], Version = 1 }})
        }}
        resource "terraform_data" "text" {{ input = "{"a" * 200}-new-{"b" * 200}" }}
        output "changed" {{ value = "two" }}
        """,
    ),
    "moved": Scenario(
        before="""
        resource "terraform_data" "old" { input = 1 }
        resource "terraform_data" "single" { input = 1 }
        """,
        after="""
        resource "terraform_data" "new" { input = 1 }
        resource "terraform_data" "many" {
          count = 1
          input = 2
        }
        moved {
          from = terraform_data.old
          to   = terraform_data.new
        }
        moved {
          from = terraform_data.single
          to   = terraform_data.many[0]
        }
        """,
    ),
    "import": Scenario(
        after="""
        import {
          to = terraform_data.taken
          id = "an-id-of-elsewhere"
        }
        resource "terraform_data" "taken" { input = "set" }
        """,
    ),
    "replace": Scenario(
        before="""
        resource "terraform_data" "triggered" {
          count            = 2
          triggers_replace = ["v1"]
        }
        resource "terraform_data" "first" {
          triggers_replace = "v1"
          lifecycle { create_before_destroy = true }
        }
        resource "terraform_data" "asked" {}
        resource "terraform_data" "tainted" {}
        resource "terraform_data" "source" { input = 1 }
        resource "terraform_data" "follows" {
          lifecycle { replace_triggered_by = [terraform_data.source] }
        }
        """,
        after="""
        resource "terraform_data" "triggered" {
          count            = 2
          triggers_replace = ["v2"]
        }
        resource "terraform_data" "first" {
          triggers_replace = "v2"
          lifecycle { create_before_destroy = true }
        }
        resource "terraform_data" "asked" {}
        resource "terraform_data" "tainted" {}
        resource "terraform_data" "source" { input = 2 }
        resource "terraform_data" "follows" {
          lifecycle { replace_triggered_by = [terraform_data.source] }
        }
        """,
        options=("-replace=terraform_data.asked",),
        taint="terraform_data.tainted",
    ),
    "no_changes": Scenario(
        before='resource "terraform_data" "a" { input = 1 }', after='resource "terraform_data" "a" { input = 1 }'
    ),
    "only_outputs": Scenario(before='output "o" { value = 1 }', after='output "o" { value = "new" }'),
    "refresh_only": Scenario(
        before="""
        resource "terraform_data" "old" { input = 1 }
        output "o" { value = 1 }
        """,
        after="""
        resource "terraform_data" "new" { input = 1 }
        moved {
          from = terraform_data.old
          to   = terraform_data.new
        }
        output "o" { value = 2 }
        """,
        options=("-refresh-only",),
        is_refresh_only=True,
    ),
    "forget": Scenario(
        before='resource "terraform_data" "a" { input = 1 }',
        after="""
        removed {
          from = terraform_data.a
          lifecycle { destroy = false }
        }
        """,
    ),
    "destroy": Scenario(
        before='resource "terraform_data" "a" { count = 3 }',
        after='resource "terraform_data" "a" { count = 3 }',
        options=("-destroy",),
    ),
    "failing_precondition": Scenario(
        after="""
        locals { one = 1 }
        resource "terraform_data" "good" { input = 1 }
        resource "terraform_data" "a" {
          lifecycle {
            precondition {
              condition     = local.one == 2
              error_message = "One is not two."
            }
          }
        }
        """,
    ),
    "checks": Scenario(
        after="""
        resource "terraform_data" "a" { input = 1 }
        locals { one = 1 }
        check "sums" {
          assert {
            condition     = local.one + 1 == 3
            error_message = "One and one is not three."
          }
        }
        check "later" {
          assert {
            condition     = terraform_data.a.id == "x"
            error_message = "Not known yet."
          }
        }
        """,
    ),
    "reads_data": Scenario(
        after="""
        resource "terraform_data" "a" { input = "x" }
        data "terraform_remote_state" "other" {
          backend = "local"
          config  = { path = terraform_data.a.id }
        }
        """,
    ),
}


@cache
def terraform_plan(name: str, directory: Path) -> dict[str, Any]:
    """Create the plan of a scenario, in the format of `terraform show -json`."""
    scenario = SCENARIOS[name]
    for path, text in scenario.files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")
    main = directory / "main.tf"
    main.write_text(scenario.before, encoding="utf-8")
    if scenario.before:
        _terraform(directory, "init")
        _terraform(directory, "apply", "-auto-approve")
    if scenario.taint:
        _terraform(directory, "taint", scenario.taint)
    main.write_text(scenario.after, encoding="utf-8")
    _terraform(directory, "init")
    _terraform(directory, "plan", "-out=plan", *scenario.options, may_fail=name.startswith("failing"))
    plan: dict[str, Any] = json.loads(_terraform(directory, "show", "-json", "plan"))
    return plan


def redacted(plan: dict[str, Any]) -> dict[str, Any]:
    """The redacted form of a plan."""
    return redacted_plan(plan, {"format_version": "1.0", "provider_schemas": {}})


def _terraform(directory: Path, command: str, *options: str, may_fail: bool = False) -> str:
    color = () if command == "taint" else ("-no-color",)
    completed = subprocess.run(
        ["terraform", command, *color, *options],
        cwd=directory,
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert may_fail or completed.returncode == 0, f"{command}: {completed.stdout}{completed.stderr}"
    return completed.stdout
