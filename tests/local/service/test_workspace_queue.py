"""The queue of a workspace: which runs wait, and what starts them.

Sources: "Run States and Stages"; run modes; run API, the actions.
"""

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from tests.local.support import STATE, Api, actions_of, statements
from tests.support.stores import on_both_stores
from tfruns.local.queue import Priority
from tfruns.local.service.phases import start_phase
from tfruns.local.store.schema import RunRow

pytestmark = on_both_stores


async def test_runs_of_a_workspace_are_first_in_first_out(api: Api) -> None:
    # Contract notes: "Queue: first in, first out per workspace; the current run holds the workspace until it is final."
    runs = [await api.create_run() for _ in range(3)]
    assert [await api.status(run) for run in runs] == ["plan_queued", "pending", "pending"]
    for number, run in enumerate(runs):
        assert [id_ for id_, _, _ in api.dispatches.seen] == [other["id"] for other in runs[: number + 1]]
        api.plan(run, has_changes=False)
        assert await api.status(run) == "planned_and_finished"


async def test_planned_run_holds_its_workspace(api: Api) -> None:
    first = await api.planned()
    second = await api.create_run()
    assert await api.status(second) == "pending"
    workspace = (await api.get(f"/workspaces/{api.workspace_id}"))["data"]
    assert workspace["attributes"]["locked"] is True
    assert workspace["relationships"]["locked-by"]["data"] == {"type": "runs", "id": first["id"]}
    await api.act(first, "discard")
    assert await api.status(second) == "plan_queued"


@pytest.mark.parametrize("status", ["errored", "canceled"])
@pytest.mark.parametrize("kind", ["plan", "apply"])
async def test_next_run_starts_when_a_phase_fails(api: Api, kind: str, status: str) -> None:
    first = await api.applying() if kind == "apply" else await api.create_run()
    second = await api.create_run()
    if kind == "plan":
        assert api.begin(first)
    api.end(first, kind, status=status)
    assert [await api.status(run) for run in (first, second)] == [status, "plan_queued"]


async def test_workspaces_have_independent_queues(api: Api) -> None:
    await api.create_run()
    other = await api.create_workspace("storage")
    await api.configured(other)
    assert await api.status(await api.create_run(other)) == "plan_queued"


async def test_plan_only_run_bypasses_queue_and_lock(api: Api) -> None:
    # Contract notes: "Plan-only runs and the plan of a saved-plan run ignore queue and lock."
    await api.create_run()
    for option in ("plan_only", "save_plan"):
        assert await api.status(await api.create_run(**{option: True})) == "plan_queued"
    other = await api.create_workspace("storage")
    await api.configured(other)
    await api.post(f"/workspaces/{other}/actions/lock", {"reason": "repairs"}, 200)
    for option in ("plan_only", "save_plan"):
        assert await api.status(await api.create_run(other, **{option: True})) == "plan_queued"
    assert [priority for _, _, priority in api.dispatches.seen] == [
        Priority.PLAN, Priority.SPECULATIVE_PLAN, Priority.PLAN, Priority.SPECULATIVE_PLAN, Priority.PLAN,
    ]  # fmt: skip


async def test_plan_only_run_finishes_without_holding_the_workspace(api: Api) -> None:
    holder = await api.create_run()
    run = await api.create_run(plan_only=True)
    api.plan(run)
    assert await api.status(run) == "planned_and_finished"
    assert await api.status(holder) == "plan_queued"
    current = (await api.get(f"/workspaces/{api.workspace_id}"))["data"]["relationships"]["current-run"]["data"]
    assert current["id"] == holder["id"]


async def test_runs_of_a_locked_workspace_wait_for_the_unlock(api: Api) -> None:
    # Contract notes: "With a manual lock new runs are accepted and stay pending."
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", {}, 200)
    run = await api.create_run()
    assert await api.status(run) == "pending"
    assert api.dispatches.seen == []
    await api.post(f"/workspaces/{api.workspace_id}/actions/unlock", None, 200)
    assert await api.status(run) == "plan_queued"


async def test_refused_request_dispatches_nothing(api: Api) -> None:
    await api.create_run(status=422, is_destroy=True, refresh_only=True)
    assert api.dispatches.seen == []


# -- saved plans ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [None, "is_destroy", "allow_empty_apply", "auto_apply", "refresh_only"])
async def test_saved_plan_waits_without_holding_the_workspace(api: Api, option: str | None) -> None:
    # Contract notes: "save-plan -> planned_and_saved, never auto-applied."
    run = await api.create_run(save_plan=True, **({option: True} if option else {}))
    api.plan(run)
    assert await api.status(run) == "planned_and_saved"
    assert await api.status(await api.create_run()) == "plan_queued"


async def test_saved_plan_is_applied_only_in_a_free_workspace(api: Api) -> None:
    # Contract notes: "A saved plan also needs the workspace unlocked and no other current run, and then becomes
    # current."
    saved = await api.planned(save_plan=True)
    holder = await api.create_run()
    refused = await api.act(saved, "apply", 409)
    assert refused[0]["title"] == "transition not allowed"
    await api.act(holder, "cancel")
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    await api.act(saved, "apply", 409)
    await api.post(f"/workspaces/{api.workspace_id}/actions/unlock", None, 200)
    await api.act(saved, "apply")
    assert await api.status(saved) == "apply_queued"
    assert api.dispatches.seen[-1] == (saved["id"], "apply", Priority.APPLY)
    workspace = (await api.get(f"/workspaces/{api.workspace_id}"))["data"]["relationships"]
    assert workspace["current-run"]["data"]["id"] == workspace["locked-by"]["data"]["id"] == saved["id"]
    assert await api.status(await api.create_run()) == "pending"


async def test_saved_plan_is_confirmable_only_in_a_free_workspace(api: Api) -> None:
    # Contract notes, section 3: planned_and_saved is confirmable "if the workspace is free".
    saved = [await api.create_run(save_plan=True) for _ in range(3)]
    for run in saved:
        api.plan(run)
    path = f"/workspaces/{api.workspace_id}"

    async def confirmable() -> set[bool]:
        listed = (await api.get(f"{path}/runs", **{"filter[status]": "planned_and_saved"}))["data"]
        assert len(listed) == 3
        return {"confirmable" in actions_of(run) for run in (*listed, await api.run(saved[0]))}

    assert await confirmable() == {True}
    await api.post(f"{path}/actions/lock", None, 200)
    assert await confirmable() == {False}
    await api.post(f"{path}/actions/unlock", None, 200)
    await api.create_run()
    assert await confirmable() == {False}
    assert "discardable" in actions_of(await api.run(saved[0]))


async def test_list_of_runs_has_a_constant_number_of_statements(api: Api) -> None:
    numbers = set()
    for _ in range(3):
        api.plan(await api.create_run(save_plan=True))
        with statements(api) as seen:
            await api.get(f"/workspaces/{api.workspace_id}/runs", include="workspace,plan,created_by")
        numbers.add(len(seen))
    assert len(numbers) == 1


async def test_changed_state_discards_saved_plans(api: Api) -> None:
    # Contract notes: "Saved plans are discarded when the state changes."
    saved, applied = await api.planned(save_plan=True), await api.planned(save_plan=True)
    await api.act(applied, "apply")
    api.apply(applied, state=STATE)
    assert [await api.status(run) for run in (saved, applied)] == ["discarded", "applied"]


# -- force-execute ----------------------------------------------------------------------------------------------------


async def test_force_execute_discards_the_holder_and_cancels_earlier_runs(api: Api) -> None:
    # Contract notes: "it is discarded, all earlier unfinished runs are canceled".
    holder = await api.planned()
    earlier, chosen, later = [await api.create_run() for _ in range(3)]
    await api.act(chosen, "force-execute")
    statuses = [await api.status(run) for run in (holder, earlier, chosen, later)]
    assert statuses == ["discarded", "canceled", "plan_queued", "pending"]
    assert api.dispatches.phases_of(chosen["id"]) == ["plan"]
    assert api.dispatches.phases_of(earlier["id"]) == []


async def test_force_execute_ignores_runs_outside_the_queue(api: Api) -> None:
    await api.planned()
    speculative, saved = await api.create_run(plan_only=True), await api.planned(save_plan=True)
    await api.act(await api.create_run(), "force-execute")
    assert [await api.status(run) for run in (speculative, saved)] == ["plan_queued", "planned_and_saved"]


async def test_force_execute_of_a_run_that_is_not_pending_is_403(api: Api) -> None:
    # Contract notes: "403 if not pending or not locked".
    errors = await api.act(await api.create_run(), "force-execute", 403)
    assert errors[0]["title"] == "forbidden"


async def test_force_execute_in_a_workspace_locked_by_a_person_is_403(api: Api) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    run = await api.create_run()
    await api.act(run, "force-execute", 403)
    assert await api.status(run) == "pending"


async def test_force_execute_is_409_while_the_holder_is_not_discardable(api: Api) -> None:
    # Contract notes: "409 if the lock's holder cannot be discarded".
    holder = await api.create_run()
    earlier, chosen = await api.create_run(), await api.create_run()
    errors = await api.act(chosen, "force-execute", 409)
    assert errors[0]["title"] == "transition not allowed"
    assert [await api.status(run) for run in (holder, earlier, chosen)] == ["plan_queued", "pending", "pending"]


# -- cancel and force-cancel ------------------------------------------------------------------------------------------


async def test_cancel_of_a_pending_run_is_immediate(api: Api) -> None:
    # Contract notes: "cancel: pending -> canceled at once (both phases unreachable)."
    holder, run, third = [await api.create_run() for _ in range(3)]
    await api.act(run, "cancel")
    assert await api.status(run) == "canceled"
    for kind in ("plans", "applies"):
        name = "plan" if kind == "plans" else "apply"
        id_ = run["relationships"][name]["data"]["id"]
        assert (await api.get(f"/{kind}/{id_}"))["data"]["attributes"]["status"] == "unreachable"
    assert [await api.status(other) for other in (holder, third)] == ["plan_queued", "pending"]


async def test_cancel_of_a_queued_run_starts_the_next_run(api: Api) -> None:
    run, following = await api.create_run(), await api.create_run()
    await api.act(run, "cancel")
    assert [await api.status(other) for other in (run, following)] == ["canceled", "plan_queued"]
    assert api.begin(run) is False  # its dispatch is ignored


async def test_cancel_while_running_changes_the_status_when_it_stops(api: Api) -> None:
    # Contract notes: "Running: SIGINT, the status changes when the process has ended. A second cancel is 409."
    run = await api.applying()
    following = await api.create_run()
    await api.act(run, "cancel")
    shown = await api.run(run)
    assert shown["attributes"]["status"] == "applying"
    assert shown["attributes"]["canceled-at"] == "2026-01-02T03:04:05.000Z"  # go-tfe requires the Z
    assert shown["attributes"]["force-cancel-available-at"] == "2026-01-02T03:04:15.000Z"
    assert "cancelable" not in actions_of(shown)
    await api.act(run, "cancel", 409)
    assert await api.status(following) == "pending"
    api.end(run, "apply", status="canceled")
    assert [await api.status(other) for other in (run, following)] == ["canceled", "plan_queued"]


async def test_force_cancel_requires_a_cancel_and_its_cool_off(api: Api) -> None:
    # Contract notes: "force-cancel: needs an earlier cancel and the cool-off".
    run = await api.applying()
    await api.act(run, "force-cancel", 409)
    await api.act(run, "cancel")
    api.clock.advance(9.9)
    assert "force-cancelable" not in actions_of(await api.run(run))
    await api.act(run, "force-cancel", 409)
    api.clock.advance(0.1)
    assert "force-cancelable" in actions_of(await api.run(run))
    await api.act(run, "force-cancel")


async def test_force_cancel_starts_the_next_run_after_the_kill(api: Api) -> None:
    # Contract notes: "never emit run status `force_canceled` (use `canceled` with `force-canceled-at`)".
    run = await api.applying()
    following = await api.create_run()
    await api.act(run, "cancel")
    api.clock.advance(10)
    await api.act(run, "force-cancel")
    shown = await api.run(run)
    assert shown["attributes"]["status"] == "canceled"
    assert "force-canceled-at" in shown["attributes"]["status-timestamps"]
    assert await api.status(following) == "pending"
    api.end(run, "apply", status="errored", state=STATE)
    assert [await api.status(other) for other in (run, following)] == ["canceled", "plan_queued"]
    current = await api.get(f"/workspaces/{api.workspace_id}/current-state-version")
    assert current["data"]["attributes"]["serial"] == 1  # the state of the killed apply is kept


# -- phases -----------------------------------------------------------------------------------------------------------


async def test_phase_starts_once(api: Api) -> None:
    run = await api.planned()
    await api.act(run, "apply")
    assert [api.begin(run, "apply", lease) for lease in ("one", "two", "one")] == [True, False, False]


async def test_orphaned_apply_is_recovered_and_its_old_result_ignored(api: Api) -> None:
    run = await api.applying()
    with api.backend.database.write() as write:
        begun = start_phase(api.backend, write, run["id"], "apply", "after")
    assert begun is not None
    assert begun.is_recovery
    api.end(run, "apply")
    assert await api.status(run) == "applying"
    api.end(run, "apply", "after", status="errored", state=STATE)
    assert await api.status(run) == "errored"
    assert (await api.get(f"/workspaces/{api.workspace_id}/current-state-version"))["data"]


async def test_force_canceled_run_of_a_killed_server_releases_on_resume(
    api: Api,
) -> None:
    run = await api.applying()
    waiting = await api.create_run()
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    assert await api.status(waiting) == "pending"
    with api.backend.database.write() as write:
        begun = start_phase(api.backend, write, run["id"], "apply", "after")
    assert begun is not None
    assert begun.is_recovery
    api.end(run, "apply", "after", status="errored")
    assert (await api.status(run), await api.status(waiting)) == ("canceled", "plan_queued")


async def test_orphaned_plan_starts_again_and_its_old_result_is_ignored(api: Api) -> None:
    run = await api.create_run()
    assert api.begin(run, lease="before the crash")
    assert api.begin(run, lease="after")
    api.end(run, lease="before the crash", status="errored")
    assert await api.status(run) == "planning"
    api.end(run, lease="after")
    assert await api.status(run) == "planned"


async def test_database_prevents_two_holders_of_a_workspace(api: Api) -> None:
    await api.create_run()
    second = await api.create_run()
    take_it = update(RunRow).where(RunRow.id == second["id"]).values(holds_workspace=True)
    with pytest.raises(IntegrityError), api.backend.database.write() as write:
        write.session.execute(take_it)


async def test_queue_of_an_organization_is_in_order(api: Api) -> None:
    runs = [await api.create_run() for _ in range(3)]
    assert api.begin(runs[0])
    document = await api.get("/organizations/default/runs/queue")
    assert [(item["id"], item["attributes"]["position-in-queue"]) for item in document["data"]] == [
        (runs[1]["id"], 1),
        (runs[2]["id"], 2),
    ]
    capacity = (await api.get("/organizations/default/capacity"))["data"]["attributes"]
    assert capacity == {"pending": 2, "running": 1}
