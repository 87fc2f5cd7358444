"""Programs that share a server: the first one starts it, and it exits when it is no longer in use."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, wait_until
from tests.support.local_server import until
from tests.support.stdio import PATIENCE_S, environment
from tfruns import Client
from tfruns.local.attachment import ServerNotStarted, attached
from tfruns.local.data_dir import DataDirectory, Owner
from tfruns.vocabulary import RunStatus

_ATTACHED = """
import sys
from pathlib import Path
from tfruns.local.attachment import attached
from tfruns.local.data_dir import DataDirectory
with attached(DataDirectory(Path(sys.argv[1]))) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""

_UNUSED_FOR_S = 2.0  # the server checks every half second whether it is in use
Program = subprocess.Popen[str]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    """A data directory; a server that was started for it ends with the test."""
    directory = DataDirectory(tmp_path / "data")
    yield directory
    owner = directory.owner()
    if owner is not None:
        with suppress(ProcessLookupError):
            os.kill(owner.pid, signal.SIGKILL)


@pytest.fixture
def attach(directory: DataDirectory, tmp_path: Path) -> Iterator[Callable[[], Program]]:
    """Starts programs that attach, say the server's address, and stay until their input is closed."""
    programs: list[Program] = []

    def start() -> Program:
        command = [sys.executable, "-c", _ATTACHED, str(directory.path)]
        programs.append(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(tmp_path)
            )
        )
        return programs[-1]

    yield start
    for program in programs:
        program.kill()
        program.wait(PATIENCE_S)
        for stream in (program.stdin, program.stdout):
            assert stream is not None
            stream.close()


def url_of(program: Program) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def leave(program: Program) -> None:
    assert program.stdin is not None
    program.stdin.close()
    assert program.wait(PATIENCE_S) == 0


def owner_of(directory: DataDirectory) -> Owner:
    owner = directory.owner()
    assert owner is not None
    return owner


def is_gone(directory: DataDirectory) -> bool:
    return directory.owner() is None and not directory.is_owned()


def test_concurrent_commands_share_a_server_that_the_last_one_stops(
    directory: DataDirectory, attach: Callable[[], Program]
) -> None:
    first, second = attach(), attach()
    urls = {url_of(first), url_of(second)}
    assert urls == {owner_of(directory).url}
    leave(first)
    with attached(directory) as third:
        leave(second)
        assert {third.url} == urls
        assert third.token == directory.token()
        assert directory.is_owned()
    until(lambda: is_gone(directory), "no process is attached: the server has exited")
    assert "Traceback" not in (directory.path / "server.log").read_text()


@pytest.mark.anyio
async def test_server_outlives_a_killed_command_until_its_run_is_final(
    directory: DataDirectory, attach: Callable[[], Program], apply_gate: ApplyGate
) -> None:
    starter = attach()
    url = url_of(starter)
    token = directory.token()
    headers = {"authorization": f"Bearer {token}"}
    async with (
        Client(url, token, organization="default") as client,
        httpx2.AsyncClient(base_url=url, headers=headers) as http,
    ):
        lab = Lab(client, http)
        workspace = await lab.workspace(apply_gate.configuration())
        run = await lab.run(workspace, auto_apply=True)
        await wait_until(apply_gate.has_begun, "the apply waits in the gate")
        starter.kill()
        starter.wait(PATIENCE_S)
        deadline = time.monotonic() + _UNUSED_FOR_S
        while time.monotonic() < deadline:
            assert await lab.status(run) == RunStatus.APPLYING
            await anyio.sleep(0.1)
        apply_gate.open()
        await lab.until(run, RunStatus.APPLIED)
    until(lambda: is_gone(directory), "the run is final and no process is attached: the server has exited")
    with attached(directory) as again:
        async with Client(again.url, again.token) as client:
            assert (await client.runs.read(run.id)).status == RunStatus.APPLIED


def test_command_after_a_crash_starts_a_new_server(directory: DataDirectory) -> None:
    with attached(directory) as first:
        os.kill(owner_of(directory).pid, signal.SIGKILL)
        until(lambda: not directory.is_owned(), "it is gone")
        with attached(directory) as second:
            assert second.token == first.token
            assert second.url == owner_of(directory).url
    until(lambda: is_gone(directory), "it has ended")


def test_failed_start_of_a_server_is_explained(directory: DataDirectory) -> None:
    directory.path.mkdir()
    (directory.path / "tfruns.db").write_bytes(b"this is no database " * 100)
    with pytest.raises(ServerNotStarted, match="database"), attached(directory):
        pass
    assert not directory.is_owned()


def test_modules_in_the_working_directory_are_not_imported(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    for name in ("cyclopts", "sqlalchemy", "tfruns"):
        (repository / f"{name}.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'w')\nraise SystemExit(9)\n")
    monkeypatch.chdir(repository)
    with attached(directory) as server:
        assert server.url == owner_of(directory).url
    assert not (tmp_path / "was-run").exists()


def test_server_without_its_data_directory_exits(directory: DataDirectory) -> None:
    with attached(directory) as server:
        pid = owner_of(directory).pid
        shutil.rmtree(server.directory.path)
        until(lambda: not _is_alive(pid), "it ends")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
