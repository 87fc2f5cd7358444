"""The environment variables of Terraform."""

import os
from pathlib import Path

import pytest

from tests.local.terraform.conftest import Bench, local_exec, outputs_of
from tfruns.local.terraform.environment import OperatorSettings, RunIdentity, run_environment, without_output_options
from tfruns.local.terraform.variables import VariableValue

RUN = RunIdentity("run-1", "network", "acme")
OF_THE_RUN = {
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "TF_WORKSPACE": "network",
    "TFC_RUN_ID": "run-1",
    "TFC_WORKSPACE_NAME": "network",
    "TFC_WORKSPACE_SLUG": "acme/network",
}


def test_terraform_inherits_only_the_machines_environment_variables(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "TFE_TOKEN",
        "TF_TOKEN_app_terraform_io",
        "TF_VAR_x",
        "TF_LOG",
        "AWS_SECRET_ACCESS_KEY",
        "DATABASE_URL",
    ):
        monkeypatch.setenv(name, "of the server")
    monkeypatch.setenv("LANG", "C.UTF-8")
    seen = bench.root / "environment"
    bench.given(
        local_exec(f"env -0 > {seen}"),
        run=RUN,
        environment=(VariableValue("MINE", "a b\nc"),),
    )
    bench.applied()
    environment = dict(line.split("=", 1) for line in seen.read_text().strip("\0").split("\0"))
    of_the_shell = {"PWD", "SHLVL", "_", "OLDPWD"}
    expected = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ}
    expected |= {name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ}
    expected |= OF_THE_RUN | {"MINE": "a b\nc", "HOME": str(bench.inputs.run_dir.home)}
    assert {name: value for name, value in environment.items() if name not in of_the_shell} == expected


def test_workspace_variables_do_not_override_those_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    variables = [VariableValue(name, "mine") for name in ("LANG", "TF_PLUGIN_CACHE_DIR", "TF_WORKSPACE", "TF_INPUT")]
    settings = OperatorSettings(plugin_cache=Path("/cache"), cli_config=Path("/cli.tfrc"))
    environment = run_environment(RUN, home=Path("/h"), settings=settings, variables=variables)
    assert environment["LANG"] == environment["TF_PLUGIN_CACHE_DIR"] == "mine"
    assert environment["TF_CLI_CONFIG_FILE"] == "/cli.tfrc"
    assert OF_THE_RUN.items() <= environment.items()


def test_command_whose_output_is_parsed_gets_no_extra_arguments() -> None:
    environment = {"TF_CLI_ARGS": "-x", "TF_CLI_ARGS_show": "-y", "TF_LOG": "TRACE", "TF_WORKSPACE": "network"}
    assert without_output_options(environment) == {"TF_WORKSPACE": "network"}


def test_debugging_mode_logs_the_trace_and_keeps_the_plan_readable(bench: Bench) -> None:
    bench.given('resource "terraform_data" "a" {}', debugging_mode=True)
    assert bench.planned().has_changes
    assert "[TRACE]" in bench.plan_log.read_text()


def test_terraform_workspace_is_the_name_of_the_workspace(bench: Bench) -> None:
    bench.given('output "w" { value = terraform.workspace }', run=RUN)
    state = bench.applied().state
    assert state is not None
    assert outputs_of(state)["w"] == "network"


def test_workspace_can_be_named_default(bench: Bench) -> None:
    bench.given('output "w" { value = terraform.workspace }', run=RunIdentity("run-1", "default", "acme"))
    first = bench.applied().state
    assert first is not None
    assert outputs_of(first)["w"] == "default"
    assert bench.planned().has_changes is False


def test_operator_paths_are_resolved_and_the_cache_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = OperatorSettings(plugin_cache=Path("cache"), cli_config=Path("rc")).prepared()
    monkeypatch.chdir("/")
    environment = run_environment(RUN, home=Path("/h"), settings=settings)
    assert environment["TF_PLUGIN_CACHE_DIR"] == str(tmp_path / "cache")
    assert environment["TF_CLI_CONFIG_FILE"] == str(tmp_path / "rc")
    assert (tmp_path / "cache").is_dir()
    assert OperatorSettings().prepared() == OperatorSettings()
