"""The review in the chat (MCP Apps): only for clients that declare it, in both eras of the protocol."""

import re
from typing import Any

import pytest

from tests.e2e.calls import RUN, script
from tests.e2e.conftest import Start
from tests.support.http_api import HttpApi
from tests.support.stdio import Era, Message

SHOWS: Message = {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}}
OTHERS: tuple[Message, ...] = (
    {},
    {"extensions": {}},
    {"extensions": {"io.modelcontextprotocol/ui": {}}},
    {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}}},
)
URI = "ui://tfruns/review.html"


@pytest.fixture(autouse=True)
def _played(api: HttpApi) -> None:
    script(api)


def test_client_that_shows_apps_gets_the_document_and_the_review(start: Start, era: Era) -> None:
    server = start(era=era, capabilities=SHOWS)
    tools = {tool["name"]: tool.get("_meta") for tool in server.result("tools/list")["tools"]}
    named = {"ui": {"resourceUri": URI}}
    assert {name: meta for name, meta in tools.items() if meta} == {"review_run": named, "wait_for_run": named}
    (contents,) = server.result("resources/read", {"uri": URI})["contents"]
    assert (contents["uri"], contents["mimeType"]) == (URI, "text/html;profile=mcp-app")
    assert contents["_meta"]["ui"]["csp"] == {"connectDomains": [], "resourceDomains": []}
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', contents["text"])
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[0]
    for tool in ("review_run", "wait_for_run"):
        review = server.call(tool, {"run_id": RUN})["_meta"]["tfruns/review"]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", review["url"])
        assert "1 to add, 0 to change, 0 to destroy" in review["html"]
        assert f'data-open="{review["url"]}/app/-/runs/{RUN}"' in review["html"]
        assert "csrf_token" not in review["html"]
    assert "tfruns/review" not in server.call("get_run_details", {"run_id": RUN}).get("_meta", {})


def test_other_clients_get_nothing_of_it(start: Start, era: Era, api: HttpApi) -> None:
    for capabilities in OTHERS:
        server = start(era=era, capabilities=capabilities)
        assert [tool["name"] for tool in server.result("tools/list")["tools"] if "_meta" in tool] == []
        assert "tfruns/review" not in server.call("review_run", {"run_id": RUN}).get("_meta", {})
        refused: Any = server.request("resources/read", {"uri": URI})
        assert "error" in refused
        server.stop()


def test_result_of_a_run_that_cannot_be_read_has_no_review(start: Start) -> None:
    result = start(capabilities=SHOWS).call("review_run", {"run_id": "run-nosuch0000000000"})
    assert (result["isError"], result.get("_meta")) == (True, None)
