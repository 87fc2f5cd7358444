"""After many runs: no files, threads, processes or directories are left; and old logs and plans go when they should."""

import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.support.gates import PlanGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tests.support.local_server import LocalServer
from tfruns import Client
from tfruns.local.data_dir import DataDirectory
from tfruns.local.embedded import in_thread
from tfruns.local.startup import BackendOptions, OpenBackend, open_backend
from tfruns.vocabulary import RunStatus

ONE = 'resource "terraform_data" "one" {}'
URL = "http://127.0.0.1"
_WAVES = 4
_AT_ONCE = 8  # runs in one wave; two waves are more than each tolerance below
_DAY_S = 86400.0


def held(server: LocalServer) -> Counter[str]:
    """What the server's process has: threads, children, and open files by what they are."""
    process = Path(f"/proc/{server.process.pid}")
    found = Counter(threads=len(list((process / "task").iterdir())))
    for file in (process / "fd").iterdir():
        try:
            target = str(file.readlink())
        except OSError:  # closed in the meantime
            continue
        found["database" if ".db" in target else "other files"] += 1
    children = [(task / "children").read_text().split() for task in (process / "task").iterdir()]
    found["children"] = sum(map(len, children))
    return found


@pytest.mark.anyio
async def test_many_runs_leave_no_open_files_and_no_processes(server: LocalServer, lab: Lab) -> None:
    mains = [ONE, local_exec("bad", "exit 1"), "output broken {", 'output "o" { value = 1 }', local_exec("a", "true")]
    after: list[Counter[str]] = []
    for _ in range(_WAVES):
        workspaces = [await lab.workspace(mains[number % len(mains)]) for number in range(_AT_ONCE)]
        runs = [await lab.run(workspace, auto_apply=True) for workspace in workspaces]
        for run in runs:
            await lab.until(run, RunStatus.APPLIED, RunStatus.ERRORED)
        await wait_until(lambda: not server.terraforms(), "nothing runs any more")
        await wait_until(lambda: held(server)["children"] <= 2, "only the guard and the reader of archives are left")
        after.append(held(server))
    print(*after, sep="\n")
    # A connection or pipe that is being closed is still counted, but a leaked one stays.
    await wait_until(lambda: held(server)["other files"] <= after[1]["other files"], "other files are closed")
    assert after[-1]["threads"] <= after[1]["threads"] + 2
    assert after[-1]["database"] <= after[1]["database"] + 12, "the pool has a limit, and is far from it"
    work = server.data_dir / "work"
    await wait_until(lambda: not list(work.iterdir()), "the runs' directories are removed")
    assert not list((server.data_dir / "objects" / "incoming").glob("*"))
    assert not [path for path in server.data_dir.rglob(".*") if path.is_file()], "nothing half-written"
    assert "Traceback" not in server.stderr


@asynccontextmanager
async def in_process(directory: Path, options: BackendOptions) -> AsyncIterator[tuple[Lab, OpenBackend]]:
    """A backend in this process, all of it."""
    async with in_thread(open_backend(DataDirectory(directory), options)) as backend:
        transport = httpx2.ASGITransport(backend.app)
        headers = {"authorization": f"Bearer {backend.token}"}
        async with (
            Client(URL, backend.token, organization="default", http_transport=transport) as client,
            httpx2.AsyncClient(transport=transport, base_url=URL, headers=headers) as http,
            in_thread(backend.executing()),
        ):
            yield Lab(client, http), backend


def age(directory: Path, days: float) -> None:
    """Make the logs and plans older."""
    then = time.time() - days * _DAY_S
    for kind in ("log", "plan-json", "plan-json-redacted"):
        for path in (directory / "objects" / kind).glob("*"):
            os.utime(path, (then, then))


@pytest.mark.anyio
async def test_old_logs_and_plans_are_deleted_and_runs_are_kept(tmp_path: Path) -> None:
    async with in_process(tmp_path, BackendOptions(keep=timedelta(days=7))) as (lab, backend):
        workspace = await lab.workspace(ONE)
        old = await lab.applied(workspace)
        waiting = await lab.planned(workspace, is_destroy=True)
        age(tmp_path, 6.9)
        await anyio.to_thread.run_sync(backend.engine.clean_up)
        assert "1 to add" in await lab.log(old), "not old enough"
        age(tmp_path, 7.1)
        recent = await lab.until(await lab.run(workspace, plan_only=True), RunStatus.PLANNED_AND_FINISHED)
        await anyio.to_thread.run_sync(backend.engine.clean_up)

        assert await lab.log(old) == "\x02\x03"
        assert await lab.log(old, "apply") == "\x02\x03"
        assert await lab.plan_json(old) is None
        assert await lab.status(old) == RunStatus.APPLIED
        assert await lab.resources(workspace) == {"one"}, "states stay"
        assert "0 to add" in await lab.log(recent)
        assert "1 to destroy" in await lab.log(waiting), "it is not over"
        await lab.confirmed(waiting)


@pytest.mark.anyio
async def test_directory_of_a_final_run_is_deleted(tmp_path: Path, plan_gate: PlanGate) -> None:
    async with in_process(tmp_path, BackendOptions()) as (lab, backend):
        discarded = await lab.planned(await lab.workspace(ONE))
        await lab.client.runs.discard(discarded.id)
        waiting = await lab.planned(await lab.workspace(ONE))
        saved = await lab.until(await lab.run(await lab.workspace(ONE), save_plan=True), RunStatus.PLANNED_AND_SAVED)
        planning = await lab.run(await lab.workspace(plan_gate.configuration("cleaning")))
        await wait_until(lambda: plan_gate.requests("cleaning"), "the plan waits in the gate")
        (tmp_path / "work" / "run-0000000000000000").mkdir()
        await anyio.to_thread.run_sync(backend.engine.clean_up)
        assert {path.name for path in (tmp_path / "work").iterdir()} == {waiting.id, saved.id, planning.id}
        await lab.confirmed(waiting)
        await lab.confirmed(saved)
        plan_gate.open("cleaning")
        await lab.until(planning, RunStatus.PLANNED_AND_FINISHED)
        await wait_until(lambda: not list((tmp_path / "work").iterdir()), "all of them are removed")
        assert "1 to add" in await lab.log(discarded), "without --keep logs stay for ever"
