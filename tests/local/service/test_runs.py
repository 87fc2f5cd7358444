"""Runs: creating, reading and actions. Source: HCP Terraform API, "Runs"."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.local.support import API, Api, actions_of, run_body
from tests.support.tables import rows
from tfruns.local.service.phases import start_phase

MISSING_ID = "run-0000000000000000"

# -- create -----------------------------------------------------------------------------------------------------------


async def test_new_run_has_the_defaults_of_the_api(api: Api) -> None:
    run = await api.create_run()
    assert re.fullmatch(r"run-[A-Za-z0-9]{16}", run["id"])
    attributes = run["attributes"]
    # Contract notes: "Message default `Queued manually via the Terraform Enterprise API`."
    assert attributes["message"] == "Queued manually via the Terraform Enterprise API"
    expected = {
        "source": "tfe-api", "refresh": True, "auto-apply": False, "plan-only": False, "save-plan": False,
        "is-destroy": False, "refresh-only": False, "allow-empty-apply": False, "has-changes": False, "variables": [],
        "created-at": "2026-01-02T03:04:05.000Z", "terraform-version": "1.11.4",
    }  # fmt: skip
    assert {name: attributes[name] for name in expected} == expected


async def test_new_run_has_the_attributes_that_clients_require(api: Api) -> None:
    # Contract notes: "a created run has `plan-queueable-at`, a non-empty run-events relationship"; the CLI panics
    # without the relationships to plan, apply and workspace, and without `actions`.
    run = await api.create_run()
    assert run["attributes"]["status-timestamps"] == {
        "plan-queueable-at": "2026-01-02T03:04:05.000Z", "plan-queued-at": "2026-01-02T03:04:05.000Z",
    }  # fmt: skip
    related = run["relationships"]
    assert related["run-events"]["data"]
    for name, form in (("plan", "plan-"), ("apply", "apply-"), ("workspace", "ws-"), ("configuration-version", "cv-")):
        assert re.fullmatch(form + r"[A-Za-z0-9]{16}", related[name]["data"]["id"])
    assert set(run["attributes"]["actions"]) == {
        "is-cancelable", "is-confirmable", "is-discardable", "is-force-cancelable",
    }  # fmt: skip
    assert {"can-apply", "can-cancel", "can-discard", "can-force-cancel", "can-force-execute"} <= set(
        run["attributes"]["permissions"]
    )
    assert run["links"]["self"] == f"{API}/runs/{run['id']}"


async def test_terraform_version_of_a_run_is_that_of_its_plan(api: Api) -> None:
    run = await api.create_run()
    upgraded = replace(api.backend, terraform_version="1.12.0")
    with upgraded.database.write() as write:
        start_phase(upgraded, write, run["id"], "plan", "after the upgrade")
    assert (await api.run(run))["attributes"]["terraform-version"] == "1.12.0"


async def test_run_returns_its_options(api: Api) -> None:
    # Contract notes: "echoes message, refresh, auto-apply, …, replace-addrs, target-addrs, variables".
    options: dict[str, Any] = {
        "message": "Custom message", "refresh": False, "auto_apply": True, "allow_empty_apply": True,
        "target_addrs": ["terraform_data.a"], "replace_addrs": ["terraform_data.b"],
        "variables": [{"key": "region", "value": '"eu"'}],
    }  # fmt: skip
    run = await api.create_run(**options)
    shown = (await api.run(run))["attributes"]
    assert {name: shown[name.replace("_", "-")] for name in options} == options


async def test_every_option_of_a_run_can_be_null(api: Api) -> None:
    names = ("message", "auto_apply", "is_destroy", "refresh", "refresh_only", "plan_only", "save_plan", "variables",
             "target_addrs", "replace_addrs", "terraform_version", "allow_empty_apply")  # fmt: skip
    options: dict[str, Any] = dict.fromkeys(names)
    run = await api.create_run(**options)
    assert run["attributes"]["refresh"] is True


async def test_auto_apply_defaults_to_the_workspace_setting(api: Api) -> None:
    workspace_id = await api.create_workspace("storage", **{"auto-apply": True})
    await api.configured(workspace_id)
    assert (await api.create_run(workspace_id))["attributes"]["auto-apply"] is True
    assert (await api.create_run(workspace_id, auto_apply=False))["attributes"]["auto-apply"] is False


async def test_source_of_a_run_of_the_terraform_cli(api: Api) -> None:
    # Contract notes: "Source is `terraform+cloud` with the header `X-Terraform-Integration: cloud`."
    headers = {"x-terraform-integration": "cloud"}
    document = await api.send("POST", "/runs", status=201, json=run_body(api.workspace_id), headers=headers)
    assert document["data"]["attributes"]["source"] == "terraform+cloud"


async def test_workspace_and_configuration_can_be_attributes(api: Api) -> None:
    # Contract notes: pytfe "puts `workspace` and `configuration-version` inside attributes on create".
    configuration_id = await api.configured()
    attributes = {"workspace": {"id": api.workspace_id}, "configuration-version": {"id": configuration_id}}
    document = await api.post("/runs", {"data": {"type": "runs", "attributes": attributes}})
    assert document["data"]["relationships"]["configuration-version"]["data"]["id"] == configuration_id


@rows(
    ("options", "reason"),
    [
        ({"is_destroy": True, "refresh_only": True}, "is_destroy and refresh_only cannot be used together."),
        ({"plan_only": True, "save_plan": True}, "save_plan and plan_only cannot be used together"),
        ({"plan_only": True, "allow_empty_apply": True}, "allow_empty_apply and plan_only cannot be used together"),
        ({"terraform_version": "1.11.4"}, "terraform_version requires plan_only."),
    ],
)
async def test_options_that_exclude_each_other_are_refused(api: Api, options: dict[str, Any], reason: str) -> None:
    (error,) = await api.create_run(status=422, **options)
    assert error["title"] == "unprocessable entity"
    assert error["detail"].startswith(f"invalid run parameters: {reason}")


async def test_plan_only_run_can_request_only_the_installed_terraform(api: Api) -> None:
    await api.create_run(plan_only=True, terraform_version="1.11.4")
    (error,) = await api.create_run(status=422, plan_only=True, terraform_version="0.11.0")
    assert error["detail"] == (
        "The run cannot be created: Terraform 0.11.0 is not available. Omit terraform_version to use 1.11.4, which is "
        "installed."
    )


async def test_destroy_plan_is_422_if_the_workspace_forbids_it(api: Api) -> None:
    await api.send(
        "PATCH", f"/workspaces/{api.workspace_id}", status=200,
        json={"data": {"type": "workspaces", "attributes": {"allow-destroy-plan": False}}},
    )  # fmt: skip
    await api.create_run(status=422, is_destroy=True)


async def test_run_without_workspace_is_422_and_unknown_workspace_404(api: Api) -> None:
    await api.post("/runs", {"data": {"type": "runs", "attributes": {}}}, 422)
    errors = await api.create_run("ws-0000000000000000", status=404)
    detail = "The workspace ws-0000000000000000 does not exist."
    assert errors == [{"status": "404", "title": "not found", "detail": detail}]


async def test_refused_run_leaves_no_rows(api: Api) -> None:
    await api.create_run(status=422, is_destroy=True, refresh_only=True)
    document = await api.get(f"/workspaces/{api.workspace_id}/runs")
    assert (document["data"], document["meta"]["pagination"]["total-count"]) == ([], 0)


# -- after the plan ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "has_changes", "status"),
    [
        ({}, True, "planned"),
        ({}, False, "planned_and_finished"),
        ({"auto_apply": True}, True, "apply_queued"),
        ({"auto_apply": True}, False, "planned_and_finished"),
        ({"allow_empty_apply": True}, False, "planned"),
        ({"allow_empty_apply": True, "auto_apply": True}, False, "apply_queued"),
        ({"refresh_only": True}, True, "planned"),
        ({"is_destroy": True}, True, "planned"),
        ({"plan_only": True}, True, "planned_and_finished"),
        ({"save_plan": True}, False, "planned_and_finished"),
    ],
)
async def test_status_after_the_plan(api: Api, options: dict[str, Any], has_changes: bool, status: str) -> None:
    run = await api.create_run(**options)
    api.plan(run, has_changes=has_changes)
    shown = await api.run(run)
    assert (shown["attributes"]["status"], shown["attributes"]["has-changes"]) == (status, has_changes)


async def test_run_without_changes_is_never_applied(api: Api) -> None:
    # Contract notes: "No changes or plan-only -> planned_and_finished, the apply phase `unreachable`."
    run = await api.create_run()
    api.plan(run, has_changes=False, counts={"additions": 0, "changes": 0, "destructions": 0})
    plan = (await api.get(f"/plans/{run['relationships']['plan']['data']['id']}"))["data"]["attributes"]
    apply = (await api.get(f"/applies/{run['relationships']['apply']['data']['id']}"))["data"]["attributes"]
    assert (plan["status"], plan["has-changes"], plan["resource-additions"]) == ("finished", False, 0)
    assert apply["status"] == "unreachable"
    assert (apply["action-invocations"], apply["action-failures"]) == (None, None)


async def test_timestamps_cover_the_whole_run(api: Api) -> None:
    run = await api.planned()
    await api.act(run, "apply")
    api.apply(run)
    shown = (await api.run(run))["attributes"]
    assert shown["status"] == "applied"
    assert set(shown["status-timestamps"]) == {
        "plan-queueable-at", "plan-queued-at", "planning-at", "planned-at", "confirmed-at", "apply-queued-at",
        "applying-at", "applied-at",
    }  # fmt: skip


# -- actions ----------------------------------------------------------------------------------------------------------


async def test_payload_shows_the_possible_actions(api: Api) -> None:
    # Contract notes, section 3: cancelable / confirmable / discardable / force-cancelable by status.
    run, waiting = await api.create_run(), await api.create_run()
    assert actions_of(await api.run(waiting)) == {"cancelable"}
    assert actions_of(await api.run(run)) == {"cancelable"}
    api.plan(run)
    assert actions_of(await api.run(run)) == {"confirmable", "discardable"}
    await api.act(run, "apply")
    assert actions_of(await api.run(run)) == {"cancelable"}
    api.apply(run)
    assert actions_of(await api.run(run)) == set()


async def test_action_responds_with_202_and_null(api: Api) -> None:
    # Contract notes: "Some clients parse the 202 body of an action as JSON: answer `null`."
    run = await api.planned()
    answer = await api.http.post(f"{API}/runs/{run['id']}/actions/apply", content=b"")
    assert (answer.status_code, answer.content) == (202, b"null")


async def test_confirmed_by_appears_after_the_confirmation(api: Api) -> None:
    run = await api.planned()
    assert "confirmed-by" not in (await api.run(run))["relationships"]
    await api.act(run, "apply")
    user = (await api.get("/account/details"))["data"]
    assert (await api.run(run))["relationships"]["confirmed-by"]["data"]["id"] == user["id"]


async def test_comment_of_an_action_is_stored_with_its_event(api: Api) -> None:
    run = await api.planned()
    await api.act(run, "apply", comment="Looks good")
    comments = (await api.get(f"/runs/{run['id']}/comments"))["data"]
    assert [comment["attributes"]["body"] for comment in comments] == ["Looks good"]
    events = await api.get(f"/runs/{run['id']}/run-events", include="actor,comment")
    confirmed = next(event for event in events["data"] if event["attributes"]["action"] == "confirmed")
    assert confirmed["relationships"]["comment"]["data"]["id"] == comments[0]["id"]
    assert {item["type"] for item in events["included"]} == {"users", "comments"}


async def test_comment_is_created_and_read_and_never_empty(api: Api) -> None:
    run = await api.create_run()
    path = f"/runs/{run['id']}/comments"
    comment = (await api.post(path, {"data": {"type": "comments", "attributes": {"body": "Why?"}}}))["data"]
    assert (await api.get(f"/comments/{comment['id']}"))["data"]["attributes"]["body"] == "Why?"
    await api.post(path, {"data": {"type": "comments", "attributes": {"body": "  "}}}, 422)


_NOT_COOL = (
    "Run was not planning or applying, has not been canceled non-forcefully, or the cool-off period has not yet passed."
)
REFUSALS = [
    ("apply", "Run was not paused for confirmation; apply not allowed."),
    ("discard", "Run was not paused for confirmation or priority; discard not allowed."),
    ("force-cancel", _NOT_COOL),
]


@pytest.mark.parametrize(("action", "reason"), REFUSALS)
async def test_action_not_allowed_is_409_and_changes_nothing(api: Api, action: str, reason: str) -> None:
    run = await api.create_run()
    before = await api.run(run)
    errors = await api.act(run, action, 409, comment="Do it")
    assert errors == [{"status": "409", "title": "transition not allowed", "detail": reason}]
    assert await api.run(run) == before


@pytest.mark.parametrize("action", ["apply", "discard", "cancel", "force-cancel"])
async def test_final_run_refuses_every_action(api: Api, action: str) -> None:
    run = await api.planned()
    await api.act(run, "discard")
    await api.act(run, action, 409)
    assert await api.status(run) == "discarded"


async def test_pending_run_can_be_discarded(api: Api) -> None:
    # Contract notes: pending, discard: "not in the payload; but POST discard is accepted".
    await api.create_run()
    run = await api.create_run()
    await api.act(run, "discard")
    assert await api.status(run) == "discarded"


@pytest.mark.parametrize("action", ["apply", "discard", "cancel", "force-cancel", "force-execute"])
@pytest.mark.parametrize("run_id", [MISSING_ID, "run-x", "nonsense"])
async def test_action_on_a_missing_run_is_404(api: Api, action: str, run_id: str) -> None:
    # Contract notes: "also for lack of access, and for malformed ids, on reads and on actions".
    errors = await api.act({"id": run_id}, action, 404)
    assert errors == [{"status": "404", "title": "not found"}]


# -- read -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("include", "kinds"),
    [
        ("workspace", {"workspaces"}),
        ("plan,apply", {"plans", "applies"}),
        ("created_by", {"users"}),
        ("created-by", {"users"}),  # contract: "hyphenated includes"
        ("configuration_version.ingress_attributes", {"configuration-versions"}),
        ("", set()),
    ],
)
async def test_related_resources_are_included_on_request(api: Api, include: str, kinds: set[str]) -> None:
    run = await api.create_run()
    for path in (f"/runs/{run['id']}", f"/workspaces/{api.workspace_id}/runs", "/organizations/default/runs"):
        document = await api.get(path, include=include)
        assert {item["type"] for item in document.get("included", [])} == kinds


@pytest.mark.parametrize("include", ["task_stages", "cost_estimate", "policy_checks"])
async def test_unsupported_includes_are_accepted(api: Api, include: str) -> None:
    # Contract notes: "400 on include=task_stages" is fatal to the Terraform CLI.
    run = await api.create_run()
    assert "included" not in await api.get(f"/runs/{run['id']}", include=include)


@pytest.mark.parametrize("path", ["policy-checks", "task-stages"])
async def test_unsupported_lists_are_empty(api: Api, path: str) -> None:
    run = await api.create_run()
    assert (await api.get(f"/runs/{run['id']}/{path}"))["data"] == []
    await api.get(f"/runs/{MISSING_ID}/{path}", 404)


async def test_times_of_a_run_end_in_z(api: Api) -> None:
    # Contract notes: "`created-at`, `canceled-at`, `force-cancel-available-at` must end in `Z`".
    run = await api.applying()
    await api.act(run, "cancel")
    attributes = (await api.run(run))["attributes"]
    names = ("created-at", "canceled-at", "force-cancel-available-at")
    assert all(attributes[name].endswith("Z") for name in names)
    assert all(time.endswith("Z") for time in attributes["status-timestamps"].values())


async def test_run_links_to_itself_only(api: Api) -> None:
    run = await api.create_run()
    assert run["links"] == {"self": f"/api/v2/runs/{run['id']}"}
