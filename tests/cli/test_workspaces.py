"""`tfruns workspace` and `tfruns config`, on the local backend."""

import json
from itertools import count
from pathlib import Path

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tests.support.command import Shell
from tests.support.local_server import LocalServer
from tfruns.cli.options import Options

_numbers = count(1)
CONFIGURATION = 'resource "terraform_data" "one" {}\n'


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WorkspaceResult(Strict):
    """What `workspace show` and `workspace create` say to a program."""

    id: str
    name: str
    organization: str
    current_run: str | None = None
    status: str | None = None
    locked: bool
    locked_by: str | None = None
    locked_reason: str | None = None
    auto_apply: bool
    execution_mode: str
    terraform: str
    working_directory: str | None = None
    resources: int
    created_at: AwareDatetime
    may: list[str]


class WorkspaceRow(Strict):
    id: str
    name: str
    current_run: str | None = None
    status: str | None = None
    locked_by: str | None = None
    auto_apply: bool | None = None
    terraform: str
    resources: int


class WorkspacesResult(Strict):
    """What `workspace list` says to a program."""

    workspaces: list[WorkspaceRow]
    page: int
    next_page: int | None
    total_count: int


class UploadResult(Strict):
    """What `config upload` says to a program."""

    configuration_version_id: str
    workspace_id: str
    status: str
    files: int
    bytes: int
    packed_bytes: int
    left_out: dict[str, int] = Field(default_factory=dict)
    names: list[str]
    likely_secrets_left_out: list[str] = Field(default_factory=list)
    variable_files_uploaded: list[str] = Field(default_factory=list)
    next: str
    note: str | None = None


@pytest.fixture
def name(shell: Shell) -> str:
    """A new workspace."""
    made = f"made-{next(_numbers)}"
    shell("workspace", "create", made)
    return made


def audit_of(shell: Shell) -> list[dict[str, object]]:
    text = (shell.home / ".local" / "state" / "tfruns" / "audit.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_workspace_is_created_with_its_settings(shell: Shell) -> None:
    settings = ["--auto-apply", "--working-directory", "net", "--tag", "team=core", "--tag", "prod"]
    created = WorkspaceResult.model_validate(shell("workspace", "create", "with-settings", *settings, "--json").json)
    assert (created.name, created.organization) == ("with-settings", "default")
    assert (created.auto_apply, created.working_directory) == (True, "net")
    assert "apply" in created.may
    shown = WorkspaceResult.model_validate(shell("workspace", "show", "with-settings", "--json").json)
    assert shown == created


def test_what_is_created_is_written_down_before_and_after(shell: Shell, name: str) -> None:
    begun, ended = audit_of(shell)
    assert (begun["event"], begun["tool"], begun["confirmed"]) == ("begun", "create_workspace", "none")
    assert begun["arguments"] == {"organization": "default", "name": name}
    assert (ended["event"], ended["outcome"], ended["id"]) == ("ended", "accepted", begun["id"])


def test_nothing_is_created_that_cannot_be_written_down(shell: Shell) -> None:
    done = shell("workspace", "create", "unwritten", code=1, TFRUNS_AUDIT_FILE=str(shell.directory))
    assert "audit log cannot be written" in done.err
    assert shell("workspace", "show", "unwritten", "--json", code=1).json["error"] == "not_found"


def test_a_name_that_is_taken_is_refused_and_so_is_one_that_cannot_be(shell: Shell, name: str) -> None:
    assert "already been taken" in shell("workspace", "create", name, code=1).err
    assert "The workspace name is invalid" in shell("workspace", "create", "no spaces", code=2).err
    assert "no key" in shell("workspace", "create", "fine", "--tag", "=x", code=2).err


def test_workspaces_are_listed_as_lines_with_tabs_or_as_a_document(shell: Shell, name: str) -> None:
    (line,) = shell("workspace", "list", "--search", name).out.splitlines()
    assert line.split("\t")[0] == name
    result = WorkspacesResult.model_validate(shell("workspace", "list", "--search", name, "--json").json)
    assert result.workspaces[0].name == name


def test_a_list_says_where_it_goes_on(shell: Shell, name: str) -> None:
    shell("workspace", "create", f"{name}-too")
    assert "More: --page 2" in shell("workspace", "list", "--page-size", "1").err


def test_a_workspace_is_shown_by_name_and_as_that_of_the_environment(shell: Shell, name: str) -> None:
    by_name = shell("workspace", "show", f"default/{name}").out
    assert f"name            {name}" in by_name
    assert shell("workspace", "show", TF_WORKSPACE=name).out == by_name


def test_without_any_name_the_command_says_how_to_give_one(shell: Shell) -> None:
    done = shell("workspace", "show", "--json", code=2)
    assert done.json["error"] == "invalid_input"
    assert "TF_WORKSPACE" in done.err


def test_a_directory_is_uploaded_and_starts_no_run(shell: Shell, name: str) -> None:
    (shell.directory / "main.tf").write_text(CONFIGURATION)
    (shell.directory / "terraform.tfstate").write_text("{}")
    result = UploadResult.model_validate(shell("config", "upload", "--workspace", name, "--json").json)
    assert (result.status, result.files) == ("uploaded", 1)
    assert sum(result.left_out.values()) == 1
    assert "current_run" not in shell("workspace", "show", name, "--json").json


def test_likely_secrets_are_uploaded_only_if_they_are_included(shell: Shell, name: str) -> None:
    (shell.directory / "main.tf").write_text(CONFIGURATION)
    (shell.directory / "terraform.tfvars").write_text("")
    (shell.directory / ".env").write_text("A=1")
    upload = ("config", "upload", "--workspace", name, "--json")
    result = UploadResult.model_validate(shell(*upload).json)
    assert (result.names, result.likely_secrets_left_out) == (["main.tf", "terraform.tfvars"], [".env"])
    assert result.variable_files_uploaded == ["terraform.tfvars"]
    result = UploadResult.model_validate(shell(*upload, "--include", ".env").json)
    assert (result.names, result.likely_secrets_left_out) == ([".env", "main.tf", "terraform.tfvars"], [])


def test_a_directory_is_named_relative_to_where_one_is(shell: Shell, name: str) -> None:
    (shell.directory / "net").mkdir()
    (shell.directory / "net" / "main.tf").write_text(CONFIGURATION)
    done = shell("config", "upload", "net", "-w", name)
    assert "status                    uploaded" in done.out
    following = done.err.partition("Next: tfruns ")[2].split()
    assert following[:3] == ["run", "create", "--workspace"]
    assert "run-" in shell(*following).out


def test_the_command_that_follows_asks_the_same_backend() -> None:
    assert Options(local=True, data_dir=Path("a b")).where() == ["--local", "--data-dir", "a b"]
    assert Options(local=True).where() == ["--local"]
    assert Options().where() == []


def test_that_there_is_no_workspace_is_said(shell: Shell) -> None:
    assert "No workspace matches." in shell("workspace", "list", "--search", "no-such-one").err


@pytest.mark.parametrize("arguments", [("run", "list", "-w", "default/x"), ("mcp",)])
def test_a_data_directory_without_the_local_backend_is_refused(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert "--data-dir is for --local." in shell(*arguments, "--data-dir", "x", code=None).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("workspace", "list", "--page-size", "1000"), "--page-size must be between 1 and 100."),
        (("run", "show", "nonsense"), "RUN is not a run id."),
        (("run", "logs", "run-CZcmD7eagjhyX0vN", "--tail", "5000"), "--tail must be between 1 and 1000."),
    ],
)
def test_a_refusal_speaks_of_options(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert said in shell(*arguments, code=2).err


@pytest.mark.parametrize(("directory", "words"), [("missing", "no directory"), (".", "no Terraform configuration")])
def test_what_cannot_be_uploaded_is_refused_in_words(shell: Shell, name: str, directory: str, words: str) -> None:
    assert words in shell("config", "upload", directory, "-w", name, code=2).err


def test_local_needs_no_settings_at_all(tmp_path: Path, server: LocalServer) -> None:
    data_dir = str(server.data_dir)
    shell = Shell(tmp_path / "elsewhere", {"TF_CLOUD_ORGANIZATION": "of-another-api"})
    (shell.directory / "main.tf").write_text('terraform {\n  cloud {\n    organization = "acme"\n  }\n}\n')
    done = shell("workspace", "list", "--local", "--data-dir", data_dir, "--json")
    WorkspacesResult.model_validate(done.json)
