"""Every action on a run, at every moment, with real Terraform; and who goes when."""

import os
import signal
from pathlib import Path

import anyio
import pytest

from tests.e2e.local.conftest import NewServer
from tests.support.gates import ApplyGate, PlanGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tfruns.errors import TransitionNotAllowed
from tfruns.vocabulary import PhaseStatus, RunStatus
from tfruns.wire.runs import Run

pytestmark = pytest.mark.anyio

ONE = 'resource "terraform_data" "one" {}'
FIRST = 'resource "terraform_data" "first" {}'


async def events(lab: Lab, run: Run) -> list[str | None]:
    """What happened to a run, in order."""
    document = await lab.send("GET", f"/runs/{run.id}/run-events")
    return [event["attributes"]["action"] for event in document["data"]]


async def held_apply(lab: Lab, gate: ApplyGate, *, before: str = "") -> tuple[str, Run]:
    """A workspace with an applying run: `first` is created, and the resource of the gate waits."""
    main = FIRST + gate.configuration(before=before, depends_on="terraform_data.first")
    workspace = await lab.workspace(main)
    run = await lab.run(workspace, auto_apply=True)
    await wait_until(gate.has_begun, "the apply waits in the gate")
    return workspace, run


async def held_plan(lab: Lab, gate: PlanGate, name: str) -> tuple[str, Run]:
    """A workspace with a run in mid-plan: the plan waits for a state that is not answered."""
    workspace = await lab.workspace(gate.configuration(name) + ONE)
    run = await lab.run(workspace)
    await wait_until(lambda: gate.requests(name), "the plan waits in the gate")
    return workspace, run


async def test_discarded_run_releases_its_workspace_and_changes_nothing(lab: Lab) -> None:
    workspace = await lab.workspace(ONE)
    run = await lab.planned(workspace)
    following = await lab.run(workspace)
    assert not await lab.is_free(workspace)
    await lab.client.runs.discard(run.id, comment="not today")
    await lab.until(run, RunStatus.DISCARDED)
    await lab.until(following, RunStatus.PLANNED)
    assert await lab.state(workspace) is None
    assert (await lab.apply(run)).status == PhaseStatus.UNREACHABLE
    comments = [comment.body async for comment in lab.client.comments.list_for_run(run.id)]
    assert comments == ["not today"]
    with pytest.raises(TransitionNotAllowed):
        await lab.client.runs.apply(run.id)


async def test_pending_run_is_canceled_immediately(lab: Lab) -> None:
    workspace = await lab.workspace(ONE)
    await lab.planned(workspace)
    pending = await lab.run(workspace)
    assert await lab.status(pending) == RunStatus.PENDING
    await lab.client.runs.cancel(pending.id)
    assert await lab.status(pending) == RunStatus.CANCELED
    assert {(await lab.plan(pending)).status, (await lab.apply(pending)).status} == {PhaseStatus.UNREACHABLE}


async def test_cancel_while_planning_ends_as_canceled(lab: Lab, server: LocalServer, plan_gate: PlanGate) -> None:
    workspace, run = await held_plan(lab, plan_gate, "cancel")
    await lab.client.runs.cancel(run.id)
    with pytest.raises(TransitionNotAllowed):
        await lab.client.runs.cancel(run.id)
    await wait_until(lambda: _contains(lab, run, "Interrupt received"), "Terraform was interrupted")
    plan_gate.open("cancel")
    run = await lab.until(run, RunStatus.CANCELED)
    assert run.canceled_at is not None
    assert (await lab.plan(run)).status == PhaseStatus.CANCELED
    await lab.until(await lab.run(workspace, auto_apply=True), RunStatus.APPLIED)
    await wait_until(lambda: not server.terraforms(run.id), "nothing of it runs any more")


async def test_cancel_while_applying_keeps_the_state(lab: Lab, server: LocalServer, apply_gate: ApplyGate) -> None:
    workspace, run = await held_apply(lab, apply_gate)
    following = await lab.run(workspace, plan_only=True)
    await lab.until(following, RunStatus.PLANNED_AND_FINISHED)
    await lab.client.runs.cancel(run.id, comment="stop it")
    run = await lab.until(run, RunStatus.CANCELED)
    assert (await lab.apply(run)).status == PhaseStatus.CANCELED
    state = await lab.state(workspace)
    assert {found["name"]: found["instances"][0].get("status") for found in state["resources"]} == {
        "first": None,
        apply_gate.name: "tainted",
    }
    assert (await lab.apply(run)).resource_additions == 1
    assert "Interrupt received" in await lab.log(run, "apply")
    assert await lab.is_free(workspace)
    await wait_until(lambda: not server.terraforms(run.id), "the local-exec is gone too")


async def test_force_cancel_kills_a_stuck_apply_and_starts_the_next_run(
    lab: Lab, server: LocalServer, plan_gate: PlanGate
) -> None:
    background = local_exec("first", "(trap '' INT TERM HUP; exec sleep 600) >/dev/null 2>&1 &")
    late = plan_gate.configuration("late", depends_on="terraform_data.first") + local_exec("last", "true")
    workspace = await lab.workspace(background + late)
    run = await lab.run(workspace, auto_apply=True)
    await wait_until(lambda: plan_gate.requests("late"), "the apply reads what is not answered")
    following = await lab.run(workspace, auto_apply=True)
    with pytest.raises(TransitionNotAllowed):
        await lab.client.runs.force_cancel(run.id)
    await lab.client.runs.cancel(run.id)
    await wait_until(lambda: _contains(lab, run, "Interrupt received", "apply"), "Terraform was interrupted")
    assert await lab.status(run) == RunStatus.APPLYING, "it still waits"
    assert len(server.terraforms(run.id)) >= 2

    await lab.client.runs.force_cancel(run.id)
    assert await lab.status(run) == RunStatus.CANCELED
    await wait_until(lambda: not server.terraforms(run.id), "its whole process group is gone")
    plan_gate.open("late")
    await lab.until(following, RunStatus.APPLIED, RunStatus.PLANNED_AND_FINISHED)
    assert "terraform_data.first" not in await lab.actions(following), "it is not made again"
    assert await lab.resources(workspace) == {"first", "last"}, "what was finished before is in the state"
    assert "force_canceled" in await events(lab, run)
    assert await lab.is_free(workspace)


async def test_force_cancel_while_planning_kills_terraform(lab: Lab, server: LocalServer, plan_gate: PlanGate) -> None:
    workspace, run = await held_plan(lab, plan_gate, "force")
    await lab.client.runs.cancel(run.id)
    await lab.client.runs.force_cancel(run.id)
    await wait_until(lambda: not server.terraforms(run.id), "Terraform has exited, although the gate did not respond")
    await wait_until(lambda: lab.is_free(workspace), "the workspace is free")
    plan_gate.open("force")
    await lab.until(await lab.run(workspace), RunStatus.PLANNED)


async def test_force_execute_displaces_the_current_run_and_earlier_runs(lab: Lab) -> None:
    workspace = await lab.workspace(ONE)
    holder = await lab.planned(workspace)
    earlier, urgent, later = [await lab.run(workspace) for _ in range(3)]
    with pytest.raises(TransitionNotAllowed, match="403"):
        await lab.client.runs.force_execute(holder.id)
    await lab.client.runs.force_execute(urgent.id)
    await lab.until(urgent, RunStatus.PLANNED)
    assert [await lab.status(run) for run in (holder, earlier, later)] == ["discarded", "canceled", "pending"]


async def test_force_execute_does_not_displace_an_applying_run(lab: Lab, apply_gate: ApplyGate) -> None:
    workspace, run = await held_apply(lab, apply_gate)
    urgent = await lab.run(workspace)
    with pytest.raises(TransitionNotAllowed):
        await lab.client.runs.force_execute(urgent.id)
    apply_gate.open()
    await lab.until(run, RunStatus.APPLIED)
    await lab.until(urgent, RunStatus.PLANNED_AND_FINISHED)


async def test_manual_lock_keeps_runs_pending_until_it_is_removed(lab: Lab) -> None:
    workspace = await lab.workspace(ONE)
    await lab.lock(workspace)
    runs = [await lab.run(workspace, auto_apply=True) for _ in range(2)]
    await lab.until(await lab.run(workspace, plan_only=True), RunStatus.PLANNED_AND_FINISHED)
    assert [await lab.status(run) for run in runs] == [RunStatus.PENDING] * 2
    await lab.unlock(workspace)
    await lab.until(runs[0], RunStatus.APPLIED)
    await lab.until(runs[1], RunStatus.PLANNED_AND_FINISHED)
    await lab.send("POST", f"/workspaces/{workspace}/actions/unlock", status=409)


async def test_runs_of_a_workspace_are_executed_in_order(lab: Lab, tmp_path: Path) -> None:
    order = tmp_path / "order"
    main = f"""
        variable "n" {{}}
        resource "terraform_data" "n" {{
          triggers_replace = var.n
          provisioner "local-exec" {{ command = "echo ${{var.n}} >> '{order}'" }}
        }}
    """
    workspace = await lab.workspace(main)
    runs = [await lab.run(workspace, auto_apply=True, variables={"n": str(number)}) for number in range(5)]
    for run in runs:
        await lab.until(run, RunStatus.APPLIED)
    assert order.read_text().split() == ["0", "1", "2", "3", "4"]


async def test_plan_only_run_is_executed_during_an_apply(lab: Lab, apply_gate: ApplyGate) -> None:
    workspace, run = await held_apply(lab, apply_gate)
    await lab.until(await lab.run(workspace, plan_only=True), RunStatus.PLANNED_AND_FINISHED)
    await lab.until(await lab.run(workspace, save_plan=True), RunStatus.PLANNED_AND_SAVED)
    assert await lab.status(run) == RunStatus.APPLYING
    apply_gate.open()
    await lab.until(run, RunStatus.APPLIED)


async def test_single_worker_prefers_applies_then_plans_then_plan_only_runs(
    new_server: NewServer, plan_gate: PlanGate
) -> None:
    async with lab_on(new_server("--workers", "1").start()) as lab:
        confirmable = [await lab.planned(await lab.workspace(ONE)) for _ in range(2)]
        others = [await lab.workspace(ONE) for _ in range(2)]
        _, holder = await held_plan(lab, plan_gate, "worker")
        speculative = [await lab.run(workspace, plan_only=True) for workspace in others]
        plans = [await lab.run(workspace) for workspace in others]
        for run in confirmable:
            await lab.client.runs.apply(run.id)
        waiting = [*speculative, *plans, *confirmable]
        assert {await lab.status(run) for run in waiting} == {RunStatus.PLAN_QUEUED, RunStatus.APPLY_QUEUED}
        queue = await lab.send("GET", "/organizations/default/runs/queue")
        assert len(queue["data"]) >= len(waiting)
        plan_gate.open("worker")
        begun = []
        for run in (*confirmable, *plans, *speculative):
            seen = await lab.until(run, RunStatus.PLANNED, RunStatus.APPLIED, RunStatus.PLANNED_AND_FINISHED)
            key = "applying-at" if seen.status == RunStatus.APPLIED else "planning-at"
            begun.append(str(seen.status_timestamps[key]))
        assert begun == sorted(begun), "confirmable, plans, speculative"
        await lab.until(holder, RunStatus.PLANNED)


async def test_action_that_is_not_allowed_changes_nothing(lab: Lab) -> None:
    workspace = await lab.workspace(ONE)
    run = await lab.applied(workspace)
    actions = lab.client.runs
    for act in (actions.apply, actions.discard, actions.cancel, actions.force_cancel):
        with pytest.raises(TransitionNotAllowed):
            await act(run.id)
    assert await lab.status(run) == RunStatus.APPLIED


async def test_one_of_many_concurrent_applies_is_accepted_and_applied_once(lab: Lab, tmp_path: Path) -> None:
    count = tmp_path / "count"
    workspace = await lab.workspace(local_exec("counted", f"echo x >> '{count}'"))
    run = await lab.planned(workspace)
    codes: list[int] = []

    async def confirm() -> None:
        codes.append((await lab.http.post(f"/api/v2/runs/{run.id}/actions/apply", json={})).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(confirm)
    assert sorted(codes) == [202] + [409] * 7
    await lab.until(run, RunStatus.APPLIED)
    assert count.read_text() == "x\n"


async def _contains(lab: Lab, run: Run, text: str, kind: str = "plan") -> bool:
    return text in await lab.log(run, kind)


async def test_run_is_errored_if_terraform_is_killed(lab: Lab, server: LocalServer, apply_gate: ApplyGate) -> None:
    workspace, run = await held_apply(lab, apply_gate)
    terraform = (server.data_dir / "work" / run.id / "terraform.pid").read_text()
    os.killpg(int(terraform), signal.SIGKILL)
    run = await lab.until(run, RunStatus.ERRORED)
    assert await lab.resources(workspace) >= {"first"}
    assert "-9" in await lab.log(run, "apply")
