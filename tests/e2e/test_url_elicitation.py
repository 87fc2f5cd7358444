"""Decisions on a page to which the client sends the person (URL elicitation), in both eras of the protocol."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp_types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult

from tests.e2e.calls import RUN, script
from tests.e2e.conftest import Start
from tests.e2e.person import PersonWithBrowser
from tests.support import samples
from tests.support.api import answer
from tests.support.http_api import HttpApi
from tests.support.stdio import WITH_HANDSHAKE, WITHOUT_HANDSHAKE, Message, StdioServer, tfruns

OPENS: Message = {"elicitation": {"url": {}}}
OPENS_AND_ASKS: Message = {"elicitation": {"form": {}, "url": {}}}
ASKS: Message = {"elicitation": {"form": {}}}
OPENED: Message = {"action": "accept"}
APPLY: Message = {"name": "apply_run", "arguments": {"run_id": RUN, "comment": "as agreed"}}
WITH_PROGRESS: Message = APPLY | {"_meta": {"progressToken": "p"}}


@pytest.fixture(autouse=True)
def _played(api: HttpApi) -> None:
    script(api)
    api.on("GET", "/account/details", answer({"data": samples.user(username="operator")}))


def audit(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in home.rglob("audit.jsonl") for line in path.read_text().splitlines()]


def reply(server: StdioServer, question: Message, **response: Any) -> None:
    server.send_line(json.dumps({"jsonrpc": "2.0", "id": question["id"], **response}).encode())


# -- with a handshake: a request to the client during the call --------------------------------------------------------


def ask(server: StdioServer, call: Message = APPLY) -> Message:
    """Call a tool, and receive the question, which opens a page."""
    server.send("tools/call", call, id_="call")
    question = server.receive()
    while question["method"] == "notifications/progress":
        question = server.receive()
    assert question["method"] == "elicitation/create"
    params = question["params"]
    assert params["mode"] == "url"
    assert params["url"].endswith(f"/app/-/requests/{params['elicitationId']}")
    assert params["message"].startswith("wire-test asks: Apply run-")
    assert "requestedSchema" not in params
    return question


def test_call_waits_for_the_decision_on_the_page(start: Start, api: HttpApi, tmp_path: Path) -> None:
    for capabilities in (OPENS, OPENS_AND_ASKS):
        api.reset()
        _script(api)
        server = start(capabilities=capabilities)
        question = ask(server, WITH_PROGRESS)
        reply(server, question, result=OPENED)
        assert server.result("ping") == {}
        assert api.sent("POST") == [], "opening the page is no decision"
        with PersonWithBrowser(tmp_path, question["params"]["url"]) as person:
            assert person.press(question["params"]["url"], "Apply") == 303
        result = server.answer_to("call")["result"]
        assert result["structuredContent"]["accepted"] is True
        assert len(api.sent("POST")) == 1
        complete = [
            message for message in server.messages if message.get("method") == "notifications/elicitation/complete"
        ]
        assert [message["params"] for message in complete] == [{"elicitationId": question["params"]["elicitationId"]}]
        progress = [
            message["params"] for message in server.messages if message.get("method") == "notifications/progress"
        ]
        assert progress[0]["message"] == "Waiting for a person to decide on the page"
        begun = audit(tmp_path)[-2]
        assert (begun["confirmed"], begun["confirmed_by"]) == ("page", "operator")
        server.stop()


def _script(api: HttpApi) -> None:
    script(api)
    api.on("GET", "/account/details", answer({"data": samples.user(username="operator")}))


def test_decision_before_the_client_answers_counts(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(capabilities=OPENS)
    question = ask(server)
    with PersonWithBrowser(tmp_path, question["params"]["url"]) as person:
        assert person.press(question["params"]["url"], "Apply") == 303
    assert server.answer_to("call")["result"]["structuredContent"]["accepted"] is True
    assert len(api.sent("POST")) == 1


def test_refusal_on_the_page_declines_the_call(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(capabilities=OPENS)
    question = ask(server)
    reply(server, question, result=OPENED)
    with PersonWithBrowser(tmp_path, question["params"]["url"]) as person:
        assert person.press(question["params"]["url"], "Decline") == 303
    assert server.answer_to("call")["result"]["structuredContent"]["error"] == "declined"
    assert api.sent("POST") == []


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ({"result": {"action": "decline"}}, "declined"),
        ({"result": {"action": "cancel"}}, "confirmation_needed"),
        ({"error": {"code": -32602, "message": "url mode is not supported"}}, "confirmation_needed"),
    ],
    ids=["declined", "canceled", "failed"],
)
def test_page_that_is_not_opened_sends_nothing(
    response: Message, error: str, start: Start, api: HttpApi, tmp_path: Path
) -> None:
    server = start("--confirm", "page", capabilities=OPENS)
    question = ask(server)
    reply(server, question, **response)
    refused = server.answer_to("call")["result"]["structuredContent"]
    assert refused["error"] == error
    assert "confirmation" not in refused
    assert refused.get("link", question["params"]["url"]) == question["params"]["url"]
    assert api.sent("POST") == []


def test_accepting_by_itself_decides_nothing(start: Start, api: HttpApi) -> None:
    server = start("--confirm", "page", capabilities=OPENS)
    question = ask(server)
    reply(server, question, result={"action": "accept", "content": {"confirm": True}})
    assert server.result("ping") == {}
    server.send("notifications/cancelled", {"requestId": "call"})
    assert server.result("ping") == {}
    assert api.sent("POST") == []


# -- without: a result that asks, and a repeated call -----------------------------------------------------------------


def opened(server: StdioServer, asked: Message, action: str = "accept", id_: str = "again") -> None:
    """Repeat a call after the page was opened."""
    responses = {"inputResponses": {"decide": {"action": action}}, "requestState": asked["requestState"]}
    server.send("tools/call", WITH_PROGRESS | responses, id_=id_)


def asked_by_result(server: StdioServer) -> tuple[Message, str]:
    asked = server.result("tools/call", APPLY)
    assert asked["resultType"] == "input_required"
    question = asked["inputRequests"]["decide"]
    assert question["method"] == "elicitation/create"
    assert set(question["params"]) == {"mode", "message", "url"}
    return asked, question["params"]["url"]


def test_repeated_call_waits_for_the_decision(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=OPENS)
    asked, url = asked_by_result(server)
    opened(server, asked)
    assert server.receive()["params"]["message"] == "Waiting for a person to decide on the page"
    with PersonWithBrowser(tmp_path, url) as person:
        assert person.press(url, "Apply") == 303
    assert server.answer_to("again")["result"]["structuredContent"]["accepted"] is True
    assert len(api.sent("POST")) == 1
    assert audit(tmp_path)[0]["confirmed"] == "page"


def test_repeated_call_finds_the_decision_once(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start(era=WITHOUT_HANDSHAKE, capabilities=OPENS)
    asked, url = asked_by_result(server)
    with PersonWithBrowser(tmp_path, url) as person:
        assert person.press(url, "Apply") == 303
    opened(server, asked)
    assert server.answer_to("again")["result"]["structuredContent"]["accepted"] is True
    asked, another = asked_by_result(server)
    assert another != url
    assert len(api.sent("POST")) == 1


@pytest.mark.parametrize(("action", "error"), [("decline", "declined"), ("cancel", "confirmation_needed")])
def test_page_that_is_not_opened_by_the_result_sends_nothing(
    action: str, error: str, start: Start, api: HttpApi
) -> None:
    server = start("--confirm", "page", era=WITHOUT_HANDSHAKE, capabilities=OPENS)
    asked, _ = asked_by_result(server)
    opened(server, asked, action)
    assert server.answer_to("again")["result"]["structuredContent"]["error"] == error
    assert api.sent("POST") == []


# -- a client that answers a page as if it were a form ----------------------------------------------------------------


def test_client_that_fills_in_a_page_is_asked_with_a_form(start: Start, api: HttpApi) -> None:
    filled: Message = {"action": "accept", "content": {"confirm": True}}
    server = start(capabilities=OPENS_AND_ASKS)
    for response in ({"result": filled}, {"error": {"code": -32601, "message": "Method not found"}}):
        reply(server, ask(server), **response)
        form = server.receive()
        assert form["params"]["mode"] == "form"
        reply(server, form, result={"action": "decline"})
        assert server.answer_to("call")["result"]["structuredContent"]["error"] == "declined"
    server = start(era=WITHOUT_HANDSHAKE, capabilities=OPENS_AND_ASKS)
    asked = server.result("tools/call", APPLY)
    for key, mode in (("decide", "url"), ("confirm", "form")):
        assert asked["inputRequests"][key]["params"]["mode"] == mode
        answered = {"inputResponses": {key: filled}, "requestState": asked["requestState"]}
        asked = server.result("tools/call", APPLY | answered)
    assert asked["structuredContent"]["accepted"] is True
    assert len(api.sent("POST")) == 1


# -- the link in a refusal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("era", [WITH_HANDSHAKE, WITHOUT_HANDSHAKE])
@pytest.mark.parametrize("capabilities", [{}, ASKS], ids=json.dumps)
def test_page_mode_refuses_with_the_link_and_accepts_nothing_else(
    era: Any, capabilities: Message, start: Start, api: HttpApi, tmp_path: Path
) -> None:
    server = start("--confirm", "page", era=era, capabilities=capabilities)
    refused = server.result("tools/call", APPLY)["structuredContent"]
    assert refused["error"] == "confirmation_needed"
    assert refused["link"] in refused["solution"]
    assert "confirmation" not in refused
    assert httpx2.get(refused["link"]).status_code == 401, "the link is not a session"
    server.send("tools/call", WITH_PROGRESS, id_="again")
    assert server.receive()["params"]["message"] == "Waiting for a person to decide on the page"
    assert api.sent("POST") == []
    with PersonWithBrowser(tmp_path, refused["link"]) as person:
        assert person.press(refused["link"], "Apply") == 303
    assert server.answer_to("again")["result"]["structuredContent"]["accepted"] is True
    assert [message for message in server.messages if message.get("method") == "elicitation/create"] == []


def test_page_mode_accepts_no_fingerprint(start: Start, api: HttpApi) -> None:
    server = start("--confirm", "page")
    fingerprint = server.call("review_run", {"run_id": RUN})["structuredContent"]["fingerprint"]
    refused = server.call("apply_run", {"run_id": RUN, "fingerprint": fingerprint})["structuredContent"]
    assert (refused["error"], "link" in refused) == ("confirmation_needed", True)
    assert api.sent("POST") == []


def test_auto_prefers_a_page_to_a_form_and_names_the_link_if_it_has_neither(start: Start, api: HttpApi) -> None:
    plan = f"/plans/{samples.PLAN_ID}/json-output"
    api.routes = {route: answers for route, answers in api.routes.items() if not route[1].endswith(plan)}
    api.on("GET", plan, answer(samples.plan_json(db=["delete"])))
    assert ask(start(capabilities=OPENS_AND_ASKS))["params"]["mode"] == "url"
    server = start(capabilities=ASKS)
    server.send("tools/call", APPLY, id_="call")
    assert server.receive()["params"]["mode"] == "form"
    refused = start().result("tools/call", APPLY)["structuredContent"]
    assert (refused["error"], "link" in refused, "confirmation" in refused) == ("confirmation_needed", True, True)


def test_decision_does_not_outlive_the_process(start: Start, api: HttpApi, tmp_path: Path) -> None:
    server = start("--confirm", "page")
    link = server.result("tools/call", APPLY)["structuredContent"]["link"]
    with PersonWithBrowser(tmp_path, link) as person:
        assert person.press(link, "Apply") == 303
    server.close_input()
    refused = start("--confirm", "page").result("tools/call", APPLY)["structuredContent"]
    assert refused["error"] == "confirmation_needed"
    assert refused["link"] != link
    assert api.sent("POST") == []


# -- the SDK's client -------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(("button", "posts"), [("Apply", 1), ("Decline", 0)])
async def test_sdk_client_opens_the_page(
    mode: str, button: str, posts: int, child_environment: dict[str, str], api: HttpApi, tmp_path: Path
) -> None:
    urls: list[str] = []

    async def open_page(context: Any, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        urls.append(params.url)
        with PersonWithBrowser(tmp_path, params.url) as person:
            assert person.press(params.url, button) == 303
        return ElicitResult(action="accept")

    parameters = StdioServerParameters(command=tfruns(), args=["mcp", "--confirm", "page"], env=child_environment)
    with (tmp_path / "stderr.log").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=mode, elicitation_callback=open_page) as client:
            result = await client.call_tool("apply_run", {"run_id": RUN})
    assert result.is_error is (posts == 0)
    assert len(urls) == 1
    assert len(api.sent("POST")) == posts
