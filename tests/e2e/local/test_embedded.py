"""`tfruns.local.client()`: the backend in the program's own process, or the server that has the directory already."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

import tfruns.local
from tests.e2e.local.conftest import NewServer
from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer, processes_below
from tests.support.stdio import environment
from tfruns.local.startup import OpenBackend, open_backend
from tfruns.vocabulary import RunStatus

ONE = 'resource "terraform_data" "one" {}'


@asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[Lab]:
    """A lab on a backend in this process: plain requests reach the same application as the client's."""
    opened: list[OpenBackend] = []

    @contextmanager
    def open_and_keep(*arguments: Any) -> Iterator[OpenBackend]:
        with open_backend(*arguments) as backend:
            opened.append(backend)
            yield backend

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tfruns.local.embedded.open_backend", open_and_keep)
        async with tfruns.local.client(directory) as client:
            (backend,) = opened
            headers = {"authorization": f"Bearer {backend.token}"}
            transport = httpx2.ASGITransport(backend.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as http:
                yield Lab(client, http)


@pytest.mark.anyio
async def test_embedded_run_needs_no_socket_and_no_second_process(tmp_path: Path) -> None:
    async with embedded(tmp_path / "data") as lab:
        assert not (tmp_path / "data" / "address").exists()
        workspace = await lab.workspace(ONE)
        run = await lab.planned(workspace)
        assert "1 to add" in await lab.log(run)
        await lab.confirmed(run)
        assert await lab.resources(workspace) == {"one"}
        assert [found.id async for found in lab.client.runs.list_for_workspace(workspace)] == [run.id]
    async with embedded(tmp_path / "data") as lab:
        assert await lab.status(run) == RunStatus.APPLIED, "it can be begun again, in the same process"


@pytest.mark.anyio
async def test_two_backends_in_one_process_are_independent(tmp_path: Path) -> None:
    async with embedded(tmp_path / "data") as first, embedded(tmp_path / "other") as second:
        for lab in (first, second):
            await lab.applied(await lab.workspace(ONE))


@pytest.mark.anyio
async def test_server_with_sqlite_imports_neither_dbos_nor_psycopg(new_server: NewServer) -> None:
    blocked = "import sys\nsys.modules['dbos'] = sys.modules['psycopg'] = None"  # an import of them fails
    async with lab_on(new_server(fault=blocked).start()) as lab:
        await lab.applied(await lab.workspace(ONE))


@pytest.mark.anyio
async def test_failed_start_does_not_prevent_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for broken in ("tfruns.local.engine.engine.resume", "tfruns.local.engine.threads.ThreadQueue.start"):
        with monkeypatch.context() as patch:
            patch.setattr(broken, lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                async with tfruns.local.client(tmp_path / "data"):
                    pass
    async with embedded(tmp_path / "data") as lab:
        await lab.applied(await lab.workspace(ONE))


@pytest.mark.anyio
async def test_embedded_client_connects_to_a_running_server(server: LocalServer, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    async with tfruns.local.client(server.data_dir) as client:
        assert (await client.runs.read(run.id)).status == RunStatus.PLANNED
        await client.runs.discard(run.id)
    await lab.until(run, RunStatus.DISCARDED)
    assert server.connects()


@pytest.mark.anyio
async def test_leaving_the_block_during_an_apply_keeps_the_state(tmp_path: Path, apply_gate: ApplyGate) -> None:
    data = tmp_path / "data"
    async with embedded(data) as lab:
        workspace = await lab.workspace(
            'resource "terraform_data" "first" {}' + apply_gate.configuration(depends_on="terraform_data.first")
        )
        run = await lab.run(workspace, auto_apply=True)
        await wait_until(apply_gate.has_begun, "the apply waits in the gate")
    assert processes_below(data / "work") == []
    async with embedded(data) as lab:
        await lab.until(run, RunStatus.ERRORED)
        assert await lab.resources(workspace) == {"first", apply_gate.name}


@pytest.mark.anyio
async def test_exception_in_the_block_stops_the_backend(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with tfruns.local.client(tmp_path / "data"):
            raise ZeroDivisionError
    async with tfruns.local.client(tmp_path / "data") as client:
        assert (await client.account.read()).username


def test_program_with_a_backend_exits_silently(tmp_path: Path) -> None:
    program = (
        "import anyio, sys, tfruns.local\n"
        "async def main():\n"
        "    async with tfruns.local.client() as client:\n"
        "        print((await client.account.read()).username)\n"
        "anyio.run(main)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment(tmp_path, TFRUNS_DATA_DIR=str(tmp_path / "data")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "admin", "")
