"""`tfruns login` and `tfruns logout` with the local backend; the token comes from standard input or a terminal."""

import fcntl
import json
import os
import pty
import select
import stat
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from tests.support.command import PATIENCE_S, Shell
from tests.support.http_api import HttpApi
from tests.support.local_server import LocalServer
from tests.support.stdio import tfruns


class LoginResult(BaseModel):
    """The JSON result of `login`."""

    model_config = ConfigDict(extra="forbid")
    address: str
    user: str
    kind: str
    file: str


@pytest.fixture
def shell(server: LocalServer, tmp_path: Path) -> Shell:
    return Shell(tmp_path / "here", {"TFE_ADDRESS": server.url, "TF_CLOUD_ORGANIZATION": "default"})


def stored(shell: Shell) -> Path:
    return shell.home / ".terraform.d" / "credentials.tfrc.json"


def host_of(server: LocalServer) -> str:
    return server.url.removeprefix("http://")


def write(shell: Shell, document: Any) -> None:
    stored(shell).parent.mkdir(exist_ok=True)
    stored(shell).write_text(document if isinstance(document, str) else json.dumps(document))


def test_login_stores_the_token_readable_by_its_owner_only(shell: Shell, server: LocalServer) -> None:
    assert shell("workspace", "list", "--json", code=1).json["error"] == "no_credentials"
    done = shell("login", "--token-stdin", "--json", stdin=f"{server.token}\n")
    result = LoginResult.model_validate(done.json)
    assert (result.address, result.file, result.kind) == (server.url, str(stored(shell)), "user")
    assert stat.S_IMODE(stored(shell).stat().st_mode) == 0o600
    assert json.loads(stored(shell).read_text()) == {"credentials": {host_of(server): {"token": server.token}}}
    assert server.token not in done.out + done.err
    shell("workspace", "list")


def test_login_keeps_the_other_content_of_the_file(shell: Shell, server: LocalServer) -> None:
    other = {"token": "other", "later": 1}
    write(shell, {"credentials": {"x.example.com": other, host_of(server): {"token": "old", "b": 2}}, "more": [1]})
    stored(shell).chmod(0o644)
    shell("login", "--token-stdin", stdin=server.token)
    assert json.loads(stored(shell).read_text()) == {
        "credentials": {"x.example.com": other, host_of(server): {"token": server.token, "b": 2}},
        "more": [1],
    }
    assert stat.S_IMODE(stored(shell).stat().st_mode) == 0o600
    assert [path.name for path in stored(shell).parent.iterdir()] == ["credentials.tfrc.json"]


@pytest.mark.parametrize("text", ['{"credentials": ', "[]", '{"credentials": 3}'])
def test_login_does_not_change_a_malformed_file(shell: Shell, server: LocalServer, text: str) -> None:
    write(shell, text)
    assert "cannot be parsed" in shell("login", "--token-stdin", stdin=server.token, code=2).err
    assert stored(shell).read_text() == text


@pytest.mark.parametrize(
    "token", ["", "  \n", "two words", '"quoted-token-123"', "short", "token = abcdefgh", "é" * 20]
)
def test_login_refuses_a_malformed_token(shell: Shell, token: str) -> None:
    done = shell("login", "--token-stdin", stdin=token, code=2)
    assert "Nothing was stored" in done.err
    assert not stored(shell).exists()
    assert not token.strip() or token not in done.err


def test_login_does_not_store_a_token_that_the_api_refuses(shell: Shell) -> None:
    done = shell("login", "--token-stdin", "--json", stdin="wrong.atlasv1.tokenOfNobody", code=1)
    assert done.json["error"] == "unauthorized"
    assert "/app/settings/tokens?source=terraform-login" in done.json["solution"]
    assert "tokenOfNobody" not in done.out + done.err
    assert not stored(shell).exists()


def test_login_without_a_terminal_suggests_token_stdin(shell: Shell) -> None:
    assert "--token-stdin" in shell("login", code=2).err


def test_login_has_no_option_for_the_token(shell: Shell) -> None:
    assert shell("login", "--token", "abc", code=2).out == ""


def test_login_warns_if_another_token_takes_precedence(shell: Shell, server: LocalServer) -> None:
    done = shell("login", "--token-stdin", stdin=server.token, TFE_TOKEN="another-token-of-mine")
    assert "the token from TFE_TOKEN takes precedence over it" in done.err


def test_logout_removes_only_the_token_of_the_host(shell: Shell, server: LocalServer) -> None:
    write(shell, {"credentials": {"x.example.com": {"token": "other"}, host_of(server): {"token": "mine"}}})
    assert shell("logout", "--json").json == {"address": server.url, "removed": True, "file": str(stored(shell))}
    assert json.loads(stored(shell).read_text()) == {"credentials": {"x.example.com": {"token": "other"}}}
    assert "No token" in shell("logout").err


@pytest.mark.parametrize("command", [["login", "--token-stdin", "--json"], ["logout", "--json"]])
def test_cloud_block_does_not_decide_where_a_token_is_sent(
    shell: Shell, server: LocalServer, command: list[str]
) -> None:
    """The `cloud` block of a hostile repository names a host of its author."""
    with HttpApi() as hostile:
        (shell.directory / "main.tf").write_text(
            f'terraform {{\n  cloud {{\n    organization = "a"\n    hostname = "{hostile.hostname}"\n  }}\n}}\n'
        )
        done = shell(*command, stdin=server.token, TF_CLOUD_HOSTNAME=hostile.hostname)
        assert done.json["address"] == server.url
        assert hostile.requests == []
    assert hostile.hostname not in (stored(shell).read_text() if stored(shell).exists() else "")


def test_login_without_tfe_address_is_for_hcp_terraform(shell: Shell) -> None:
    (shell.directory / "main.tf").write_text('terraform {\n  cloud {\n    hostname = "localhost:1"\n  }\n}\n')
    done = shell("login", code=2, TFE_ADDRESS="", TF_CLOUD_HOSTNAME="localhost:1")
    assert "localhost" not in done.out + done.err
    assert shell("logout", "--json", TFE_ADDRESS="").json["address"] == "https://app.terraform.io"


def test_login_over_plain_http_to_another_machine_is_refused(shell: Shell) -> None:
    assert "unencrypted" in shell("login", "http://tfe.example.com", "--token-stdin", stdin="a-token-1234", code=2).err


def typed(shell: Shell, *arguments: str, text: str) -> tuple[int, str]:
    """The exit code and the terminal output of a command after a text is typed at its question."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [tfruns(), *arguments],
        cwd=shell.directory,
        env=shell.env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no thread runs here
    )
    os.close(theirs)
    shown, is_typed, deadline = b"", False, time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            shown += part
            if b"not shown" in shown and not is_typed:
                os.write(ours, text.encode())
                is_typed = True
        return process.wait(PATIENCE_S), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_login_in_a_terminal_never_shows_the_token(shell: Shell, server: LocalServer) -> None:
    code, shown = typed(shell, "login", text=f"{server.token}\n")
    assert code == 0, shown
    assert "The token of a local backend is in the file `token` of its data directory." in shown.replace("\r\n", "")
    assert server.token not in shown
    assert stored(shell).exists()


def test_ctrl_c_at_the_question_stores_nothing(shell: Shell) -> None:
    code, shown = typed(shell, "login", text="\x03")
    assert code == 130, shown
    assert "Traceback" not in shown
    assert not stored(shell).exists()


def test_login_at_the_local_backend_uses_its_token(shell: Shell, server: LocalServer) -> None:
    done = shell("login", server.url, "--json", TFRUNS_DATA_DIR=str(server.data_dir))
    assert LoginResult.model_validate(done.json).address == server.url
    assert json.loads(stored(shell).read_text()) == {"credentials": {host_of(server): {"token": server.token}}}


def test_login_at_another_local_backend_tells_where_its_token_is(shell: Shell, server: LocalServer) -> None:
    done = shell("login", server.url, code=2)
    assert "The token of a local backend is in the file `token` of its data directory." in done.err
    assert not stored(shell).exists()
