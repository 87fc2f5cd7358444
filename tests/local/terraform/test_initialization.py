"""The decision whether a run needs `terraform init`."""

import json
from typing import Any

from tests.local.terraform.conftest import Bench, outputs_of
from tests.local.terraform.test_state import state
from tfruns.local.terraform.environment import RunIdentity
from tfruns.local.terraform.initialization import needs_init
from tfruns.local.terraform.variables import VariableValue

BUILT_IN = 'provider["terraform.io/builtin/terraform"]'
NULL = 'provider["registry.terraform.io/hashicorp/null"]'
PLAIN = 'resource "terraform_data" "a" {}\n'

# Configurations that Terraform plans and applies without `init`.
WITHOUT_INIT: dict[str, dict[str, str]] = {
    "one resource": {"main.tf": PLAIN},
    "no resource": {"main.tf": 'variable "a" {\n default = 1\n}\noutput "a" {\n value = var.a\n}\n'},
    "several files": {"main.tf": PLAIN, "b.tf": 'locals {\n a = path.module\n}\noutput "a" {\n value = local.a\n}\n'},
    "a Terraform version": {"main.tf": f'terraform {{\n required_version = ">= 1.0"\n}}\n{PLAIN}'},
    "a byte order mark": {"main.tf": "\ufeff" + PLAIN},
    "comments and strings that resemble blocks": {
        "main.tf": f'# provider "aws" {{}}\n{PLAIN}locals {{\n a = "module \\"b\\" {{"\n}}\n'
    },
    "an unused module": {"main.tf": PLAIN, "modules/a/main.tf": 'resource "null_resource" "a" {}\n'},
    "a provisioner": {
        "main.tf": 'resource "terraform_data" "a" {\n provisioner "local-exec" {\n  command = "true"\n }\n}\n'
    },
    "a provider in a nested object": {"main.tf": 'resource "terraform_data" "a" {\n input = { provider = "x" }\n}\n'},
}

WITH_INIT: dict[str, dict[str, str]] = {
    "a backend": {"main.tf": 'terraform {\n backend "s3" {}\n}\n'},
    "HCP Terraform": {"main.tf": 'terraform {\n cloud {\n  organization = "a"\n }\n}\n'},
    "a terraform block in another file": {"main.tf": PLAIN, "z.tf": "terraform {\n required_providers {}\n}\n"},
    "an unknown argument of the terraform block": {"main.tf": "terraform {\n language = TF2021\n}\n"},
    "a provider": {"main.tf": 'provider "terraform" {}\n'},
    "a resource of another provider": {"main.tf": 'resource "null_resource" "a" {}\n'},
    "a data source of another provider": {"main.tf": 'data "local_file" "a" {\n filename = "a"\n}\n'},
    "a provider whose name starts with terraform": {"main.tf": 'resource "terraformer_data" "a" {}\n'},
    "a provider of a resource": {"main.tf": 'resource "terraform_data" "a" {\n provider = aws.west\n}\n'},
    "a provider as a string": {"main.tf": 'resource "terraform_data" "a" {\n provider = "aws"\n}\n'},
    "a module": {"main.tf": 'module "a" {\n source = "./a"\n}\n', "a/main.tf": PLAIN},
    "a module in an override": {"main.tf": PLAIN, "override.tf": 'module "a" {\n source = "./a"\n}\n'},
    "an import": {"main.tf": 'import {\n to = null_resource.a\n id = "a"\n}\n'},
    "a check": {"main.tf": 'check "a" {\n data "http" "a" {\n  url = "http://a"\n }\n}\n'},
    "an ephemeral resource": {"main.tf": 'ephemeral "random_password" "a" {}\n'},
    "an unknown block": {"main.tf": 'action "aws_lambda_invoke" "a" {}\n'},
    "a resource without a type": {"main.tf": "resource {}\n"},
    "JSON": {"main.tf": PLAIN, "b.tf.json": "{}"},
    "OpenTofu's files": {"main.tf": PLAIN, "b.tofu": ""},
    "an unclosed block": {"main.tf": 'resource "terraform_data" "a" {\n'},
    "a large file": {"main.tf": PLAIN + "#" * (1 << 20)},
    "a file named like a directory of configuration": {"main.tf": PLAIN, "b.tf/c": ""},
    "a lock file": {"main.tf": PLAIN, ".terraform.lock.hcl": ""},
    "a .terraform directory": {"main.tf": PLAIN, ".terraform/modules/modules.json": "{}"},
    "a state": {"main.tf": PLAIN, "terraform.tfstate": "{}"},
    "states of workspaces": {"main.tf": PLAIN, "terraform.tfstate.d/network/terraform.tfstate": "{}"},
}


def set_up(bench: Bench, files: dict[str, str], **options: Any) -> bool:
    """Whether the unpacked configuration needs `init`."""
    inputs = bench.given(files=files, **options)
    inputs.run_dir.set_up(inputs.archive, inputs.state)
    return needs_init(inputs)


def was_initialized(bench: Bench) -> bool:
    return (bench.inputs.run_dir.working / ".terraform").exists()


def test_plain_configuration_does_not_need_init(bench: Bench) -> None:
    for name, files in WITHOUT_INIT.items():
        assert set_up(bench, files, state=None) is False, name
        outcome = bench.applied()
        assert outcome.state is not None, name
        assert outcome.state.raw == bench.inputs.run_dir.state_file.read_bytes(), name
        assert bench.planned().has_changes is False, name
        assert not was_initialized(bench), name


def test_any_other_configuration_needs_init(bench: Bench) -> None:
    for name, files in WITH_INIT.items():
        assert set_up(bench, files) is True, name
    assert set_up(bench, {"main.tf": PLAIN, "b.tf": ""}) is False
    (bench.inputs.run_dir.working / "b.tf").write_bytes(b"\xff")
    assert needs_init(bench.inputs) is True


def test_local_module_is_installed_before_the_plan(bench: Bench) -> None:
    output = 'output "a" {\n value = 7\n}\n'
    bench.given('module "a" {\n source = "./a"\n}\noutput "a" {\n value = module.a.a\n}\n', {"a/main.tf": output})
    assert outputs_of(bench.applied().state) == {"a": 7}
    assert was_initialized(bench)


def test_options_of_a_run_can_require_init(bench: Bench) -> None:
    files = {"main.tf": PLAIN}
    tf_var = (VariableValue("TF_VAR_a", "1"), VariableValue("AWS_REGION", "a"))
    assert set_up(bench, files, environment=tf_var) is False
    for key in ("TF_CLI_ARGS_init", "TF_DATA_DIR", "TF_LOG"):
        assert set_up(bench, files, environment=(VariableValue(key, "a"),)) is True, key
    assert set_up(bench, files, environment=(), debugging_mode=True) is True
    assert set_up(bench, files, debugging_mode=False, run=RunIdentity("run-1", "default", "acme")) is True


def test_state_with_other_providers_requires_init(bench: Bench) -> None:
    def resource(provider: str) -> dict[str, Any]:
        return {"mode": "managed", "type": "a", "name": "a", "provider": provider, "instances": []}

    cases: dict[str, tuple[bytes | None, bool]] = {
        "none": (None, False),
        "no resources": (state(1, resources=[]), False),
        "built in": (state(1, resources=[resource(BUILT_IN)]), False),
        "another": (state(1, resources=[resource(BUILT_IN), resource(NULL)]), True),
        "of a module": (state(1, resources=[resource(f"module.a.{BUILT_IN}")]), True),
        "without a provider": (state(1, resources=[{}]), True),
        "of old Terraform": (json.dumps({"version": 3, "serial": 1, "resources": []}).encode(), True),
        "no resources at all": (json.dumps({"version": 4, "serial": 1}).encode(), True),
        "no object": (b"[]", True),
        "cut off": (b"{", True),
    }
    for name, (before, expected) in cases.items():
        assert set_up(bench, {"main.tf": PLAIN}, state=before) is expected, name
