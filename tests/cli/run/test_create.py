"""`tfruns run create`: options, variables and confirmation."""

from pathlib import Path

import pytest

from tests.cli.run.configurations import CHANGES
from tests.cli.run.conftest import Command, Open
from tests.support import samples
from tests.support.api import answer
from tests.support.command import Shell
from tests.support.http_api import HttpApi
from tests.support.local_lab import Lab
from tests.support.results import Failure, RunResult
from tfruns.wire.base import to_kebab
from tfruns.wire.run_params import RunParams

_FIRST = (
    *("--message", "Why", "--refresh-only", "--no-refresh", "--auto-apply", "--save-plan", "--allow-empty-apply"),
    *("--allow-config-generation", "--debugging-mode", "--target", "a.b", "--target", "c.d", "--replace", "a.b"),
    *("--var", "n=[1, 2]", "--var-string", 't=a "text"', "--policy-path", "p", "--invoke-action", "x.y"),
    *("--configuration-version", "cv-n4XQPBa2QnecZJ4G", "--yes"),
)
_SECOND = ("--plan-only", "--destroy", "--terraform-version", "1.9.0")
_SENT = {
    "message": "Why",
    "refresh-only": True,
    "refresh": False,
    "auto-apply": True,
    "save-plan": True,
    "allow-empty-apply": True,
    "allow-config-generation": True,
    "debugging-mode": True,
    "target-addrs": ["a.b", "c.d"],
    "replace-addrs": ["a.b"],
    "variables": [{"key": "n", "value": "[1, 2]"}, {"key": "t", "value": '"a \\"text\\""'}],
    "policy-paths": ["p"],
    "invoke-action-addrs": ["x.y"],
}


@pytest.mark.processes
def test_create_sends_exactly_the_given_options(tmp_path: Path) -> None:
    with HttpApi() as api:
        api.on("POST", "/runs", answer({"data": samples.run()}, 201))
        api.on("GET", f"/runs/{samples.RUN_ID}", answer({"data": samples.run()}))
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        for options in (_FIRST, _SECOND):
            shell("run", "create", "-w", samples.WORKSPACE_ID, *options)
        first, second = (request.body["data"] for request in api.sent("POST", "/runs"))
    assert first["attributes"] == _SENT
    assert first["relationships"]["configuration-version"]["data"]["id"] == "cv-n4XQPBa2QnecZJ4G"
    assert second["attributes"] == {
        "plan-only": True,
        "is-destroy": True,
        "terraform-version": "1.9.0",
        "auto-apply": False,
    }
    sent = {*first["attributes"], *second["attributes"], "configuration-version-id"}
    assert sent == {to_kebab(name) for name in RunParams.model_fields}


async def test_create_prints_the_new_run(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    ended = tfruns_run("create", "-w", workspace, "--message", "more", "--var", 'revision="7"', "--json")
    assert ended.code == 0, ended.err
    created = RunResult.model_validate(ended.json)
    assert created.variables == ["revision"]
    assert RunResult.model_validate(tfruns_run("show", created.id, "--json").json).message == "more"


async def test_create_disables_auto_apply_by_default(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES, **{"auto-apply": True})
    assert tfruns_run("create", "-w", workspace, "--wait").code == 10
    assert tfruns_run("create", "-w", workspace, "--wait", "--yes", "--timeout", "1").code == 30, (
        "it waits behind the first run"
    )


async def test_create_uploads_and_plans_a_directory(lab: Lab, tfruns_run: Command, shell: Shell) -> None:
    workspace = await lab.workspace()
    directory = shell.directory / "configuration"
    directory.mkdir()
    (directory / "main.tf").write_text(CHANGES)
    ended = tfruns_run("create", "-w", workspace, "--directory", "configuration", "--wait")
    assert ended.code == 10, ended.err
    assert "Uploaded 1 file from configuration as cv-" in ended.err


@pytest.mark.parametrize("option", ["--auto-apply", "--destroy"])
async def test_create_asks_before_auto_apply_and_destroy(
    lab: Lab, tfruns_run: Command, terminal: Open, option: str
) -> None:
    workspace = await lab.workspace(CHANGES)
    assert tfruns_run("create", "-w", workspace, option).code == 10
    refused = tfruns_run("create", "-w", workspace, option, "--directory", ".")
    assert (refused.code, "Uploaded" in refused.err) == (10, False), "the message claims that nothing was sent"
    shown = terminal("create", "-w", workspace, option)
    shown.expect("to confirm")
    shown.press("no\n")
    assert shown.end() == 10
    assert not (await lab.client.runs.list_for_workspace(workspace).page()).items
    shown = terminal("create", "-w", workspace, option)
    shown.expect("to confirm")
    shown.press("yes\n")
    assert shown.end() == 0
    assert len((await lab.client.runs.list_for_workspace(workspace).page()).items) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--var", "size=[big"), "--var-string KEY=TEXT"),
        (("--var", "size"), "KEY=VALUE"),
        (("--var", "9=1"), "A name consists of letters"),
        (("--var", "a=1", "--var-string", "a=x"), "given twice"),
        (("--terraform-version", "1.9.0"), "--terraform-version requires --plan-only."),
        (("--destroy", "--refresh-only", "--yes"), "cannot be used together"),
        (("--directory", "nowhere"), "not a directory"),
        (("--directory", ".", "--configuration-version", "cv-1"), "cannot be used together"),
        (("--timeout", "5"), "--timeout requires --wait"),
        (("--timeout", "soon", "--wait"), "timeout"),
    ],
)
async def test_create_refuses_invalid_input(
    lab: Lab, tfruns_run: Command, arguments: tuple[str, ...], message: str
) -> None:
    workspace = await lab.workspace(CHANGES)
    ended = tfruns_run("create", "-w", workspace, *arguments)
    assert ended.code == 2
    assert message in (ended.err + ended.out)
    assert "big" not in ended.err, "a value may be a secret"
    assert not (await lab.client.runs.list_for_workspace(workspace).page()).items


async def test_create_prints_errors_as_json(lab: Lab, tfruns_run: Command) -> None:
    ended = tfruns_run("create", "-w", "default/nowhere", "--json")
    assert (ended.code, Failure.model_validate(ended.json).error) == (1, "not_found")


async def test_variables_of_files_environment_and_command_line_reach_terraform(
    lab: Lab, tfruns_run: Command, shell: Shell
) -> None:
    workspace = await lab.workspace("")
    names = ("a", "b", "c", "d")
    declared = "".join(f'variable "{name}" {{ type = string }}\n' for name in names)
    outputs = "".join(f'output "{name}" {{ value = var.{name} }}\n' for name in names)
    (shell.directory / "main.tf").write_text(declared + outputs)
    (shell.directory / "own.tfvars").write_text('b = "of file"\nc = "of file"\n')
    environment = {"TF_VAR_a": "of environment", "TF_VAR_b": "overridden", "TF_VAR_other": "x"}
    given = ("--directory", ".", "--var-file", "own.tfvars", "--var", "c=eu-west-1", "--var", "d=1.10")
    created = tfruns_run("create", "-w", workspace, *given, "--wait", "--json", **environment)
    assert created.code == 10, created
    rows = tfruns_run("review", created.json["id"]).rows
    values = {row[2].removeprefix("output."): row[5] for row in rows}
    assert values == {
        "a": 'value: "of environment"', "b": 'value: "of file"', "c": 'value: "eu-west-1"', "d": 'value: "1.10"',
    }  # fmt: skip
