"""Questions to a person through the client, in both eras of the protocol: raw, and with the client of the SDK."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from tests.e2e.calls import RUN, script
from tests.e2e.conftest import Start
from tests.support.http_api import HttpApi
from tests.support.stdio import WITH_HANDSHAKE, WITHOUT_HANDSHAKE, Message, StdioServer, tfruns

ASKS: Message = {"elicitation": {}}
YES: Message = {"action": "accept", "content": {"confirm": True}}
APPLY: Message = {"name": "apply_run", "arguments": {"run_id": RUN, "comment": "as agreed"}}

NO = [
    {"action": "decline"},
    {"action": "accept", "content": {"confirm": False}},
    {"action": "decline", "content": {"confirm": True}},
]
CLOSED = [
    {"action": "cancel"},
    {"action": "cancel", "content": {"confirm": True}},
    {"action": "accept"},
    {"action": "accept", "content": {}},
    {"action": "accept", "content": {"confirm": "true"}},
]
NO_ANSWER = (
    '"Apply a run" is not confirmed: the client closed the question without an answer; it may have no terminal. '
    "Nothing was sent."
)


@pytest.fixture(autouse=True)
def _played(api: HttpApi) -> None:
    script(api)


def audit(home: Path) -> list[dict[str, Any]]:
    (path,) = home.rglob("audit.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


# -- with a handshake: a request to the client in the middle of the call ----------------------------------------------


def ask(server: StdioServer) -> Message:
    """Call a tool, and receive the question."""
    server.send("tools/call", APPLY, id_="call")
    question = server.receive()
    assert question["method"] == "elicitation/create"
    return question


def reply(server: StdioServer, question: Message, **answer: Any) -> Message:
    server.send_line(json.dumps({"jsonrpc": "2.0", "id": question["id"], **answer}).encode())
    result: Message = server.answer_to("call")["result"]
    return result


def test_person_is_asked_by_request_before_anything_is_sent(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(capabilities=ASKS)
    question = ask(server)
    assert "1 to add, 0 to change, 0 to destroy" in question["params"]["message"]
    assert question["params"]["requestedSchema"]["required"] == ["confirm"]
    assert api.sent("POST") == []
    assert reply(server, question, result=YES)["structuredContent"]["accepted"] is True
    assert len(api.sent("POST")) == 1
    begun, ended = audit(tmp_path)
    assert (begun["confirmed"], begun["caller"], ended["outcome"]) == ("person", "wire-test", "accepted")


@pytest.mark.parametrize("answer", NO, ids=json.dumps)
def test_request_without_confirmation_sends_nothing(answer: Message, start: Start, api: HttpApi) -> None:
    server = start(capabilities=ASKS)
    result = reply(server, ask(server), result=answer)
    assert result["isError"] is True
    assert result["structuredContent"]["error"] == "declined"
    assert api.sent("POST") == []


@pytest.mark.parametrize(
    "answer",
    [*({"result": answer} for answer in CLOSED), {"error": {"code": -32601, "message": "Method not found"}}],
    ids=json.dumps,
)
def test_request_that_is_closed_sends_nothing_and_names_the_way_on(answer: Message, start: Start, api: HttpApi) -> None:
    server = start(capabilities=ASKS)
    result = reply(server, ask(server), **answer)
    assert_names_the_way_on(result)
    assert api.sent("POST") == []


def assert_names_the_way_on(result: Message) -> None:
    error = result["structuredContent"]
    assert (result["isError"], error["error"], error["message"]) == (True, "confirmation_needed", NO_ANSWER)
    assert "call again with the same arguments and this confirmation" in error["solution"]
    assert error["confirmation"]
    assert [action["tool"] for action in error["next_actions"]] == ["review_run"]


@pytest.mark.parametrize("confirm", ["auto", "review"])
def test_fingerprint_suffices_if_the_request_is_closed(
    confirm: str, start: Start, api: HttpApi, tmp_path: Path
) -> None:
    server = start("--confirm", confirm, capabilities=ASKS)
    fingerprint = server.call("review_run", {"run_id": RUN})["structuredContent"]["fingerprint"]
    apply = {"name": "apply_run", "arguments": {"run_id": RUN, "fingerprint": fingerprint}}
    server.send("tools/call", apply, id_="call")
    if confirm == "auto":
        result = reply(server, server.receive(), result={"action": "cancel"})
    else:
        result = server.answer_to("call")["result"]
    assert result["structuredContent"]["accepted"] is True
    assert len(api.sent("POST")) == 1
    assert audit(tmp_path)[0]["confirmed"] == "fingerprint"


def test_code_of_a_closed_request_confirms_without_another_question(start: Start, api: HttpApi) -> None:
    server = start(capabilities=ASKS)
    code = reply(server, ask(server), result={"action": "cancel"})["structuredContent"]["confirmation"]
    assert (
        server.call("apply_run", APPLY["arguments"] | {"confirmation": code})["structuredContent"]["accepted"] is True
    )
    assert len(api.sent("POST")) == 1


def test_call_canceled_during_the_question_sends_nothing(start: Start, api: HttpApi) -> None:
    server = start(capabilities=ASKS)
    question = ask(server)
    server.send("notifications/cancelled", {"requestId": "call"})
    server.send_line(json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": YES}).encode())
    server.result("ping")
    assert api.sent("POST") == []


# -- without: a result that asks, and a second call with the answer --------------------------------------------------


def call_again(server: StdioServer, asked: Message, answer: Message, **changes: Any) -> Message:
    again = APPLY | {"inputResponses": {"confirm": answer}, "requestState": asked["requestState"]} | changes
    return server.result("tools/call", again)


def test_result_asks_and_the_repeated_call_acts_once(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=ASKS)
    asked = server.result("tools/call", APPLY)
    assert asked["resultType"] == "input_required"
    question = asked["inputRequests"]["confirm"]
    assert question["method"] == "elicitation/create"
    assert "1 to add, 0 to change, 0 to destroy" in question["params"]["message"]
    assert api.sent("POST") == []
    assert not list(tmp_path.rglob("audit.jsonl")), "a question is not a change"
    assert call_again(server, asked, YES)["structuredContent"]["accepted"] is True
    assert len(api.sent("POST")) == 1
    assert audit(tmp_path)[0]["confirmed"] == "person"


def test_answer_is_valid_once(start: Start, api: HttpApi) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=ASKS)
    asked = server.result("tools/call", APPLY)
    call_again(server, asked, YES)
    assert call_again(server, asked, YES)["resultType"] == "input_required"
    assert len(api.sent("POST")) == 1


@pytest.mark.parametrize("answer", NO, ids=json.dumps)
def test_result_without_confirmation_sends_nothing(answer: Message, start: Start, api: HttpApi) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=ASKS)
    result = call_again(server, server.result("tools/call", APPLY), answer)
    assert result["isError"] is True
    assert result["structuredContent"]["error"] == "declined"
    assert api.sent("POST") == []


@pytest.mark.parametrize("answer", CLOSED, ids=json.dumps)
def test_result_that_is_closed_sends_nothing_and_names_the_way_on(answer: Message, start: Start, api: HttpApi) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=ASKS)
    assert_names_the_way_on(call_again(server, server.result("tools/call", APPLY), answer))
    assert api.sent("POST") == []


def test_fingerprint_suffices_if_the_result_is_closed(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=ASKS)
    fingerprint = server.call("review_run", {"run_id": RUN})["structuredContent"]["fingerprint"]
    apply = {"name": "apply_run", "arguments": {"run_id": RUN, "fingerprint": fingerprint}}
    asked = server.result("tools/call", apply)
    answered = {"inputResponses": {"confirm": {"action": "cancel"}}, "requestState": asked["requestState"]}
    assert server.result("tools/call", apply | answered)["structuredContent"]["accepted"] is True
    assert audit(tmp_path)[0]["confirmed"] == "fingerprint"


@pytest.mark.parametrize(
    "changes",
    [
        {"requestState": None},
        {"requestState": "0" * 20},
        {"name": "force_cancel_run"},
        {"name": "force_execute_run", "arguments": {"run_id": RUN}},
        {"inputResponses": {"other": YES}},
        {"inputResponses": {}},
    ],
    ids=json.dumps,
)
def test_answer_is_valid_only_for_its_question(changes: Message, start: Start, api: HttpApi) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=ASKS)
    asked = server.result("tools/call", APPLY)
    again = {"inputResponses": {"confirm": YES}, "requestState": asked["requestState"]} | changes
    message = {key: value for key, value in (APPLY | again).items() if value is not None}
    assert server.result("tools/call", message)["resultType"] == "input_required"
    assert api.sent("POST") == []


def test_answer_without_a_question_is_ignored(start: Start, api: HttpApi) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=ASKS)
    forged = APPLY | {"inputResponses": {"confirm": YES}, "requestState": "forged"}
    assert server.result("tools/call", forged)["resultType"] == "input_required"
    assert api.sent("POST") == []


# -- clients that cannot ask ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("era", [WITH_HANDSHAKE, WITHOUT_HANDSHAKE])
def test_client_without_questions_is_not_asked(era: Any, start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(era=era)
    assert server.result("tools/call", APPLY)["structuredContent"]["accepted"] is True
    assert audit(tmp_path)[0]["confirmed"] == "client_approval"
    assert [message for message in server.messages if "method" in message] == []


@pytest.mark.parametrize("era", [WITH_HANDSHAKE, WITHOUT_HANDSHAKE])
def test_always_refuses_a_client_that_cannot_ask_and_names_the_page(era: Any, start: Start, api: HttpApi) -> None:
    refused = start("--confirm", "always", era=era).result("tools/call", APPLY)["structuredContent"]
    assert (refused["error"], "confirmation" in refused) == ("confirmation_needed", False)
    assert refused["link"] in refused["solution"]
    assert {request.method for request in api.requests} == {"GET"}


# -- the SDK's client -------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(("action", "posts"), [("accept", 1), ("decline", 0), ("cancel", 0)])
async def test_sdk_client_asks_and_answers(
    mode: str, action: Any, posts: int, child_environment: dict[str, str], api: HttpApi, tmp_path: Path
) -> None:
    asked: list[str] = []

    async def answer(context: Any, params: ElicitRequestParams) -> ElicitResult:
        if isinstance(params, ElicitRequestFormParams):
            asked.append(params.message)
        return ElicitResult(action=action, content={"confirm": True} if action == "accept" else None)

    parameters = StdioServerParameters(command=tfruns(), args=["mcp"], env=child_environment)
    with (tmp_path / "stderr.log").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=mode, elicitation_callback=answer) as client:
            result = await client.call_tool("apply_run", {"run_id": RUN})
    assert result.is_error is (posts == 0)
    assert len(asked) == posts, "a client that fills in every question is asked with a form"
    assert len(api.sent("POST")) == posts
