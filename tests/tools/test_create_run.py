"""`create_run`: the request, and that a run never applies automatically unless requested."""

import json
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, body, error
from tests.support.tables import rows
from tests.tools.calls import ASSISTANT, RUN_ID, WORKSPACE_ID, call, failure_of, willing_api, with_names
from tfruns.errors import Forbidden, InvalidInput, NotFound, UnprocessableEntity, WorkspaceBusy, WorkspaceLocked
from tfruns.policy import Policy


async def _sent(params: dict[str, Any] | None, policy: Policy = ASSISTANT) -> dict[str, Any]:
    api = willing_api()
    arguments = {"workspace_id": WORKSPACE_ID} | ({"params": params} if params is not None else {})
    await call("create_run", arguments, api=api, policy=policy)
    (request,) = api.sent("POST")
    data: dict[str, Any] = body(request)["data"]
    return data


@pytest.mark.anyio
@rows("params", [None, {}, {"message": "x"}, {"auto_apply": None}, {"auto_apply": False}])
async def test_run_does_not_apply_automatically_by_default(params: dict[str, Any] | None) -> None:
    assert (await _sent(params))["attributes"]["auto-apply"] is False


@pytest.mark.anyio
async def test_run_applies_automatically_with_auto_apply() -> None:
    assert (await _sent({"auto_apply": True}))["attributes"]["auto-apply"] is True


@pytest.mark.anyio
async def test_each_option_is_sent_under_its_api_name() -> None:
    options: dict[str, Any] = {
        "message": "Widen the network",
        "is_destroy": False,
        "auto_apply": False,
        "refresh": False,
        "refresh_only": False,
        "plan_only": True,
        "target_addrs": ["module.a.x.y"],
        "replace_addrs": ["x.z[0]"],
        "save_plan": False,
        "allow_empty_apply": False,
        "allow_config_generation": True,
        "debugging_mode": True,
        "terraform_version": "1.11.4",
        "policy_paths": ["policies"],
        "invoke_action_addrs": ["action.a.b"],
    }
    data = await _sent(options)
    assert data["attributes"] == {name.replace("_", "-"): value for name, value in options.items()}
    assert data["type"] == "runs"
    assert data["relationships"] == {"workspace": {"data": {"type": "workspaces", "id": WORKSPACE_ID}}}


@pytest.mark.anyio
async def test_configuration_version_is_sent_as_a_relationship() -> None:
    data = await _sent({"configuration_version_id": "cv-n4XQPBa2QnecZJ4G"})
    assert data["relationships"]["configuration-version"] == {
        "data": {"type": "configuration-versions", "id": "cv-n4XQPBa2QnecZJ4G"}
    }
    assert "configuration-version-id" not in data["attributes"]


@pytest.mark.anyio
@rows(
    ("value", "literal"),
    [
        (2, "2"),
        (-1.5, "-1.5"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ([], "[]"),
        ([1, "a", True, None], '[1, "a", true, null]'),
        ({"a": 1}, '{"a" = 1}'),
        ({"a b": {"c": ["d"]}}, '{"a b" = {"c" = ["d"]}}'),
        (["${var.x} %{if}", 'say "x"', "two\nlines"], r'["$${var.x} %%{if}", "say \"x\"", "two\nlines"]'),
        ('"text"', '"text"'),
        ('""', '""'),
        ("2", "2"),
        ("true", "true"),
        ("null", "null"),
        ('["a", "b"]', '["a", "b"]'),
        ('{ name = "x" }', '{ name = "x" }'),
    ],
)
async def test_value_of_a_variable_is_sent_as_an_hcl_literal(value: Any, literal: str) -> None:
    data = await _sent({"variables": [{"key": "size", "value": value}]})
    assert data["attributes"]["variables"] == [{"key": "size", "value": literal}]


@pytest.mark.anyio
@rows(
    "value",
    [
        "hunter2-Zx81",
        "",
        "hunter2 Zx81",
        "var.hunter2",
        '"${var.hunter2}"',
        '"open hunter2',
        '"a" "hunter2"',
        "[hunter2]",
    ],
)
async def test_text_that_is_not_a_literal_is_refused_and_not_repeated(value: str) -> None:
    api = willing_api()
    refusal = await failure_of(
        "create_run",
        {"workspace_id": WORKSPACE_ID, "params": {"variables": [{"key": "password", "value": value}]}},
        api=api,
    )
    assert isinstance(refusal, InvalidInput)
    assert "password" in refusal.message
    assert '"\\"some text\\""' in refusal.solution
    assert "hunter2" not in json.dumps(refusal.as_dict())
    assert api.requests == []


@pytest.mark.anyio
@rows(
    "params",
    [
        {"is_destroy": True, "refresh_only": True},
        {"terraform_version": "1.11.4"},
        {"allow_empty_apply": True, "plan_only": True},
    ],
)
async def test_conflicting_options_are_refused_before_anything_is_sent(params: dict[str, Any]) -> None:
    api = willing_api()
    refusal = await failure_of("create_run", {"workspace_id": WORKSPACE_ID, "params": params}, api=api)
    assert isinstance(refusal, InvalidInput)
    assert all(name in refusal.message for name in params if name != "plan_only")
    assert api.requests == []


# -- the result -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_result_is_the_current_run_with_names_and_url() -> None:
    now = samples.run(status="planning")
    api = FakeApi().on("POST", "/runs", answer({"data": samples.run()}, 201))
    api.on("GET", f"/runs/{RUN_ID}", answer(with_names({"data": now})))
    view = await call("create_run", api=api)
    assert (view["id"], view["status"]) == (RUN_ID, "planning")
    assert (view["workspace_name"], view["created_by"]) == ("network", "operator")
    assert view["url"] == f"https://tfe.example.com/app/acme/workspaces/network/runs/{RUN_ID}"


@pytest.mark.anyio
async def test_created_run_is_returned_even_if_it_cannot_be_read_again() -> None:
    api = FakeApi().on("POST", "/runs", answer({"data": samples.run()}, 201))
    view = await call("create_run", api=api)
    assert (view["id"], view["status"]) == (RUN_ID, "pending")
    assert len(api.sent("POST")) == 1


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_workspace_locked_by_a_run_names_the_run_and_the_solution() -> None:
    api = FakeApi().on("POST", "/runs", error(422, "unprocessable entity", "Workspace is locked by another run"))
    workspace = samples.workspace(locked=True, locked_by=("runs", "run-holder"))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": workspace}))
    refusal = await failure_of("create_run", api=api)
    assert isinstance(refusal, WorkspaceLocked)
    shown = refusal.as_dict()
    assert (shown["status"], shown["blocking_run_id"]) == (422, "run-holder")
    assert "run-holder" in refusal.solution
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_workspace_with_an_active_run_names_the_run_and_the_solution() -> None:
    api = FakeApi().on("POST", "/runs", error(409, "conflict", "Workspace already has an active run"))
    workspace = samples.workspace(current_run=("runs", "run-active"))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": workspace}))
    refusal = await failure_of("create_run", api=api)
    assert isinstance(refusal, WorkspaceBusy)
    assert refusal.as_dict()["blocking_run_id"] == "run-active"
    assert "run-active" in refusal.solution


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "kind"), [(403, Forbidden), (404, NotFound)])
async def test_missing_permission_is_named(status: int, kind: type[Exception]) -> None:
    api = FakeApi().on("POST", "/runs", error(status, "refused"))
    refusal = await failure_of("create_run", api=api)
    assert isinstance(refusal, kind)
    assert refusal.as_dict()["request_id"] == "req-123"
    assert '"queue plans"' in refusal.cause


@pytest.mark.anyio
async def test_workspace_without_configuration_is_explained() -> None:
    api = willing_api().off("POST", "/runs")
    api.on("POST", "/runs", error(422, "unprocessable entity", "Configuration version is missing"))
    refused = await failure_of("create_run", api=api)
    assert isinstance(refused, UnprocessableEntity)
    assert refused.cause == "The workspace has no configuration that can be planned."
    assert refused.solution == "Upload a configuration to the workspace, and create the run again."
