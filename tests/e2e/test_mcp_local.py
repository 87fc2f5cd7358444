"""`tfruns mcp --local`: the local backend with real Terraform."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.local.support import archive, resource
from tests.support.stdio import PATIENCE_S, StdioServer, environment
from tfruns.local.data_dir import DataDirectory

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH")

_BLOCKED = """
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "read line < '%s'"
  }
}
"""

Chat = Callable[..., StdioServer]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    """A data directory whose server is stopped after the test."""
    directory = DataDirectory(tmp_path / "data")
    yield directory
    if directory.path.exists():
        wait_until(lambda: not directory.is_owned())


@pytest.fixture
def chat(directory: DataDirectory, tmp_path: Path) -> Iterator[Chat]:
    """Starts `tfruns mcp --local` on the data directory."""
    started: list[StdioServer] = []

    def start(*arguments: str, **variables: str) -> StdioServer:
        options = ("--local", "--data-dir", str(directory.path), "--confirm", "never", *arguments)
        log = tmp_path / f"chat-{len(started)}.log"
        started.append(StdioServer(*options, env=environment(tmp_path, **variables), log=log))
        return started[-1].__enter__()

    yield start
    for server in started:
        server.stop()


def wait_until(is_so: Callable[[], object]) -> None:
    """Poll until the condition is true, or fail after a timeout."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"


def run_in_new_workspace(chat: StdioServer, directory: DataDirectory, text: str) -> str:
    """Create a run with auto-apply in a workspace with this configuration, and return its id."""
    chat.call("list_runs_in_organization", {"organization": "default"})  # which starts the backend
    owner = directory.owner()
    assert owner is not None
    headers = {"authorization": f"Bearer {directory.token()}"}
    with httpx2.Client(base_url=f"{owner.url}/api/v2", headers=headers, timeout=PATIENCE_S) as http:
        workspace = _created(http, "/organizations/default/workspaces", "workspaces", {"name": "network"})
        path = f"/workspaces/{workspace['id']}/configuration-versions"
        configuration = _created(http, path, "configuration-versions", {"auto-queue-runs": False})
        http.put(configuration["attributes"]["upload-url"], content=archive({"main.tf": text})).raise_for_status()
    made = chat.call("create_run", {"workspace_id": "default/network", "params": {"auto_apply": True}})
    assert not made["isError"], made
    return str(made["structuredContent"]["id"])


def _created(http: httpx2.Client, path: str, kind: str, attributes: dict[str, Any]) -> Any:
    answer = http.post(path, json=resource(kind, attributes))
    answer.raise_for_status()
    return answer.json()["data"]


def status_of(chat: StdioServer, run_id: str) -> str:
    return str(chat.call("get_run_details", {"run_id": run_id})["structuredContent"]["status"])


def test_run_is_applied_without_an_account_or_setup(chat: Chat, directory: DataDirectory) -> None:
    assistant = chat()
    run_id = run_in_new_workspace(assistant, directory, 'resource "terraform_data" "a" {}\n')
    wait_until(lambda: status_of(assistant, run_id) == "applied")
    assert assistant.close_input() == 0


def test_closing_the_session_does_not_interrupt_an_apply(chat: Chat, directory: DataDirectory, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    first = chat()
    run_id = run_in_new_workspace(first, directory, _BLOCKED % gate)
    wait_until(lambda: status_of(first, run_id) == "applying")
    owner = directory.owner()
    assert first.close_input() == 0
    second = chat()
    assert status_of(second, run_id) == "applying"
    assert directory.owner() == owner
    with gate.open("w") as opened:  # the provisioner is still reading
        opened.write("go\n")
    wait_until(lambda: status_of(second, run_id) == "applied")
    assert second.close_input() == 0


def test_two_sessions_share_one_backend(chat: Chat, directory: DataDirectory) -> None:
    one, other = chat(), chat()
    run_id = run_in_new_workspace(one, directory, 'resource "terraform_data" "a" {}\n')
    assert other.call("get_run_details", {"run_id": run_id})["structuredContent"]["id"] == run_id
    assert one.close_input() == 0
    assert not other.call("get_run_details", {"run_id": run_id})["isError"]


def test_killed_backend_is_started_again_by_the_next_call(chat: Chat, directory: DataDirectory) -> None:
    assistant = chat()
    run_id = run_in_new_workspace(assistant, directory, 'resource "terraform_data" "a" {}\n')
    owner = directory.owner()
    assert owner is not None
    os.kill(owner.pid, 9)
    wait_until(lambda: not directory.is_owned())
    wait_until(lambda: status_of(assistant, run_id) == "applied")


def test_backend_that_cannot_start_is_a_failed_result(chat: Chat, directory: DataDirectory) -> None:
    directory.path.mkdir(mode=0o700)
    (directory.path / "tfruns.db").write_text("this is no database, whatever its name says\n" * 100)
    assistant = chat()
    for _ in range(2):
        failed = assistant.call("list_runs_in_organization", {"organization": "default"})
        assert failed["isError"]
        assert failed["structuredContent"]["error"] == "connection_failed"
        assert "database" in failed["structuredContent"]["cause"]
