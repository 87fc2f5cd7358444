"""Malformed responses and arguments: a tool returns a result or a clear error, and the server keeps running."""

import json
from typing import Any

import httpx2
import mcp_types as types
import pytest

from tests.support import samples
from tests.support.api import ConnectionTo, FakeApi, answer, client_for, error
from tests.support.requests import a_request
from tests.support.tables import rows
from tests.tools.calls import REQUIRED, RUN_ID, WORKSPACE_ID, call, failure_of, willing_api
from tfruns.errors import InvalidInput, TfrunsError, UnexpectedResponse
from tfruns.mcp.tool_handlers import ToolHandlers
from tfruns.policy import Policy

SECRET = "hunter2-Zx81"

USER_ID = "user-MA4GL63FmYRpSFxa"


def document(**attributes: Any) -> dict[str, Any]:
    return {"data": samples.run(**attributes)}


def related(name: str, value: Any) -> dict[str, Any]:
    changed = document()
    changed["data"]["relationships"][name] = value
    return changed


def included(*resources: Any) -> dict[str, Any]:
    return {"data": samples.run(), "included": list(resources)}


UNREADABLE: dict[str, Any] = {
    "null": None,
    "a list": [samples.run()],
    "no data": {},
    "data is a list": {"data": [samples.run()]},
    "another type": {"data": samples.workspace()},
    "no attributes": {"data": {"id": RUN_ID, "type": "runs"}},
    "status null": document(status=None),
    "status a number": document(status=5),
    "message a list": document(message=[SECRET]),
    "time without meaning": document(created_at=SECRET),
    "actions a list": document(actions=[SECRET]),
    "variable without key": document(variables=[{"value": SECRET}]),
    "variable value a number": document(variables=[{"key": "a", "value": 918273645}]),
    "workspace without id": related("workspace", {"data": {"type": "workspaces"}}),
}

# Included resources only provide names: without them, the run is still shown.
ODD_COMPANY: dict[str, Any] = {
    "included a number": {"data": samples.run(), "included": 5},
    "included id a list": included({"type": "workspaces", "id": [SECRET]}),
    "included user name a number": included({"type": "users", "id": USER_ID, "attributes": {"username": 918273645}}),
    "included workspace name a list": included(
        {"type": "workspaces", "id": WORKSPACE_ID, "attributes": {"name": [SECRET]}}
    ),
}


@pytest.mark.anyio
@rows("answered", ODD_COMPANY.values(), ids=ODD_COMPANY)
async def test_run_is_shown_without_unreadable_included_resources(answered: Any) -> None:
    view = await call("get_run_details", api=FakeApi().on("GET", f"/runs/{RUN_ID}", answer(answered)))
    assert view["id"] == RUN_ID
    assert "workspace_name" not in view
    assert SECRET not in json.dumps(view)


@pytest.mark.anyio
@rows("answered", UNREADABLE.values(), ids=UNREADABLE)
@rows("tool", ["get_run_details", "create_run"])
async def test_unreadable_response_is_an_error_that_repeats_no_value(tool: str, answered: Any) -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer(answered)).on("POST", "/runs", answer({"data": samples.run()}))
    if tool == "create_run":  # the run exists, even if it cannot be read
        assert (await call(tool, api=api))["id"] == RUN_ID
        return
    failure = await failure_of(tool, api=api)
    assert isinstance(failure, UnexpectedResponse)
    text = json.dumps(failure.as_dict()) + repr(failure)
    assert SECRET not in text
    assert "918273645" not in text


@pytest.mark.anyio
@rows(
    "answered",
    [
        document(message=None, created_at=None, source=None, variables=None, actions=None, permissions=None),
        related("workspace", None),
        related("workspace", {"data": None}),
        related("workspace", {"links": {"related": "/api/v2/workspaces"}}),
        related("run-events", {"data": None}),
        document(status_timestamps={"planned-at": None}),
        document(actions={"is-warpable": True}, something_new={"a": [1]}),
        included({"type": "workspaces", "id": WORKSPACE_ID}),
        included({"type": "users", "id": USER_ID, "attributes": None}, "something else", 5, None),
        {"data": samples.run(), "included": None, "meta": None},
    ],
    ids=lambda _: "",
)
async def test_missing_and_additional_fields_are_no_error(answered: Any) -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer(answered))
    assert (await call("get_run_details", api=api))["id"] == RUN_ID


@pytest.mark.anyio
@rows(
    "answered",
    [
        {"data": {}},
        {"data": None},
        {"data": [samples.run(), 5]},
        {"data": [samples.run(), samples.workspace()]},
        {},
    ],
    ids=lambda _: "",
)
async def test_unreadable_list_is_an_error(answered: Any) -> None:
    api = FakeApi().on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(answered))
    assert isinstance(await failure_of("list_runs_in_workspace", api=api), UnexpectedResponse)


@pytest.mark.anyio
@rows(
    "answered",
    [{"data": []}, {"data": [], "meta": None}, {"data": [], "meta": {"pagination": {"next-page": "2"}}}],
)
async def test_list_without_pagination_is_its_only_page(answered: Any) -> None:
    api = FakeApi().on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(answered))
    view = await call("list_runs_in_workspace", api=api)
    assert (view["page"], view["next_page"]) == (1, None)


# -- unpaired surrogates ----------------------------------------------------------------------------------------------
# JSON can contain an unpaired surrogate, which Python accepts in a text, but which UTF-8 cannot encode. A server that
# tried to write it would stop.

HALF = "\ud800"


async def called(name: str, arguments: dict[str, Any], api: FakeApi) -> types.CallToolResult:
    """A tool's result as the server sends it."""
    async with client_for(api) as client:
        handlers = ToolHandlers(Policy(), ConnectionTo(client))
        params = types.CallToolRequestParams(name=name, arguments=arguments)
        result = await handlers.call_tool(a_request(), params)
    assert isinstance(result, types.CallToolResult)
    return result


@pytest.mark.anyio
@rows(
    ("name", "api"),
    [
        ("get_run_details", willing_api(samples.run(message=f"x{HALF}y"))),
        ("get_run_details", willing_api(samples.run(status=f"warp{HALF}"))),
        ("list_runs_in_workspace", willing_api(samples.run(message=HALF))),
        ("apply_run", willing_api(samples.run(status=HALF))),
        ("get_run_details", FakeApi().on("GET", f"/runs/{RUN_ID}", error(403, "forbidden", f"no{HALF}pe"))),
    ],
    ids=["message", "status", "list", "action", "error"],
)
async def test_unpaired_surrogate_in_a_response_does_not_reach_the_output(name: str, api: FakeApi) -> None:
    result = await called(name, REQUIRED[name], api)
    assert result.model_dump_json(by_alias=True)  # as the server writes it


@pytest.mark.anyio
@rows(
    ("name", "arguments"),
    [
        ("get_run_details", {"run_id": HALF}),
        ("get_run_details", {"run_id": f"https://{HALF}.example.com/runs/run-1"}),
        ("apply_run", {"run_id": RUN_ID, "comment": HALF}),
        ("create_run", {"workspace_id": WORKSPACE_ID, "params": {"message": HALF}}),
        ("create_run", {"workspace_id": WORKSPACE_ID, "params": {"target_addrs": [HALF]}}),
        ("create_run", {"workspace_id": WORKSPACE_ID, "params": {"variables": [{"key": "a", "value": [HALF]}]}}),
        ("create_run", {"workspace_id": WORKSPACE_ID, "params": {HALF: 1}}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "filter_status": HALF}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "search_basic": HALF}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, HALF: 1}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "page_number": 10**5000}),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
async def test_unpaired_surrogate_in_an_argument_is_invalid(name: str, arguments: dict[str, Any]) -> None:
    api = willing_api()
    failure = await failure_of(name, arguments, api=api)
    assert isinstance(failure, InvalidInput)
    assert api.requests == []
    json.dumps(failure.as_dict(), ensure_ascii=False).encode()


# -- failures of the network ------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("tool", REQUIRED)
@rows(
    "trouble",
    [
        error(401, "unauthorized"),
        error(429, "too many requests"),
        error(500, "internal error"),
        httpx2.Response(503, content=b"<html><title>Down</title></html>", headers={"content-type": "text/html"}),
        httpx2.Response(302, headers={"location": "https://elsewhere.example.com/sign-in"}),
        httpx2.ConnectError("no"),
        httpx2.ReadTimeout("no"),
    ],
    ids=["401", "429", "500", "503", "302", "connect", "timeout"],
)
async def test_failure_of_the_api_has_a_code_a_cause_and_a_solution(tool: str, trouble: Any) -> None:
    api = FakeApi()
    for method, path in [
        ("GET", f"/runs/{RUN_ID}"),
        ("POST", "/runs"),
        ("GET", f"/workspaces/{WORKSPACE_ID}/runs"),
        ("GET", "/organizations/acme/runs"),
        *(("POST", f"/runs/{RUN_ID}/actions/{action}") for action in ("apply", "discard", "cancel")),
        *(("POST", f"/runs/{RUN_ID}/actions/{action}") for action in ("force-cancel", "force-execute")),
    ]:
        api.on(method, path, trouble)
    failure = await failure_of(tool, api=api)
    assert isinstance(failure, TfrunsError)
    assert {"error", "message", "cause", "solution"} <= set(failure.as_dict())
    assert failure.code != "error"
    # One call never creates two runs and never acts twice; after a 429 or a refused connection, nothing has happened.
    sent = len(api.sent("POST"))
    assert sent <= 1 or trouble_was_not_acted_on(trouble)


def trouble_was_not_acted_on(trouble: Any) -> bool:
    return isinstance(trouble, httpx2.ConnectError) or getattr(trouble, "status_code", 0) == 429
