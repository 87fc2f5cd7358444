"""The protocol itself, as raw JSON-RPC: with a handshake (2025-11-25) and without one (2026-07-28)."""

import json
from typing import Any

import pytest

from tests.e2e.conftest import Start
from tests.support.http_api import HttpApi
from tests.support.stdio import CLIENT_INFO, META, WITH_HANDSHAKE, WITHOUT_HANDSHAKE, Era, StdioServer
from tfruns._version import __version__

NINE = {
    "create_run": (False, True, False),
    "list_runs_in_workspace": (True, False, True),
    "list_runs_in_organization": (True, False, True),
    "get_run_details": (True, False, True),
    "apply_run": (False, True, True),
    "discard_run": (False, True, True),
    "cancel_run": (False, True, True),
    "force_cancel_run": (False, True, True),
    "force_execute_run": (False, True, True),
}


def test_handshake_has_the_name_and_the_instructions(start: Start) -> None:
    server = start()
    result: dict[str, Any] = server.messages[0]["result"]
    assert result["protocolVersion"] == "2025-11-25"
    assert result["serverInfo"] == {"name": "tfruns", "title": "Terraform runs", "version": __version__}
    assert set(result["capabilities"]) == {"tools", "resources", "prompts"}
    for word in ("create_run", "get_run_details", "apply_run"):
        assert word in result["instructions"]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_revision_with_a_handshake_is_supported(version: str, start: Start) -> None:
    server = start()
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT_INFO}
    assert server.result("initialize", params)["protocolVersion"] == version


def test_unknown_revision_in_the_handshake_gets_a_supported_one(start: Start) -> None:
    server = start()
    params = {"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": CLIENT_INFO}
    assert server.result("initialize", params)["protocolVersion"] == "2025-11-25"


def test_discovery_needs_no_handshake(start: Start) -> None:
    server = start(era=WITHOUT_HANDSHAKE)
    result = server.result("server/discover")
    assert "2026-07-28" in result["supportedVersions"]
    assert set(result["capabilities"]) == {"tools", "resources", "prompts"}
    assert "get_run_details" in result["instructions"]
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "tfruns"


def test_request_of_an_unknown_revision_lists_the_supported_ones(start: Start) -> None:
    server = start(era=WITHOUT_HANDSHAKE)
    # MCP 2026-07-28, "Unsupported protocol versions"
    meta = META | {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}
    server.send_line(
        json.dumps({"jsonrpc": "2.0", "id": "v", "method": "tools/list", "params": {"_meta": meta}}).encode()
    )
    error = server.answer_to("v")["error"]
    assert error["code"] == -32022
    assert "2026-07-28" in error["data"]["supported"]
    assert {tool["name"] for tool in server.result("tools/list")["tools"]} >= set(NINE)


@pytest.mark.parametrize("missing", ["protocolVersion", "clientCapabilities"])
def test_request_without_required_metadata_is_refused(missing: str, start: Start) -> None:
    server = start(era=WITHOUT_HANDSHAKE)
    server.result("tools/list")
    meta = {key: value for key, value in META.items() if not key.endswith(missing)}
    server.send_line(
        json.dumps({"jsonrpc": "2.0", "id": "m", "method": "tools/list", "params": {"_meta": meta}}).encode()
    )
    assert server.answer_to("m")["error"]["code"] == -32602


def test_tools_are_listed_with_annotations_and_no_output_schema(server: StdioServer) -> None:
    result = server.result("tools/list")
    assert result.get("nextCursor") is None
    hints = {
        tool["name"]: tuple(tool["annotations"][f"{hint}Hint"] for hint in ("readOnly", "destructive", "idempotent"))
        for tool in result["tools"]
    }
    assert hints.items() >= NINE.items()
    for tool in result["tools"]:
        assert "outputSchema" not in tool
        assert tool["title"]
        assert tool["description"]
        assert tool["inputSchema"]["additionalProperties"] is False


@pytest.mark.parametrize(("era", "code"), [(WITH_HANDSHAKE, -32002), (WITHOUT_HANDSHAKE, -32602)])
def test_unknown_resource_has_the_error_code_of_its_era(era: Era, code: int, start: Start) -> None:
    server = start(era=era)
    error = server.request("resources/read", {"uri": "run://none"})["error"]
    assert error["code"] == code
    assert error["data"] == {"uri": "run://none"}


def test_ping_gets_a_response_in_the_era_that_has_it(start: Start) -> None:
    assert start().result("ping") == {}


@pytest.mark.parametrize("id_", [0, -1, 2**53, "a string", ""])
def test_response_has_the_exact_id_of_its_request(id_: int | str, server: StdioServer) -> None:
    server.send("tools/list", id_=id_)
    answer = server.answer_to(id_)
    assert type(answer["id"]) is type(id_)
    assert len(answer["result"]["tools"]) >= len(NINE)


def test_no_request_is_sent_before_a_tool_is_called(server: StdioServer, api: HttpApi) -> None:
    server.result("tools/list")
    server.result("resources/list")
    server.result("prompts/list")
    assert api.requests == []


def list_tools_with(meta: dict[str, Any], server: StdioServer) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": "meta", "method": "tools/list", "params": {"_meta": meta}}
    server.send_line(json.dumps(message).encode())
    return server.answer_to("meta")
