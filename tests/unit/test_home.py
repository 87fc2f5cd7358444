"""A process without a home directory: a container user without a passwd entry, and HOME unset."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tfruns.client.client import Client
from tfruns.client.credentials import credentials_file
from tfruns.errors import AuditFailed, InvalidInput, NoCredentials
from tfruns.gate.audit import AuditLog, audit_file
from tfruns.home import user_path
from tfruns.local.data_dir import DataDirectory

TOKEN = "fakeTokenOfTheEnvironment"


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Without a home, `os.path.expanduser` keeps `~`, and `Path.expanduser` raises."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setattr(Path, "home", lambda: Path("~").expanduser())
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []  # nothing was written to a directory named ~


async def test_token_in_the_environment_suffices_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFE_TOKEN", TOKEN)
    found = Client().settings.credentials.token
    assert found is not None
    assert (found.text, found.source) == (TOKEN, "TFE_TOKEN")
    explicit = Client(token="fakeTokenGiven").settings.credentials.token
    assert explicit is not None
    assert explicit.text == "fakeTokenGiven"


async def test_configured_cli_file_is_read_without_a_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    named = tmp_path_factory.mktemp("etc") / "terraformrc"
    named.write_text(json.dumps({"credentials": {"app.terraform.io": {"token": TOKEN}}}))
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(named))
    found = Client().settings.credentials.token
    assert found is not None
    assert found.text == TOKEN


async def test_missing_token_error_names_the_missing_home() -> None:
    async with Client() as client:
        with pytest.raises(NoCredentials, match="no home directory"):
            await client.account.read()


@pytest.mark.skipif(sys.platform == "win32", reason="APPDATA names it")
def test_paths_below_a_missing_home_are_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="no home directory") as caught:
        credentials_file()
    assert caught.value.solution == "Set HOME, or set TFE_TOKEN."
    with pytest.raises(InvalidInput) as caught:
        DataDirectory()
    assert caught.value.solution == "Set HOME, or set TFRUNS_DATA_DIR to an absolute path."
    with pytest.raises(AuditFailed) as failed:
        anyio.run(AuditLog().begin, {"tool": "create_run"})
    assert failed.value.solution == "Set HOME, or set TFRUNS_AUDIT_FILE to an absolute path."
    monkeypatch.setenv("TFRUNS_AUDIT_FILE", "~/audit.jsonl")
    with pytest.raises(AuditFailed):
        audit_file()


def test_path_without_tilde_is_unchanged(tmp_path: Path) -> None:
    assert user_path(lambda: tmp_path / "~" / "x", instead="") == tmp_path / "~" / "x"


@pytest.mark.processes
@pytest.mark.parametrize("words", ["run list", "login --token-stdin", "doctor", "run apply run-a1 --yes"])
def test_commands_without_a_home_explain_the_remedy(words: str, tmp_path: Path) -> None:
    program = "import pwd; pwd.getpwuid = {}.__getitem__; from tfruns.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *words.split(), "--json"],
        env={"PATH": os.environ["PATH"], "TFE_ADDRESS": "http://127.0.0.1:1", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        input="a-token-of-somebody",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in {1, 2}
    assert json.loads(done.stdout)
