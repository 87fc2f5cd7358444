"""`tfruns workspace` and `tfruns config`, on the local backend."""

import json
import shlex
from itertools import count
from pathlib import Path

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tests.support.command import Shell
from tests.support.local_server import LocalServer
from tests.support.results import Step
from tfruns.cli.options import CommonOptions

_numbers = count(1)
CONFIGURATION = 'resource "terraform_data" "one" {}\n'


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WorkspaceResult(Strict):
    """The JSON result of `workspace show` and `workspace create`."""

    id: str
    name: str
    organization: str
    current_run: str | None = None
    status: str | None = None
    locked: bool
    locked_by: str | None = None
    locked_since: AwareDatetime | None = None
    locked_reason: str | None = None
    auto_apply: bool
    execution_mode: str
    terraform: str
    working_directory: str | None = None
    resources: int
    configuration_version_id: str | None = None
    state_version_id: str | None = None
    created_at: AwareDatetime
    permissions: list[str]


class WorkspaceRow(Strict):
    id: str
    name: str
    current_run: str | None = None
    status: str | None = None
    needs_person: bool | None = None
    locked_by: str | None = None
    auto_apply: bool | None = None
    terraform: str
    resources: int


class WorkspacesResult(Strict):
    """The JSON result of `workspace list`."""

    workspaces: list[WorkspaceRow]
    organization: str
    page: int
    next_page: int | None
    total_count: int


class UploadResult(Strict):
    """The JSON result of `config upload`."""

    configuration_version_id: str
    workspace_id: str
    status: str
    files: int
    bytes: int
    packed_bytes: int
    excluded: dict[str, int] = Field(default_factory=dict)
    names: list[str]
    excluded_likely_secrets: list[str] = Field(default_factory=list)
    variable_files_uploaded: list[str] = Field(default_factory=list)
    follows: str = ""
    next_actions: list[Step]
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


def test_create_sets_the_settings_of_a_workspace(shell: Shell) -> None:
    settings = ["--auto-apply", "--working-directory", "net", "--tag", "team=core", "--tag", "prod"]
    created = WorkspaceResult.model_validate(shell("workspace", "create", "with-settings", *settings, "--json").json)
    assert (created.name, created.organization) == ("with-settings", "default")
    assert (created.auto_apply, created.working_directory) == (True, "net")
    assert "apply" in created.permissions
    shown = WorkspaceResult.model_validate(shell("workspace", "show", "with-settings", "--json").json)
    assert shown == created


def test_create_is_recorded_in_the_audit_log(shell: Shell, name: str) -> None:
    begun, ended = audit_of(shell)
    assert (begun["event"], begun["tool"], begun["confirmed"]) == ("begun", "save_workspace", "none")
    assert begun["arguments"] == {"workspace_id": f"default/{name}", "create": True}
    assert (ended["event"], ended["outcome"], ended["id"]) == ("ended", "accepted", begun["id"])


def test_create_is_refused_if_the_audit_log_cannot_be_written(shell: Shell) -> None:
    done = shell("workspace", "create", "unwritten", code=1, TFRUNS_AUDIT_FILE=str(shell.directory))
    assert f"The audit log {shell.directory} cannot be written: Is a directory." in done.err
    assert shell("workspace", "show", "unwritten", "--json", code=1).json["error"] == "not_found"


def test_create_refuses_taken_and_invalid_names(shell: Shell, name: str) -> None:
    taken = shell("workspace", "create", name, code=1)
    assert taken.err.startswith(f"Error: The workspace default/{name} already exists.\n")
    assert "The workspace name is invalid" in shell("workspace", "create", "no spaces", code=2).err
    assert "no key" in shell("workspace", "create", "fine", "--tag", "=x", code=2).err


def test_list_prints_tab_separated_lines_or_json(shell: Shell, name: str) -> None:
    (line,) = shell("workspace", "list", "--search", name).out.splitlines()
    assert line.split("\t")[0] == name
    result = WorkspacesResult.model_validate(shell("workspace", "list", "--search", name, "--json").json)
    assert result.workspaces[0].name == name


def test_list_names_the_option_for_the_next_page(shell: Shell, name: str) -> None:
    shell("workspace", "create", f"{name}-too")
    assert "More: --page 2" in shell("workspace", "list", "--page-size", "1").err


def test_show_takes_a_name_or_tf_workspace(shell: Shell, name: str) -> None:
    by_name = shell("workspace", "show", f"default/{name}").out
    assert f"name            {name}" in by_name
    assert shell("workspace", "show", TF_WORKSPACE=name).out == by_name


def test_missing_workspace_error_explains_how_to_set_one(shell: Shell) -> None:
    done = shell("workspace", "show", "--json", code=2)
    assert done.json["error"] == "invalid_input"
    assert "TF_WORKSPACE" in done.err


def test_upload_starts_no_run(shell: Shell, name: str) -> None:
    (shell.directory / "main.tf").write_text(CONFIGURATION)
    (shell.directory / "terraform.tfstate").write_text("{}")
    result = UploadResult.model_validate(shell("config", "upload", "--workspace", name, "--json").json)
    assert (result.status, result.files) == ("uploaded", 1)
    assert sum(result.excluded.values()) == 1
    assert "current_run" not in shell("workspace", "show", name, "--json").json


def test_likely_secrets_are_uploaded_only_with_include(shell: Shell, name: str) -> None:
    (shell.directory / "main.tf").write_text(CONFIGURATION)
    (shell.directory / "terraform.tfvars").write_text("")
    (shell.directory / ".env").write_text("A=1")
    upload = ("config", "upload", "--workspace", name, "--json")
    result = UploadResult.model_validate(shell(*upload).json)
    assert (result.names, result.excluded_likely_secrets) == (["main.tf", "terraform.tfvars"], [".env"])
    assert result.variable_files_uploaded == ["terraform.tfvars"]
    result = UploadResult.model_validate(shell(*upload, "--include", ".env").json)
    assert (result.names, result.excluded_likely_secrets) == ([".env", "main.tf", "terraform.tfvars"], [])


def test_upload_prints_a_working_command_for_the_next_step(shell: Shell, name: str) -> None:
    (shell.directory / "net").mkdir()
    (shell.directory / "net" / "main.tf").write_text(CONFIGURATION)
    done = shell("config", "upload", "net", "-w", name)
    assert "status                    uploaded" in done.out
    following = shlex.split(done.err.partition("`tfruns ")[2].partition("`")[0])
    assert following[:3] == ["run", "create", "--workspace"]
    assert "run-" in shell(*following).out


def test_api_options_select_the_same_backend() -> None:
    assert CommonOptions(local=True, data_dir=Path("a b")).api_options() == ["--local", "--data-dir", "a b"]
    assert CommonOptions(local=True).api_options() == ["--local"]
    assert CommonOptions(profile="work").api_options() == ["--profile", "work"]
    assert CommonOptions().api_options() == []


def test_empty_list_prints_a_message(shell: Shell) -> None:
    assert "No workspace matches." in shell("workspace", "list", "--search", "no-such-one").err


@pytest.mark.parametrize("arguments", [("run", "list", "-w", "default/x"), ("mcp",)])
def test_data_dir_without_local_is_refused(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert "--data-dir requires --local." in shell(*arguments, "--data-dir", "x", code=None).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("workspace", "list", "--page-size", "1000"), "--page-size must be between 1 and 100."),
        (("run", "show", "nonsense"), "RUN is not a run id."),
        (("run", "logs", "run-CZcmD7eagjhyX0vN", "--tail", "5000"), "--tail must be between 1 and 1000."),
    ],
)
def test_refusal_names_options_instead_of_arguments(shell: Shell, arguments: tuple[str, ...], message: str) -> None:
    assert message in shell(*arguments, code=2).err


@pytest.mark.parametrize(("directory", "words"), [("missing", "not a directory"), (".", "no Terraform configuration")])
def test_upload_refuses_a_directory_without_configuration(shell: Shell, name: str, directory: str, words: str) -> None:
    assert words in shell("config", "upload", directory, "-w", name, code=2).err


def test_local_needs_no_settings(tmp_path: Path, server: LocalServer) -> None:
    data_dir = str(server.data_dir)
    shell = Shell(tmp_path / "elsewhere", {"TF_CLOUD_ORGANIZATION": "of-another-api"})
    (shell.directory / "main.tf").write_text('terraform {\n  cloud {\n    organization = "acme"\n  }\n}\n')
    done = shell("workspace", "list", "--local", "--data-dir", data_dir, "--json")
    WorkspacesResult.model_validate(done.json)


def test_lock_keeps_its_reason_until_the_unlock(shell: Shell, name: str) -> None:
    locked = shell("workspace", "lock", name, "--reason", "Maintenance", "--json").json
    assert (locked["locked"], locked["reason"]) == (True, "Maintenance")
    shown = WorkspaceResult.model_validate(shell("workspace", "show", name, "--json").json)
    assert (shown.locked, shown.locked_reason) == (True, "Maintenance")
    assert "already locked" in shell("workspace", "lock", name, code=1).err
    assert "locked     no\n" in shell("workspace", "unlock", name).out


def test_forced_unlock_needs_a_terminal_or_yes(shell: Shell, name: str) -> None:
    shell("workspace", "lock", name)
    done = shell("workspace", "unlock", name, "--force", "--json", code=10)
    assert done.json["error"] == "confirmation_needed"
    assert shell("workspace", "unlock", name, "--force", "--yes", "--json").json["locked"] is False


def test_update_changes_only_the_given_settings(shell: Shell, name: str) -> None:
    changed = shell("workspace", "update", name, "--auto-apply", "--description", "The network", "--json").json
    assert (changed["auto_apply"], changed["description"]) == (True, "The network")
    changed = shell("workspace", "update", name, "--no-auto-apply", "--name", f"{name}-b", "--json").json
    assert (changed["auto_apply"], changed["description"], changed["name"]) == (False, "The network", f"{name}-b")
    assert "nothing to change" in shell("workspace", "update", f"{name}-b", code=2).err


def test_delete_needs_a_name_and_a_confirmation(shell: Shell, name: str) -> None:
    assert shell("workspace", "delete", name, "--json", code=10).json["error"] == "confirmation_needed"
    assert shell("workspace", "delete", "--yes", code=2, TF_WORKSPACE=name).out == ""
    assert f"Deleted {name}." in shell("workspace", "delete", name, "--yes").err
    assert shell("workspace", "show", name, "--json", code=1).json["error"] == "not_found"


def test_variable_is_set_from_an_option_or_a_pipe_and_deleted(shell: Shell, name: str) -> None:
    where = ("--workspace", name)
    done = shell("variable", "set", "region", "--value", "eu-west-1", *where)
    assert "created" in done.out
    assert "everyone who can read" in done.err
    secret = "p1ped-secret"
    done = shell("variable", "set", "token", "--sensitive", "--category", "env", *where, "--json", stdin=f"{secret}\n")
    assert (done.json["sensitive"], done.json["change"]) == (True, "created")
    shell("variable", "set", "token", "--category", "env", "--keep-value", "--description", "For CI", *where)
    rows = shell("variable", "list", *where).rows
    assert [row[:3] for row in rows] == [["region", "eu-west-1", "terraform"], ["token", "(sensitive value)", "env"]]
    audit = (shell.home / ".local" / "state" / "tfruns" / "audit.jsonl").read_text()
    assert secret not in audit
    assert "eu-west-1" not in audit
    assert shell("variable", "delete", "region", *where, code=10).out == ""
    assert "deleted" in shell("variable", "delete", "region", "--yes", *where).out
    shell("variable", "set", "size", "--value", "2", *where)
    err = " ".join(shell("variable", "delete", "region", "--yes", *where, code=1).err.split())
    assert "has no terraform variable region. There are: size." in err


def test_rollback_of_an_unlocked_workspace_names_the_command(shell: Shell, name: str) -> None:
    done = shell("state", "rollback", "sv-bWfq4Y1YpRKW4mx7", "--workspace", name, code=1)
    assert "has no such state version. This workspace has none." in " ".join(done.err.split())


def test_dry_run_lists_files_and_rules_and_sends_nothing(shell: Shell) -> None:
    for path, text in {
        "main.tf": CONFIGURATION,
        ".terraformignore": "*.log\n",
        "a.log": "",
        ".env": "A=1",
        "terraform.tfstate": "{}",
    }.items():
        (shell.directory / path).write_text(text)
    done = shell("config", "upload", "--dry-run", TFE_ADDRESS="http://127.0.0.1:1")
    assert done.rows == [
        ["yes", "6", ".terraformignore", ""],
        ["yes", str(len(CONFIGURATION)), "main.tf", ""],
        ["no", "", ".env", "likely contains secrets; --include uploads it"],
        ["no", "", "a.log", ".terraformignore:1: *.log"],
        ["no", "", "terraform.tfstate", "file of Terraform itself"],
    ]
    assert "2 files, 41 bytes;" in done.err
    assert "Nothing was sent." in done.err
    shown = shell("config", "upload", "--dry-run", "--include", ".env", "--json").json
    assert [row["path"] for row in shown["rows"] if row["upload"]] == [".env", ".terraformignore", "main.tf"]
    (shell.directory / "main.tf").unlink()
    assert "would be refused" in shell("config", "upload", "--dry-run").err
