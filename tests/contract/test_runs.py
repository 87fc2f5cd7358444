"""The life of a run, its actions, and lists of runs."""

import pytest

from tests.contract.manifest import meets
from tests.local.support import STATE, Api, Json, actions_of, archive

_LOCK = "/workspaces/{}/actions/lock"


async def _in_status(api: Api, status: str) -> Json:
    """Create a run in this status."""
    if status == "pending":
        await api.create_run()
    run = await api.create_run(save_plan=status == "planned_and_saved")
    if status in {"planning", "errored"}:
        api.begin(run)
    elif status not in {"pending", "plan_queued"}:
        api.plan(run, has_changes=status != "planned_and_finished")
    if status in {"apply_queued", "applying", "applied"}:
        await api.act(run, "apply")
    if status in {"applying", "applied"}:
        api.begin(run, "apply")
    if status == "applied":
        api.end(run, "apply")
    elif status == "errored":
        api.end(run, status="errored")
    elif status == "discarded":
        await api.act(run, "discard")
    assert await api.status(run) == status
    return run


@pytest.mark.parametrize(
    ("status", "possible", "accepted"),
    [
        ("pending", {"cancelable"}, {"cancel", "discard"}),
        ("plan_queued", {"cancelable"}, {"cancel"}),
        ("planning", {"cancelable"}, {"cancel"}),
        ("planned", {"confirmable", "discardable"}, {"apply", "discard"}),
        ("planned_and_saved", {"confirmable", "discardable"}, {"apply", "discard"}),
        ("apply_queued", {"cancelable"}, {"cancel"}),
        ("applying", {"cancelable"}, {"cancel"}),
        *((status, set(), set()) for status in ("applied", "planned_and_finished", "errored", "discarded")),
    ],
)
@meets("actions-by-status")
async def test_only_the_permitted_actions_of_a_status_are_accepted(
    api: Api, status: str, possible: set[str], accepted: set[str]
) -> None:
    run = await _in_status(api, status)
    assert actions_of(await api.run(run)) == possible
    for action in {"apply", "discard", "cancel", "force-cancel"} - accepted:
        assert (await api.act(run, action, 409))[0]["title"] == "transition not allowed"
        assert await api.status(run) == status
    if accepted:
        await api.act(run, min(accepted))


@meets("apply", "comments")
async def test_apply_queues_the_run_and_sets_confirmed_by(api: Api) -> None:
    run = await api.planned()
    assert "confirmed-by" not in (await api.run(run))["relationships"]
    await api.act(run, "apply", comment="go")
    shown = await api.run(run)
    assert shown["attributes"]["status"] == "apply_queued"
    assert shown["relationships"]["confirmed-by"]["data"]["type"] == "users"
    assert [item["attributes"]["body"] for item in (await api.get(f"/runs/{run['id']}/comments"))["data"]] == ["go"]
    events = (await api.get(f"/runs/{run['id']}/run-events"))["data"]
    assert [event for event in events if event["relationships"]["comment"]["data"]]
    errors = await api.act(run, "apply", 409)
    assert errors[0]["detail"] == "Run was not paused for confirmation; apply not allowed."


@meets("queue", "discard")
async def test_runs_of_a_workspace_are_first_in_first_out(api: Api) -> None:
    runs = [await api.create_run() for _ in range(3)]
    assert [await api.status(run) for run in runs] == ["plan_queued", "pending", "pending"]
    api.plan(runs[0])
    await api.act(runs[0], "discard")
    assert [await api.status(run) for run in runs] == ["discarded", "plan_queued", "pending"]


@meets("cancel-pending")
async def test_run_that_has_not_started_is_canceled_immediately(api: Api) -> None:
    run = await _in_status(api, "pending")
    await api.act(run, "cancel")
    assert await api.status(run) == "canceled"
    for kind, name in (("plans", "plan"), ("applies", "apply")):
        phase = await api.get(f"/{kind}/{run['relationships'][name]['data']['id']}")
        assert phase["data"]["attributes"]["status"] == "unreachable"


@meets("cancel-running")
async def test_cancel_of_a_running_phase_interrupts_it_once(api: Api) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    assert await api.status(run) == "applying"
    await api.act(run, "cancel", 409)
    api.end(run, "apply", status="canceled")
    assert await api.status(run) == "canceled"


@meets("force-cancel")
async def test_force_cancel_needs_a_cancel_and_its_cool_off(api: Api) -> None:
    run = await api.applying()
    await api.act(run, "force-cancel", 409)
    await api.act(run, "cancel")
    await api.act(run, "force-cancel", 409)
    api.clock.advance(10)
    await api.act(run, "force-cancel")
    assert await api.status(run) == "canceled"


@meets("force-execute")
async def test_force_execute_displaces_only_a_run_that_waits(api: Api) -> None:
    holder = await api.create_run()
    await api.act(holder, "force-execute", 403)
    earlier, chosen = await api.create_run(), await api.create_run()
    await api.act(chosen, "force-execute", 409)
    api.plan(holder)
    await api.act(chosen, "force-execute")
    assert [await api.status(run) for run in (holder, earlier, chosen)] == ["discarded", "canceled", "plan_queued"]


@meets("manual-lock", "unqueued")
async def test_lock_blocks_only_runs_that_can_apply(api: Api) -> None:
    await api.post(_LOCK.format(api.workspace_id), {"reason": "repairs"}, 200)
    waiting = await api.create_run()
    others = [await api.create_run(plan_only=True), await api.create_run(save_plan=True)]
    assert [await api.status(run) for run in (waiting, *others)] == ["pending", "plan_queued", "plan_queued"]


@meets("unlock-conflict")
async def test_unlock_of_a_workspace_that_a_run_holds_is_409(api: Api) -> None:
    run = await api.create_run()
    await api.post(_LOCK.format(api.workspace_id), None, 409)
    (error,) = (await api.post(f"/workspaces/{api.workspace_id}/actions/unlock", None, 409))["errors"]
    assert error == {
        "status": "409",
        "title": "conflict",
        "detail": f"Unable to unlock workspace. The workspace is locked by Run {run['id']} and may not be unlocked "
        "except by them.",
    }


@meets("stale-plans")
async def test_saved_plan_is_discarded_when_the_state_changes(api: Api) -> None:
    saved, applied = await api.planned(save_plan=True), await api.planned()
    await api.act(applied, "apply")
    api.apply(applied, state=STATE)
    assert [await api.status(run) for run in (saved, applied)] == ["discarded", "applied"]


# -- create -----------------------------------------------------------------------------------------------------------


def _configuration_of(run: Json) -> str:
    return str(run["relationships"]["configuration-version"]["data"]["id"])


@meets("default-configuration", "provisional")
async def test_default_configuration_is_the_latest_appliable_one(api: Api) -> None:
    latest = await api.configured()
    for option in ("speculative", "provisional"):
        await api.configured(**{option: True})
    assert _configuration_of(await api.create_run()) == latest
    workspace = (await api.get(f"/workspaces/{api.workspace_id}"))["data"]
    assert workspace["relationships"]["current-configuration-version"]["data"]["id"] == latest


@meets("foreign-configuration", "speculative-configuration")
async def test_speculative_configuration_of_another_workspace(api: Api) -> None:
    other = await api.create_workspace("storage")
    configuration_id = await api.configured(other, speculative=True)
    run = await api.create_run(configuration_version_id=configuration_id, plan_only=False)
    assert _configuration_of(run) == configuration_id
    assert run["attributes"]["plan-only"] is True


@meets("create-defaults")
async def test_run_without_options_has_the_defaults(api: Api) -> None:
    run = await api.create_run()
    assert run["attributes"]["message"] == "Queued manually via the Terraform Enterprise API"
    assert "plan-queueable-at" in run["attributes"]["status-timestamps"]
    assert run["relationships"]["run-events"]["data"]


@meets("exclusive-options")
async def test_destroy_and_refresh_only_exclude_each_other(api: Api) -> None:
    errors = await api.create_run(status=422, is_destroy=True, refresh_only=True)
    detail = "invalid run parameters: is_destroy and refresh_only cannot be used together. Set only one of them."
    assert errors == [{"status": "422", "title": "unprocessable entity", "detail": detail}]


@pytest.mark.parametrize("is_queued", [True, False])
@meets("auto-queue-runs")
async def test_upload_queues_a_run_if_auto_queue_runs_is_set(api: Api, *, is_queued: bool) -> None:
    configuration = await api.create_configuration(**{"auto-queue-runs": is_queued})
    assert (await api.upload(configuration, archive())).status_code == 200
    runs = (await api.get(f"/workspaces/{api.workspace_id}/runs"))["data"]
    assert [_configuration_of(run) for run in runs] == [configuration["id"]] * is_queued


# -- lists ------------------------------------------------------------------------------------------------------------


@meets("workspace-lists", "organization-lists", "pages")
async def test_lists_have_pages(api: Api) -> None:
    runs = [await api.create_run(), await api.create_run()]
    await api.create_run(plan_only=True)
    path = f"/workspaces/{api.workspace_id}/runs"
    first = await api.get(path, **{"page[size]": "1"})
    assert [run["id"] for run in first["data"]] == [runs[1]["id"]]
    assert first["meta"]["pagination"] == {
        "current-page": 1, "page-size": 1, "prev-page": None, "next-page": 2, "total-count": 2, "total-pages": 2,
    }  # fmt: skip
    past = await api.get(path, **{"page[number]": "9", "page[size]": "1000"})
    assert (past["data"], past["meta"]["pagination"]["page-size"]) == ([], 100)
    assert (await api.get(path))["meta"]["pagination"]["page-size"] == 20
    assert "total-count" not in (await api.get("/organizations/default/runs"))["meta"]["pagination"]


@meets("bad-include")
async def test_unknown_include_is_named_in_the_error(api: Api) -> None:
    run = await api.create_run()
    errors = (await api.get(f"/runs/{run['id']}", 400, include="nonsense"))["errors"]
    assert "include parameter" in errors[0]["detail"]
