"""The directory of a run."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.local.execution.conftest import Bench, upload
from tests.local.execution.test_slug import entry, link, packed
from tests.local.execution.test_state import state
from tfruns.local.execution.state import BadState
from tfruns.local.execution.workdir import BadWorkingDirectory, Workdir
from tfruns.vocabulary import PhaseStatus

pytestmark = pytest.mark.processes

CONFIGURATION = 'resource "terraform_data" "a" {}\n'


@pytest.fixture
def workdir(tmp_path: Path) -> Workdir:
    return Workdir(tmp_path / "run", "network")


def set_up(workdir: Workdir, files: dict[str, str], before: bytes | None = None) -> None:
    workdir.set_up(upload(workdir.root.parent / "a.tar.gz", files), before)


def test_the_directory_is_made_anew_each_time(workdir: Workdir) -> None:
    set_up(workdir, {"old.tf": ""})
    set_up(workdir, {"new.tf": ""})
    assert not (workdir.config / "old.tf").exists()
    assert workdir.root.stat().st_mode & 0o777 == 0o700


def test_the_working_directory_may_be_below(workdir: Workdir) -> None:
    for name in ("a/b", "/a/b", "a/b/", "./a/./b"):
        below = replace(workdir, working_directory=name)
        set_up(below, {"a/b/main.tf": "", "main.tf": ""})
        assert below.working == workdir.config / "a/b"


@pytest.mark.parametrize("name", ["..", "a/../..", "/../a", "a/../../outside"])
def test_a_working_directory_that_leads_out_is_refused(workdir: Workdir, name: str) -> None:
    with pytest.raises(BadWorkingDirectory, match="leads out"):
        set_up(replace(workdir, working_directory=name), {"a/main.tf": ""})


@pytest.mark.parametrize("name", ["b", "main.tf", "a/main.tf"])
def test_a_working_directory_that_is_not_there_is_refused(workdir: Workdir, name: str) -> None:
    with pytest.raises(BadWorkingDirectory, match="no directory"):
        set_up(replace(workdir, working_directory=name), {"a/main.tf": "", "main.tf": ""})


def test_a_working_directory_with_a_nul_or_too_long_is_refused(workdir: Workdir) -> None:
    for name in ("a\0b", "a" * 300, "a/" * 3000):
        with pytest.raises(BadWorkingDirectory):
            set_up(replace(workdir, working_directory=name), {"a/main.tf": ""})


def test_a_working_directory_behind_a_link_is_where_the_link_leads(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", [entry("real/main.tf"), link("here", "real")])
    workdir = Workdir(tmp_path / "run", "network", "here")
    workdir.set_up(archive, None)
    assert Path(os.path.realpath(workdir.working)) == workdir.config / "real"


def test_an_upload_without_configuration_is_refused_because_it_would_destroy_everything(bench: Bench) -> None:
    bench.given(CONFIGURATION)
    bench.applied()
    bench.given(files={"README.md": "nothing"})
    outcome = bench.plan()
    assert (outcome.status, outcome.has_changes) == (PhaseStatus.ERRORED, None)
    assert outcome.error == "The working directory has no Terraform configuration files."
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
def test_whatever_backend_the_configuration_names_the_state_is_the_runs(bench: Bench, block: str) -> None:
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
    assert outcome.state.raw == bench.job.workdir.state_file.read_bytes()
    assert bench.planned().has_changes is False


@pytest.mark.parametrize(
    "name", ["~zzz_override.tf", "\U0010ffff_override.tf", "~tfruns_override.tf.json", "ÿ_override.tf.json"]
)
def test_an_override_of_the_configuration_that_comes_late_comes_before_ours(bench: Bench, name: str) -> None:
    is_json = name.endswith(".json")
    block = '{"terraform":{"backend":{"s3":{}}}}' if is_json else 'terraform {\n backend "s3" {}\n}'
    bench.given(CONFIGURATION, {name: block})
    outcome = bench.applied()
    assert outcome.state is not None
    assert outcome.state.raw == bench.job.workdir.state_file.read_bytes()


def test_an_errored_state_that_was_uploaded_is_not_taken_for_the_runs(bench: Bench) -> None:
    bench.given(CONFIGURATION, {"errored.tfstate": state(99).decode()})
    outcome = bench.applied()
    assert outcome.state is not None
    assert outcome.state.serial == 1


def test_a_state_that_was_not_changed_is_no_new_one(workdir: Workdir) -> None:
    set_up(workdir, {"main.tf": ""}, state(3))
    assert workdir.new_state() is None
    workdir.state_file.write_bytes(state(4))
    new = workdir.new_state()
    assert new is not None
    assert new.serial == 4


def test_without_a_state_before_and_after_there_is_none(workdir: Workdir) -> None:
    set_up(workdir, {"main.tf": ""})
    assert workdir.new_state() is None


def test_a_state_that_terraform_could_not_put_in_its_place_is_found(workdir: Workdir) -> None:
    set_up(workdir, {"main.tf": ""}, state(3))
    workdir.state_file.write_bytes(state(4)[:30])
    workdir.errored_state.write_bytes(state(4))
    new = workdir.new_state()
    assert new is not None
    assert new.serial == 4


def test_a_state_that_was_cut_off_is_an_error_and_not_an_empty_state(workdir: Workdir) -> None:
    set_up(workdir, {"main.tf": ""}, state(3))
    workdir.state_file.write_bytes(b"")
    with pytest.raises(BadState, match="damaged"):
        workdir.new_state()


def test_that_a_newer_state_was_cut_off_is_an_error_and_not_the_old_state(workdir: Workdir) -> None:
    set_up(workdir, {"main.tf": ""}, state(3))
    workdir.errored_state.write_bytes(state(4)[:30])
    with pytest.raises(BadState, match="damaged"):
        workdir.new_state()
