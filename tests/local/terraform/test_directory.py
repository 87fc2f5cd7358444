"""The directory of a run."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.local.terraform.conftest import Bench, upload
from tests.local.terraform.test_slug import entry, link, packed
from tests.local.terraform.test_state import state
from tfruns.local.terraform.directory import BadWorkingDirectory, RunDirectory
from tfruns.local.terraform.state import BadState
from tfruns.vocabulary import PhaseStatus

pytestmark = pytest.mark.processes

CONFIGURATION = 'resource "terraform_data" "a" {}\n'


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "run", "network")


def set_up(run_dir: RunDirectory, files: dict[str, str], before: bytes | None = None) -> None:
    run_dir.set_up(upload(run_dir.root.parent / "a.tar.gz", files), before)


def test_set_up_replaces_the_directory(run_dir: RunDirectory) -> None:
    set_up(run_dir, {"old.tf": ""})
    set_up(run_dir, {"new.tf": ""})
    assert not (run_dir.config / "old.tf").exists()
    assert run_dir.root.stat().st_mode & 0o777 == 0o700


def test_working_directory_can_be_a_subdirectory(run_dir: RunDirectory) -> None:
    for name in ("a/b", "/a/b", "a/b/", "./a/./b"):
        below = replace(run_dir, working_directory=name)
        set_up(below, {"a/b/main.tf": "", "main.tf": ""})
        assert below.working == run_dir.config / "a/b"


@pytest.mark.parametrize("name", ["..", "a/../..", "/../a", "a/../../outside"])
def test_working_directory_outside_the_configuration_is_rejected(run_dir: RunDirectory, name: str) -> None:
    with pytest.raises(BadWorkingDirectory, match="is outside"):
        set_up(replace(run_dir, working_directory=name), {"a/main.tf": ""})


@pytest.mark.parametrize("name", ["b", "main.tf", "a/main.tf"])
def test_missing_working_directory_is_rejected(run_dir: RunDirectory, name: str) -> None:
    with pytest.raises(BadWorkingDirectory, match="does not exist in the configuration"):
        set_up(replace(run_dir, working_directory=name), {"a/main.tf": "", "main.tf": ""})


def test_working_directory_with_an_invalid_name_is_rejected(run_dir: RunDirectory) -> None:
    for name in ("a\0b", "a" * 300, "a/" * 3000):
        with pytest.raises(BadWorkingDirectory):
            set_up(replace(run_dir, working_directory=name), {"a/main.tf": ""})


def test_working_directory_can_be_a_symbolic_link(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", [entry("real/main.tf"), link("here", "real")])
    run_dir = RunDirectory(tmp_path / "run", "network", "here")
    run_dir.set_up(archive, None)
    assert Path(os.path.realpath(run_dir.working)) == run_dir.config / "real"


def test_upload_without_configuration_files_is_rejected(bench: Bench) -> None:
    bench.given(CONFIGURATION)
    bench.applied()
    bench.given(files={"README.md": "nothing"})
    outcome = bench.plan()
    assert (outcome.status, outcome.has_changes) == (PhaseStatus.ERRORED, None)
    assert outcome.error == "The working directory contains no Terraform configuration files."
    assert bench.plan(is_destroy=True).status is PhaseStatus.FINISHED


@pytest.mark.parametrize(
    "block",
    [
        'cloud {\n organization = "x"\n workspaces { name = "y" }\n}',
        'backend "remote" { organization = "x" }',
        'backend "s3" { bucket = "x" }',
        'backend "http" { address = "http://127.0.0.1:1" }',
        'backend "local" { path = "mine.tfstate" }',
        "",
    ],
)
def test_any_backend_of_the_configuration_is_overridden(bench: Bench, block: str) -> None:
    uploaded = {
        "terraform.tfstate": state(99, resources=[]).decode(),
        "zzz_override.tf": f"terraform {{\n{block}\n}}",
        ".terraform/terraform.tfstate": '{"version":3,"backend":{"type":"s3","config":{},"hash":1}}',
        ".terraform/environment": "other",
    }
    bench.given(f"terraform {{\n{block}\n}}\n{CONFIGURATION}", uploaded)
    outcome = bench.applied()
    assert outcome.state is not None
    assert outcome.state.serial < 99
    assert outcome.state.raw == bench.inputs.run_dir.state_file.read_bytes()
    assert bench.planned().has_changes is False


@pytest.mark.parametrize(
    "name", ["~zzz_override.tf", "\U0010ffff_override.tf", "~tfruns_override.tf.json", "ÿ_override.tf.json"]
)
def test_backend_override_sorts_after_all_other_overrides(bench: Bench, name: str) -> None:
    is_json = name.endswith(".json")
    block = '{"terraform":{"backend":{"s3":{}}}}' if is_json else 'terraform {\n backend "s3" {}\n}'
    bench.given(CONFIGURATION, {name: block})
    outcome = bench.applied()
    assert outcome.state is not None
    assert outcome.state.raw == bench.inputs.run_dir.state_file.read_bytes()


def test_uploaded_errored_state_is_ignored(bench: Bench) -> None:
    bench.given(CONFIGURATION, {"errored.tfstate": state(99).decode()})
    outcome = bench.applied()
    assert outcome.state is not None
    assert outcome.state.serial == 1


def test_unchanged_state_is_not_a_new_state(run_dir: RunDirectory) -> None:
    set_up(run_dir, {"main.tf": ""}, state(3))
    assert run_dir.new_state() is None
    run_dir.state_file.write_bytes(state(4))
    new = run_dir.new_state()
    assert new is not None
    assert new.serial == 4


def test_run_without_any_state_has_no_new_state(run_dir: RunDirectory) -> None:
    set_up(run_dir, {"main.tf": ""})
    assert run_dir.new_state() is None


def test_new_state_reads_errored_tfstate(run_dir: RunDirectory) -> None:
    set_up(run_dir, {"main.tf": ""}, state(3))
    run_dir.state_file.write_bytes(state(4)[:30])
    run_dir.errored_state.write_bytes(state(4))
    new = run_dir.new_state()
    assert new is not None
    assert new.serial == 4


def test_truncated_state_is_an_error(run_dir: RunDirectory) -> None:
    set_up(run_dir, {"main.tf": ""}, state(3))
    run_dir.state_file.write_bytes(b"")
    with pytest.raises(BadState, match="state file is incomplete"):
        run_dir.new_state()


def test_truncated_errored_state_is_an_error(run_dir: RunDirectory) -> None:
    set_up(run_dir, {"main.tf": ""}, state(3))
    run_dir.errored_state.write_bytes(state(4)[:30])
    with pytest.raises(BadState, match="state file is incomplete"):
        run_dir.new_state()
