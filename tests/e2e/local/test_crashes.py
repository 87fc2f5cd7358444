"""The server is killed (SIGKILL) at chosen moments. A power failure, which can damage the disk, is not simulated."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.e2e.local.conftest import NewServer
from tests.local.support import run_body
from tests.support.gates import ApplyGate, PlanGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer, until
from tfruns.vocabulary import PhaseStatus, RunStatus
from tfruns.wire.runs import Run

pytestmark = pytest.mark.anyio

OUTPUT = "(local-exec): said 42 times"  # the output; the log also contains the command
FIRST = 'resource "terraform_data" "first" {}'


@asynccontextmanager
async def after_restart(server: LocalServer) -> AsyncIterator[Lab]:
    async with lab_on(server.restart()) as lab:
        yield lab


async def test_running_plan_is_repeated_and_the_queue_continues(new_server: NewServer, plan_gate: PlanGate) -> None:
    server = new_server().start()
    async with lab_on(server) as lab:
        workspace = await lab.workspace(plan_gate.configuration("crash") + FIRST)
        run = await lab.run(workspace, auto_apply=True)
        behind = [await lab.run(workspace) for _ in range(2)]
        speculative = await lab.run(workspace, plan_only=True)
        await wait_until(lambda: plan_gate.requests("crash") >= 2, "both plans wait in the gate")
    server.kill()
    async with after_restart(server) as lab:
        await wait_until(lambda: plan_gate.requests("crash") >= 4, "both plans are repeated")
        plan_gate.open("crash")
        await lab.until(run, RunStatus.APPLIED)
        await lab.until(speculative, RunStatus.PLANNED_AND_FINISHED)
        for following in behind:
            await lab.until(following, RunStatus.PLANNED_AND_FINISHED)
        document = await lab.send("GET", f"/runs/{run.id}/run-events")
        assert "planning_again" in [event["attributes"]["action"] for event in document["data"]]
        assert "1 to add" in await lab.log(run)
        await wait_until(lambda: not server.terraforms(), "the first plan has exited")


@pytest.mark.parametrize("kills", [1, 2])
async def test_running_apply_becomes_errored_and_is_not_repeated(
    kills: int, new_server: NewServer, apply_gate: ApplyGate, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    counted = local_exec("first", f"echo $TFC_RUN_ID >> '{count}'; echo said $((40 + 2)) times")
    server = new_server().start()
    async with lab_on(server) as lab:
        workspace = await lab.workspace(counted + apply_gate.configuration(depends_on="terraform_data.first"))
        run = await lab.run(workspace, auto_apply=True)
        behind = await lab.run(workspace)
        await wait_until(apply_gate.has_begun, "the apply waits in the gate")
        await wait_until(lambda: _logs_contain(lab, run, OUTPUT), "the log contains its output")
    server.kill()
    for _ in range(kills - 1):
        server.restart()
        server.kill()
    async with after_restart(server) as lab:
        run = await lab.until(run, RunStatus.ERRORED)
        assert (await lab.apply(run)).status == PhaseStatus.ERRORED
        log = await lab.log(run, "apply")
        assert log.count(OUTPUT) == 1
        assert "The apply was interrupted: the server stopped." in log
        assert log.endswith("\x03")
        state = await lab.state(workspace)
        found = {resource["name"]: resource["instances"][0].get("status") for resource in state["resources"]}
        assert found == {"first": None, apply_gate.name: "tainted"}
        assert count.read_text() == f"{run.id}\n"
        behind = await lab.until(behind, RunStatus.PLANNED)
        assert await lab.actions(behind) == {f"terraform_data.{apply_gate.name}": ["delete", "create"]}
        await wait_until(lambda: not server.terraforms(), "no process of a run is left")


async def test_next_start_waits_for_a_running_terraform(new_server: NewServer, plan_gate: PlanGate) -> None:
    server = new_server().start()
    background = local_exec("first", "(trap '' INT TERM HUP; exec sleep 600) >/dev/null 2>&1 &")
    late = plan_gate.configuration("outlive", depends_on="terraform_data.first")
    async with lab_on(server) as lab:
        workspace = await lab.workspace(background + late)
        run = await lab.run(workspace, auto_apply=True)
        await wait_until(lambda: plan_gate.requests("outlive"), "the apply waits for the response of the gate")
    server.kill()
    async with after_restart(server) as lab:
        assert len(server.terraforms(run.id)) >= 2, "Terraform waits for a response, and its child ignores signals"
        assert await lab.status(run) == RunStatus.APPLYING
        assert not await lab.is_free(workspace)
        plan_gate.open("outlive")
        run = await lab.until(run, RunStatus.ERRORED)
        log = await lab.log(run, "apply")
        assert "Interrupt received" in log
        assert "Two interrupts received" not in log, "the second interrupt loses resources that are being created"
        # The last command of Terraform writes the state as JSON.
        await wait_until(lambda: not server.terraforms(run.id), "no process of the run is left")
        assert await lab.resources(workspace) == {"first"}
        assert await lab.is_free(workspace)


async def test_waiting_runs_still_wait_after_a_crash(new_server: NewServer) -> None:
    server = new_server().start()
    async with lab_on(server) as lab:
        workspace, other = await lab.workspace(FIRST), await lab.workspace(FIRST)
        run, behind = await lab.planned(workspace), await lab.run(workspace)
        saved = await lab.until(await lab.run(other, save_plan=True), RunStatus.PLANNED_AND_SAVED)
        locked = await lab.workspace(FIRST)
        await lab.lock(locked)
        pending = await lab.run(locked)
    server.kill()
    async with after_restart(server) as lab:
        statuses = [await lab.status(seen) for seen in (run, behind, saved, pending)]
        assert statuses == ["planned", "pending", "planned_and_saved", "pending"]
        await lab.confirmed(run)
        await lab.confirmed(saved)
        await lab.unlock(locked)
        await lab.until(pending, RunStatus.PLANNED)
        await lab.until(behind, RunStatus.PLANNED_AND_FINISHED)


async def test_run_canceled_before_the_kill_becomes_canceled(new_server: NewServer, plan_gate: PlanGate) -> None:
    server = new_server("--force-cancel-after", "0").start()
    async with lab_on(server) as lab:
        workspaces = [await lab.workspace(plan_gate.configuration("canceling")) for _ in range(2)]
        canceled, forced = [await lab.run(workspace) for workspace in workspaces]
        await wait_until(lambda: plan_gate.requests("canceling") == 2, "both plans wait in the gate")
        for run in (canceled, forced):
            await lab.client.runs.cancel(run.id)
        await lab.client.runs.force_cancel(forced.id)
    server.kill()
    plan_gate.open("canceling")
    async with after_restart(server) as lab:
        await lab.until(canceled, RunStatus.CANCELED)
        assert await lab.status(forced) == RunStatus.CANCELED
        for workspace in workspaces:
            await wait_until(partial(lab.is_free, workspace), "the workspace is free")
            await lab.until(await lab.run(workspace), RunStatus.PLANNED_AND_FINISHED)


# The process kills itself when it reaches a certain point for the first time.
_FAULT = """
import os, pathlib, signal
flag = pathlib.Path({flag!r})

def die():
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)

import tfruns.local.engine.worker as worker
from tfruns.local.store.database import Database
from tfruns.local.engine.threads import ThreadQueue
from contextlib import contextmanager
kind = {kind!r}

def before(owner, name, is_it=lambda *a: True):
    real = getattr(owner, name)
    def patched(*args, **options):
        if is_it(*args):
            die()
        return real(*args, **options)
    setattr(owner, name, patched)

def after(owner, name, is_it=lambda *a: True):
    real = getattr(owner, name)
    def patched(*args, **options):
        result = real(*args, **options)
        if is_it(*args):
            die()
        return result
    setattr(owner, name, patched)
"""
_POINTS = {
    "committed but not dispatched": 'before(ThreadQueue, "dispatch", lambda self, run, phase, priority: phase == kind)',
    "dispatched but not started": 'before(worker, "start_phase", lambda b, w, run, phase, lease: phase == kind)',
    "started but not executed": 'before(worker, "execute", lambda b, w, phase, level: phase.kind == kind)',
    "executed but not stored": 'before(worker, "finish_phase", lambda b, w, run, phase, *a: phase == kind)',
    "stored but not committed": 'after(worker, "finish_phase", lambda b, w, run, phase, *a: phase == kind)',
    "committed but not cleaned up": 'after(worker.Worker, "_finish", lambda self, phase, *_: phase.kind == kind)',
}
_APPLIED = {"committed but not dispatched", "dispatched but not started", "committed but not cleaned up"}


@pytest.mark.parametrize("point", _POINTS)
async def test_apply_runs_at_most_once_wherever_the_server_is_killed(
    point: str, tmp_path: Path, new_server: NewServer
) -> None:
    count = tmp_path / "count"
    fault = _FAULT.format(flag=str(tmp_path / "flag"), kind="apply") + _POINTS[point]
    server = new_server(fault=fault).start()
    async with lab_on(server) as lab:
        workspace = await lab.workspace(local_exec("counted", f"echo $TFC_RUN_ID >> '{count}'"))
        run = await lab.planned(workspace)
        behind = await lab.run(workspace)
        with suppress(httpx2.TransportError):  # the server may die before it responds
            await lab.http.post(f"/api/v2/runs/{run.id}/actions/apply", json={})
        until(lambda: not server.is_running, "the server has killed itself")
    assert server.wait() == -signal.SIGKILL
    async with after_restart(server) as lab:
        run = await lab.until(run, RunStatus.APPLIED if point in _APPLIED else RunStatus.ERRORED)
        lines = count.read_text().split() if count.exists() else []
        assert lines == ([] if point == "started but not executed" else [run.id])
        assert await lab.resources(workspace) == ({"counted"} if lines else set())
        await lab.until(behind, RunStatus.PLANNED_AND_FINISHED if lines else RunStatus.PLANNED)


async def test_plan_is_repeated_wherever_the_server_is_killed(tmp_path: Path, new_server: NewServer) -> None:
    points = [point for point in _POINTS if point != "committed but not dispatched"]
    for number, point in enumerate(points):
        fault = _FAULT.format(flag=str(tmp_path / f"flag-{number}"), kind="plan") + _POINTS[point]
        server = new_server(fault=fault).start()
        async with lab_on(server) as lab:
            workspace = await lab.workspace(FIRST)
            with suppress(httpx2.TransportError):  # the server may die before it responds
                await lab.http.post("/api/v2/runs", json=run_body(workspace))
            until(partial(lambda gone: not gone.is_running, server), "the server has killed itself")
        async with after_restart(server) as lab:
            (run,) = [found async for found in lab.client.runs.list_for_workspace(workspace)]
            run = await lab.until(run, RunStatus.PLANNED)
            assert await lab.actions(run) == {"terraform_data.first": ["create"]}
            await lab.confirmed(run)
        assert server.stop() == 0


async def _logs_contain(lab: Lab, run: Run, text: str) -> bool:
    return text in await lab.log(run, "apply")
