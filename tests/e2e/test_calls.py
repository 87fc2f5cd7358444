"""Calls of the nine tools over stdio, and the form of their results, in both eras."""

import json
from typing import Any

import pytest

from tests.e2e.calls import CALLS, RUN, WORKSPACE, Call, script
from tests.e2e.conftest import Start
from tests.support import samples
from tests.support.api import TOKEN, answer, error
from tests.support.http_api import HttpApi
from tests.support.stdio import StdioServer


def structured(result: dict[str, Any]) -> dict[str, Any]:
    """The content of a result, whose two forms must be equal."""
    (block,) = result["content"]
    assert block["type"] == "text"
    view: dict[str, Any] = result["structuredContent"]
    assert block["text"] == json.dumps(view, ensure_ascii=False, separators=(",", ":"))
    return view


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_tool_sends_its_request_and_returns_compact_json(call: Call, server: StdioServer, api: HttpApi) -> None:
    script(api)
    result = server.call(call.tool, call.arguments)
    view = structured(result)
    assert result.get("isError") is not True, view
    assert view.items() >= call.says.items()
    requests = [r for r in api.requests if (r.method, r.path) == call.request]
    assert requests
    assert {r.headers["authorization"] for r in api.requests} == {f"Bearer {TOKEN}"}
    assert server.stderr == ""


def test_new_run_has_auto_apply_only_on_request(start: Start, api: HttpApi) -> None:
    ids = [f"run-Created00000000{number}" for number in range(3)]
    api.on("POST", "/runs", *(answer({"data": samples.run(id_)}, 201) for id_ in ids))
    server = start("--confirm", "never")
    for id_, params in zip(ids, (None, {}, {"auto_apply": True}), strict=True):
        assert structured(server.call("create_run", {"workspace_id": WORKSPACE, "params": params}))["id"] == id_
    sent = [request.body["data"]["attributes"]["auto-apply"] for request in api.sent("POST", "/runs")]
    assert sent == [False, False, True]


def test_comment_ends_with_the_client_and_empty_is_not_sent(server: StdioServer, api: HttpApi) -> None:
    script(api)
    server.call("apply_run", {"run_id": RUN, "comment": ""})
    server.call("apply_run", {"run_id": RUN, "comment": "reviewed"})
    assert [request.body for request in api.sent("POST", "/apply")] == [
        {},
        {"comment": "reviewed (via tfruns, wire-test)"},
    ]


@pytest.mark.parametrize(
    ("status", "title", "code"),
    [
        (401, "unauthorized", "unauthorized"),
        (403, "forbidden", "forbidden"),
        (404, "not found", "not_found"),
        (500, "internal server error", "server_error"),
    ],
)
def test_refusal_of_the_api_is_a_failed_result(
    status: int, title: str, code: str, server: StdioServer, api: HttpApi
) -> None:
    api.on("GET", f"/runs/{RUN}", error(status, title))
    result = server.call("get_run_details", {"run_id": RUN})
    view = structured(result)
    assert result["isError"] is True
    assert view["error"] == code
    assert view["status"] == status
    assert view["request_id"] == "req-123"
    assert title in view["message"]
    assert view["cause"]
    assert view["solution"]


def test_refused_action_has_status_and_allowed_actions(server: StdioServer, api: HttpApi) -> None:
    api.on("POST", f"/runs/{RUN}/actions/apply", error(409, "transition not allowed"))
    run = samples.run(status="planning", actions=samples.actions("cancelable"))
    api.on("GET", f"/runs/{RUN}", answer({"data": run}))
    result = server.call("apply_run", {"run_id": RUN})
    view = structured(result)
    assert result["isError"] is True
    assert view["error"] == "transition_not_allowed"
    assert view["run_status"] == "planning"
    assert view["allowed_actions"] == ["cancel"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("get_run_details", {}, "run_id is required."),
        ("get_run_details", {"run_id": 7}, "run_id must be a string"),
        ("get_run_details", {"run": RUN}, "Did you mean run_id?"),
        ("get_run_details", {"run_id": "../account/details"}, "not a run id"),
        ("create_run", {"workspace_id": WORKSPACE, "params": {"is_destory": True}}, "Did you mean is_destroy?"),
        ("create_run", {"workspace_id": WORKSPACE, "params": {"plan_only": "yes"}}, "true or false"),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE, "page_size": 0}, "between 1 and 100"),
        ("list_runs_in_organization", {"organization": "a/b"}, "The organization name is invalid"),
    ],
)
def test_invalid_argument_is_a_failed_result(
    tool: str, arguments: dict[str, Any], words: str, server: StdioServer, api: HttpApi
) -> None:
    result = server.call(tool, arguments)
    view = structured(result)
    assert result["isError"] is True
    assert view["error"] == "invalid_input"
    assert words in view["message"]
    assert api.requests == []


def test_value_of_a_wrong_type_is_not_repeated(server: StdioServer) -> None:
    secret = {"password": "hunter2-hunter2"}
    result = server.call("create_run", {"workspace_id": WORKSPACE, "params": {"message": secret}})
    assert result["isError"] is True
    assert "hunter2" not in json.dumps(result)


@pytest.mark.parametrize(("name", "meant"), [("apply_runs", "apply_run"), ("Get_Run_Details", "get_run_details")])
def test_unknown_tool_is_a_protocol_error_with_a_suggestion(name: str, meant: str, server: StdioServer) -> None:
    failure = server.request("tools/call", {"name": name, "arguments": {}})["error"]
    assert failure["code"] == -32602
    assert f"Did you mean {meant}?" in failure["message"]


@pytest.mark.parametrize(
    ("mode", "hidden"),
    [
        ("plan", {"apply_run", "force_cancel_run", "force_execute_run"}),
        (
            "read",
            {
                "create_run",
                "apply_run",
                "discard_run",
                "cancel_run",
                "force_cancel_run",
                "force_execute_run",
            },
        ),
    ],
)
def test_tool_hidden_by_the_mode_is_not_listed(mode: str, hidden: set[str], start: Start, api: HttpApi) -> None:
    script(api)
    server = start("--mode", mode)
    listed = {tool["name"] for tool in server.result("tools/list")["tools"]}
    assert {call.tool for call in CALLS} - listed == hidden
    for call in CALLS:
        if call.tool in hidden:
            failure = server.request("tools/call", {"name": call.tool, "arguments": call.arguments})["error"]
            assert failure["code"] == -32602
            assert f"{call.tool} is not offered in mode {mode}" in failure["message"]
    assert api.requests == []


def test_auto_apply_is_refused_in_mode_plan(start: Start, api: HttpApi) -> None:
    script(api)
    result = start("--mode", "plan").call("create_run", {"workspace_id": WORKSPACE, "params": {"auto_apply": True}})
    assert result["isError"] is True
    assert structured(result)["error"] == "refused_by_mode"
    assert api.requests == []


def test_unconfirmed_call_is_refused_with_the_link_of_its_page(start: Start, api: HttpApi) -> None:
    script(api)
    result = start("--confirm", "always").call("apply_run", {"run_id": RUN})
    assert result["isError"] is True
    assert structured(result)["error"] == "confirmation_needed"
    assert "/app/-/requests/" in structured(result)["link"]
    assert {request.method for request in api.requests} == {"GET"}


def test_raw_document_has_no_values_of_variables(child_environment: dict[str, str], start: Start, api: HttpApi) -> None:
    run = samples.run(variables=[{"key": "password", "value": '"correct-horse"'}])
    api.on("GET", f"/runs/{RUN}", answer({"data": run}))
    result = start(env=child_environment | {"TFRUNS_RAW": "1"}).call("get_run_details", {"run_id": RUN})
    view = structured(result)
    assert view["data"]["attributes"]["status"] == "pending"
    assert "correct-horse" not in json.dumps(result)


def test_text_is_not_escaped_to_ascii(server: StdioServer, api: HttpApi) -> None:
    message = "Größe 中文 \U0001f680"
    api.on("GET", f"/runs/{RUN}", answer({"data": samples.run(message=message)}))
    result = server.call("get_run_details", {"run_id": RUN})
    assert structured(result)["message"] == message
    assert message in result["content"][0]["text"]


def test_many_concurrent_calls_get_their_results(server: StdioServer, api: HttpApi) -> None:
    script(api)
    server.call("get_run_details", {"run_id": RUN})  # the response announces a limit that the client does not reach
    ids = [f"call-{number}" for number in range(40)]
    for id_ in ids:
        server.send("tools/call", {"name": "get_run_details", "arguments": {"run_id": RUN}}, id_=id_)
    answers = [server.receive() for _ in ids]
    assert {message["id"] for message in answers} == set(ids)
    assert all(structured(message["result"])["id"] == RUN for message in answers)
