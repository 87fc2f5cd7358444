"""The stop of `tfruns server`, while it is idle, plans or applies, and its next start."""

import signal

import pytest

from tests.e2e.local.conftest import NewServer
from tests.support.gates import ApplyGate, PlanGate
from tests.support.local_lab import lab as lab_on
from tests.support.local_lab import local_exec, wait_until
from tests.support.local_server import LocalServer, until
from tfruns.vocabulary import PhaseStatus, RunStatus

FIRST = 'resource "terraform_data" "first" {}'


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_without_runs_stops_immediately(number: signal.Signals, new_server: NewServer) -> None:
    server = new_server().start()
    server.send_signal(number)
    assert server.wait(15) == 0
    assert not (server.data_dir / "address").exists()
    assert not server.connects()
    assert "Traceback" not in server.stderr


def test_signal_during_the_start_stops_the_server(new_server: NewServer) -> None:
    server = new_server()
    server.launch()
    until((server.data_dir / "lock").exists, "the server takes its lock")
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    assert "Traceback" not in server.stderr


@pytest.mark.anyio
async def test_plan_interrupted_by_the_stop_is_repeated(new_server: NewServer, plan_gate: PlanGate) -> None:
    server = new_server().start()
    async with lab_on(server) as lab:
        workspace = await lab.workspace(plan_gate.configuration("stop") + FIRST)
        run = await lab.run(workspace)
        pending = await lab.run(workspace)
        await wait_until(lambda: plan_gate.requests("stop"), "the plan waits in the gate")
    server.send_signal(signal.SIGTERM)
    until(lambda: "Interrupt received" in log_of(server), "Terraform was interrupted")
    plan_gate.open("stop")
    assert server.wait(60) == 0
    assert server.terraforms() == []
    async with lab_on(server.restart()) as lab:
        run = await lab.until(run, RunStatus.PLANNED)
        assert "1 to add" in await lab.log(run)
        assert await lab.status(pending) == RunStatus.PENDING
        await lab.confirmed(run)
        await lab.until(pending, RunStatus.PLANNED_AND_FINISHED)
    assert "Traceback" not in server.stderr


@pytest.mark.anyio
async def test_apply_interrupted_by_the_stop_keeps_its_state(new_server: NewServer, apply_gate: ApplyGate) -> None:
    server = new_server().start()
    async with lab_on(server) as lab:
        workspace = await lab.workspace(FIRST + apply_gate.configuration(depends_on="terraform_data.first"))
        run = await lab.run(workspace, auto_apply=True)
        await wait_until(apply_gate.has_begun, "the apply waits in the gate")
        following = await lab.run(workspace)
    assert server.stop() == 0
    assert server.terraforms() == []
    async with lab_on(server.restart()) as lab:
        assert await lab.status(run) == RunStatus.ERRORED
        run = await lab.until(run, RunStatus.ERRORED)
        assert (await lab.apply(run)).status == PhaseStatus.ERRORED
        assert "The apply was interrupted: the server stopped." in await lab.log(run, "apply")
        assert await lab.resources(workspace) == {"first", apply_gate.name}
        following = await lab.until(following, RunStatus.PLANNED)
        assert await lab.actions(following) == {f"terraform_data.{apply_gate.name}": ["delete", "create"]}
    assert "Traceback" not in server.stderr


@pytest.mark.anyio
async def test_second_signal_kills_terraform(new_server: NewServer, plan_gate: PlanGate) -> None:
    server = new_server().start()
    late = plan_gate.configuration("urgent", depends_on="terraform_data.first")
    async with lab_on(server) as lab:
        workspace = await lab.workspace(FIRST + late)
        run = await lab.run(workspace, auto_apply=True)
        await wait_until(lambda: plan_gate.requests("urgent"), "the apply waits for the response of the gate")
    server.send_signal(signal.SIGTERM)
    until(lambda: "Interrupt received" in log_of(server), "Terraform was interrupted")
    assert server.is_running
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    assert server.terraforms() == []
    async with lab_on(server.restart()) as lab:
        await lab.until(run, RunStatus.ERRORED)
        assert await lab.resources(workspace) == {"first"}
        assert await lab.is_free(workspace)


@pytest.mark.anyio
async def test_no_phase_starts_during_the_stop(new_server: NewServer, plan_gate: PlanGate) -> None:
    server = new_server("--workers", "1").start()
    async with lab_on(server) as lab:
        blocked = await lab.run(await lab.workspace(plan_gate.configuration("last")))
        await wait_until(lambda: plan_gate.requests("last"), "the plan waits in the gate")
        queued = [await lab.run(await lab.workspace(local_exec("x", "true")), auto_apply=True) for _ in range(3)]
    server.send_signal(signal.SIGINT)
    until(lambda: "Interrupt received" in log_of(server), "Terraform was interrupted")
    plan_gate.open("last")
    assert server.wait(60) == 0
    assert plan_gate.requests("last") == 1
    async with lab_on(server.restart()) as lab:
        for run in queued:
            await lab.until(run, RunStatus.APPLIED)
        await lab.until(blocked, RunStatus.PLANNED_AND_FINISHED)


def log_of(server: LocalServer) -> str:
    """The logs of all runs of the server."""
    logs = sorted((server.data_dir / "objects" / "log").glob("*"))
    return "".join(log.read_text() for log in logs)
