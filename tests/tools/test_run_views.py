"""The views of a run: flat, in snake_case, without empty fields, and within the limit."""

import re
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, query
from tests.support.tables import rows
from tests.tools.calls import RUN_ID, WORKSPACE_ID, call, compact, willing_api, with_names

MAX_DETAILS_BYTES = 1_500

DETAILS = [
    "id",
    "status",
    "status_group",
    "phase",
    "message",
    "created_at",
    "status_timestamps",
    "operation",
    "has_changes",
    "auto_apply",
    "source",
    "workspace_id",
    "workspace_name",
    "configuration_version_id",
    "plan_id",
    "apply_id",
    "cost_estimate_id",
    "created_by",
    "allowed_actions",
    "follows",
    "next_actions",
    "url",
]


async def details(run: dict[str, Any], *, has_names: bool = True) -> Any:
    document = with_names({"data": run}) if has_names else {"data": run}
    return await call("get_run_details", api=FakeApi().on("GET", f"/runs/{run['id']}", answer(document)))


@pytest.mark.anyio
async def test_details_of_a_run_contain_the_usual_fields() -> None:
    view = await details(samples.run())
    assert list(view) == DETAILS
    assert view == {
        "id": RUN_ID,
        "status": "pending",
        "status_group": "non_final",
        "phase": "pending",
        "message": "Custom message",
        "created_at": "2021-05-24T07:38:04Z",
        "status_timestamps": {"plan_queueable_at": "2021-05-24T07:38:04Z"},
        "operation": "plan_and_apply",
        "has_changes": False,
        "auto_apply": False,
        "source": "tfe-api",
        "workspace_id": WORKSPACE_ID,
        "workspace_name": "network",
        "configuration_version_id": "cv-n4XQPBa2QnecZJ4G",
        "plan_id": "plan-8F5JFydVYAmtTjET",
        "apply_id": "apply-47MBvjwzBG8YKc2v",
        "cost_estimate_id": "ce-BPvFFrYCqRV6qVBK",
        "created_by": "operator",
        "allowed_actions": ["discard", "cancel"],
        "follows": view["follows"],
        "next_actions": view["next_actions"],
        "url": f"https://tfe.example.com/app/acme/workspaces/network/runs/{RUN_ID}",
    }


@pytest.mark.anyio
async def test_names_in_the_details_are_included_with_the_run() -> None:
    api = willing_api()
    await call("get_run_details", api=api)
    (request,) = api.requests
    assert query(request) == {"include": "workspace,created_by"}


@pytest.mark.anyio
@pytest.mark.parametrize("has_names", [True, False])
async def test_details_stay_within_the_limit(has_names: bool) -> None:
    assert len(compact(await details(samples.run(), has_names=has_names))) <= MAX_DETAILS_BYTES


_ALL_TIMESTAMPS = {
    f"{key}-at": "2021-05-24T07:38:04+00:00"
    for key in [
        *("plan-queueable", "plan-queued", "planning", "planned", "cost-estimating", "cost-estimated"),
        *("policy-checked", "confirmed", "queuing-apply", "apply-queued", "applying", "applied"),
    ]
}


@pytest.mark.anyio
async def test_details_of_a_run_with_all_statuses_stay_within_the_limit() -> None:
    run = samples.run(status="applied", status_timestamps=_ALL_TIMESTAMPS, actions=samples.actions())
    assert len(compact(await details(run))) <= MAX_DETAILS_BYTES


@pytest.mark.anyio
@rows(
    "run",
    [
        samples.run(),
        samples.planned(),
        samples.run(message="", source=None, created_at=None, status_timestamps={}, has_changes=None, auto_apply=None),
        {"id": RUN_ID, "type": "runs", "attributes": {"status": "applied"}},
    ],
    ids=["pending", "planned", "sparse", "bare"],
)
async def test_view_omits_empty_fields(run: dict[str, Any]) -> None:
    view = await details(run, has_names=False)
    assert view["id"] == RUN_ID
    for key, value in view.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", key)
        assert value not in (None, "", {}), key
        assert value != [] or key == "allowed_actions", key
        assert not isinstance(value, dict) or key == "status_timestamps"


@pytest.mark.anyio
async def test_message_cannot_move_a_cursor_or_reverse_text() -> None:
    run = samples.run(message="safe\x1b[2J \u202eevil\u200b\r\nsecond")
    assert (await details(run))["message"] == "safe evil\nsecond"
    row = (await call("list_runs_in_workspace", api=willing_api(run)))["runs"][0]
    assert row["message"] == "safe evil second"


@pytest.mark.anyio
async def test_first_of_thousands_of_targets_are_shown_and_others_counted() -> None:
    run = samples.run(
        target_addrs=[f"aws_instance.web[{number}]" for number in range(5_000)], replace_addrs=["x" * 900]
    )
    view = await call("get_run_details", api=willing_api(run))
    assert view["target_addrs"][0] == "aws_instance.web[0]"
    assert view["target_addrs"][20:] == ["… 4980 more"]
    assert len(compact(view)) < 3_000


@pytest.mark.anyio
async def test_final_run_has_no_allowed_actions() -> None:
    view = await details(samples.run(status="applied", actions=samples.actions()))
    assert view["allowed_actions"] == []
    assert view["follows"].startswith("Final")
    assert view["status_group"] == "final"


@pytest.mark.anyio
async def test_values_of_variables_are_not_shown() -> None:
    view = await details(samples.run(variables=[{"key": "password", "value": '"hunter2-Zx81"'}]))
    assert view["variables"] == ["password"]
    assert b"hunter2" not in compact(view)


@pytest.mark.anyio
@rows(
    ("attributes", "operation"),
    [
        ({"plan_only": True}, "plan_only"),
        ({"refresh_only": True}, "refresh_only"),
        ({"is_destroy": True}, "destroy"),
        ({"allow_empty_apply": True}, "empty_apply"),
        ({"save_plan": True}, "save_plan"),
        ({}, "plan_and_apply"),
    ],
)
async def test_operation_of_a_run_is_shown(attributes: dict[str, Any], operation: str) -> None:
    assert (await details(samples.run(**attributes)))["operation"] == operation


@pytest.mark.anyio
@rows(
    ("attributes", "expected"),
    [
        ({"status": "planned", "actions": samples.actions("confirmable", "discardable")}, "Waits for a person"),
        (
            {"status": "planned", "actions": samples.actions("confirmable", "discardable"), "auto_apply": True},
            "without confirmation",
        ),
        (
            {
                "status": "planned",
                "actions": samples.actions("confirmable", "discardable"),
                "permissions": {"can-apply": False},
            },
            "this token may not",
        ),
        (
            {
                "status": "applying",
                "actions": samples.actions(),
                "canceled_at": "2021-05-24T07:40:00Z",
                "force_cancel_available_at": "2021-05-24T07:41:00Z",
            },
            "force-cancel is possible from 2021-05-24T07:41:00Z",
        ),
        (
            {
                "status": "applying",
                "actions": samples.actions("force-cancelable"),
                "canceled_at": "2021-05-24T07:40:00Z",
            },
            "may lose state",
        ),
    ],
)
async def test_follows_is_one_sentence(attributes: dict[str, Any], expected: str) -> None:
    assert expected in (await details(samples.run(**attributes)))["follows"]


@pytest.mark.anyio
async def test_forbidden_actions_are_not_allowed_actions() -> None:
    view = await details(samples.planned(permissions={"can-apply": False, "can-discard": True}))
    assert view["allowed_actions"] == ["discard"]
