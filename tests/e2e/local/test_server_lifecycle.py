"""A server that was started for a command: it stays for a while, keeps its port, and can be shown and stopped."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.command import Done, Shell
from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, wait_until
from tests.support.local_server import until
from tests.support.stdio import PATIENCE_S, environment, tfruns
from tests.support.terminal import Terminal
from tfruns import Client
from tfruns.local.data_dir import DataDirectory
from tfruns.vocabulary import RunStatus

_LIST = ("run", "list", "--all-workspaces", "--local")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    """A data directory, whose server is killed with the test."""
    directory = DataDirectory(tmp_path / "data")
    yield directory
    owner = directory.owner()
    if owner is not None and directory.is_owned():
        os.kill(owner.pid, signal.SIGKILL)


@pytest.fixture
def env(tmp_path: Path, directory: DataDirectory) -> dict[str, str]:
    return environment(tmp_path, TFRUNS_DATA_DIR=str(directory.path), TFRUNS_IDLE_EXIT="10m")


def run(env: dict[str, str], *arguments: str, code: int = 0) -> Done:
    """Run a command. The server that it starts is a new process of the installed program."""
    return Shell(Path(env["HOME"]) / "here", env)(*arguments, code=code)


def status(env: dict[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = run(env, "server", "status", "--json").json
    return shown


def test_server_stays_keeps_its_port_and_is_stopped(env: dict[str, str], directory: DataDirectory) -> None:
    assert status(env) == {"data_dir": str(directory.path), "running": False} | dict.fromkeys(
        ("url", "pid", "since", "idle_exit_s", "idle_exit_in_s", "active_runs")
    ) | {"responding": False}
    assert "No server is running" in run(env, "server", "stop").err

    run(env, *_LIST)
    first = status(env)
    assert (first["running"], first["responding"], first["idle_exit_s"], first["active_runs"]) == (True, True, 600, [])
    assert 590 <= first["idle_exit_in_s"] <= 600
    assert datetime.strptime(first["since"], "%Y-%m-%dT%H:%M:%S%z").utcoffset() == timedelta()
    assert first["since"].endswith("Z")
    run(env, *_LIST)
    assert (status(env)["pid"], status(env)["url"]) == (first["pid"], first["url"])
    assert httpx2.get(f"{first['url']}/.well-known/terraform.json").status_code == 200

    stopped = run(env, "server", "stop", "--json").json
    assert stopped == {"stopped": True, "pid": first["pid"], "interrupted": []}
    assert not directory.is_owned()

    run(env, *_LIST)
    second = status(env)
    assert second["url"] == first["url"]
    assert second["pid"] != first["pid"]

    os.kill(second["pid"], signal.SIGKILL)
    until(lambda: not directory.is_owned(), "the server was killed")
    assert directory.owner() is not None, "its address is left behind"
    assert status(env)["running"] is False
    run(env, *_LIST)
    assert status(env)["url"] == first["url"]

    run(env, "server", "stop")
    with socket.create_server(("127.0.0.1", httpx2.URL(first["url"]).port or 0)):
        run(env, *_LIST)
    moved = status(env)
    assert moved["url"] != first["url"]
    run(env, "server", "stop")
    run(env, *_LIST)
    assert status(env)["url"] == moved["url"]


@pytest.mark.parametrize("damage", [b"", b"no port", b"70000", b"-1", b"\xff\xfe"])
def test_damaged_port_file_is_ignored(directory: DataDirectory, damage: bytes) -> None:
    directory.path.mkdir()
    (directory.path / "port").write_bytes(damage)
    assert directory.last_port() == 0


def test_concurrent_commands_start_one_server(env: dict[str, str], directory: DataDirectory, tmp_path: Path) -> None:
    log = tmp_path / "starts"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho started >> {log}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    program = (
        "import sys; from tfruns.local.attachment import attach; from tfruns.local.data_dir import DataDirectory;"
        f"sys.executable = {str(python)!r}; print(attach(DataDirectory(), 600).url)"
    )
    command = [sys.executable, "-c", program]
    with ThreadPoolExecutor(3) as threads:
        urls = set(threads.map(lambda _: subprocess.check_output(command, env=env, text=True, timeout=120), range(3)))
    assert len(urls) == 1
    assert log.read_text() == "started\n"
    assert urls == {f"{status(env)['url']}\n"}


def test_requests_and_attached_processes_delay_the_exit(env: dict[str, str], directory: DataDirectory) -> None:
    run(env, *_LIST, "--idle-exit", "2s")
    url, deadline = status(env)["url"], time.monotonic() + 4
    while time.monotonic() < deadline:  # longer than its idle exit
        assert httpx2.get(f"{url}/.well-known/terraform.json").status_code == 200
        threading.Event().wait(0.2)
    until(lambda: not directory.is_owned(), "it is no longer in use")


def test_reading_the_status_does_not_delay_the_exit(env: dict[str, str], directory: DataDirectory) -> None:
    run(env, *_LIST, "--idle-exit", "1s")
    deadline = time.monotonic() + PATIENCE_S
    while status(env)["running"]:
        assert time.monotonic() < deadline
    assert not directory.is_owned()


def test_bad_options_are_refused_before_a_server_is_started(env: dict[str, str], directory: DataDirectory) -> None:
    for given in ("", "soon", "15x", "-3", "5m 3h", "٣s"):
        assert "--idle-exit is not a duration" in run(env, *_LIST, f"--idle-exit={given}", code=2).err
    assert "TFRUNS_IDLE_EXIT is not a duration" in run({**env, "TFRUNS_IDLE_EXIT": "x"}, *_LIST, code=2).err
    assert "--idle-exit requires --local" in run(env, "run", "list", "--idle-exit", "5m", code=2).err
    assert "cannot be used together" in run(env, "server", "stop", "--force", "--drain", code=2).err
    assert "--timeout requires --drain" in run(env, "server", "stop", "--timeout", "3", code=2).err
    assert not directory.is_owned()


@pytest.mark.anyio
async def test_stop_refuses_drains_or_interrupts_runs(
    env: dict[str, str], directory: DataDirectory, tmp_path: Path
) -> None:
    run(env, *_LIST)
    url, token = status(env)["url"], directory.token()
    headers = {"authorization": f"Bearer {token}"}
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    gates = ApplyGate(tmp_path / "first"), ApplyGate(tmp_path / "second")
    async with (
        Client(url, token, organization="default") as client,
        httpx2.AsyncClient(base_url=url, headers=headers) as http,
    ):
        lab = Lab(client, http)
        drained = await lab.run(await lab.workspace(gates[0].configuration()), auto_apply=True)
        await wait_until(gates[0].has_begun, "the apply waits in the gate")
        assert status(env)["active_runs"] == [drained.id]
        assert status(env)["idle_exit_in_s"] is None
        refused = await anyio.to_thread.run_sync(lambda: run(env, "server", "stop", "--json", code=10))
        assert refused.json["error"] == "confirmation_needed"
        assert drained.id in refused.err
        run(env, "server", "stop", "--drain", "--timeout", "0.2", code=10)
        assert await lab.status(drained) == RunStatus.APPLYING

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, lambda: run(env, "server", "stop", "--drain"))
            gates[0].open()
    run(env, *_LIST)
    assert status(env)["url"] == url
    async with (
        Client(url, token, organization="default") as client,
        httpx2.AsyncClient(base_url=url, headers=headers) as http,
    ):
        lab = Lab(client, http)
        assert await lab.status(drained) == RunStatus.APPLIED
        interrupted = await lab.run(await lab.workspace(gates[1].configuration()), auto_apply=True)
        await wait_until(gates[1].has_begun, "the apply waits in the gate")
        stopped = await anyio.to_thread.run_sync(lambda: run(env, "server", "stop", "--force", "--json"))
        assert stopped.json["interrupted"] == [interrupted.id]
    run(env, *_LIST)
    shown = run(env, "run", "show", interrupted.id, "--local", "--json").json
    assert shown["status"] == "errored"
    for gate in gates:
        gate.close()


def test_progress_line_of_the_start_is_shown_only_on_a_terminal(env: dict[str, str], tmp_path: Path) -> None:
    with Terminal([tfruns(), *_LIST], cwd=tmp_path, env={**env, "TERM": "xterm", "LANG": "C.UTF-8"}) as terminal:
        terminal.expect("Starting the local backend")
        assert terminal.end() == 0
    assert terminal.raw.rindex("\r\x1b[2K") > terminal.raw.rindex("Starting the local backend"), "the line is cleared"
    run(env, "server", "stop")
    with Terminal([tfruns(), *_LIST, "--json"], cwd=tmp_path, env=env) as terminal:
        assert terminal.end() == 0
    assert "Starting" not in terminal.raw
    run(env, "server", "stop")
    assert run(env, *_LIST).err.count("\x1b") == 0


def test_background_command_and_its_server_react_to_ctrl_c(env: dict[str, str], directory: DataDirectory) -> None:
    script = f'"{tfruns()}" server --port 0 > "$OUT" & echo $!; wait'
    out = directory.path.with_name("out")
    with subprocess.Popen(
        ["sh", "-c", script], env={**env, "OUT": str(out)}, stdout=subprocess.PIPE, text=True
    ) as shell:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        until(lambda: out.exists() and "listening" in out.read_text(), "the server is ready")
        os.kill(pid, signal.SIGINT)
        shell.wait(PATIENCE_S)
    until(lambda: not directory.is_owned(), "Ctrl-C stopped it")
