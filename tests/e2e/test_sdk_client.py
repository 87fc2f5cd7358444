"""The client of the SDK over stdio, as used by the host of an assistant."""

import json
from pathlib import Path

import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

from tests.e2e.calls import CALLS, RUN, Call, script
from tests.support.http_api import HttpApi
from tests.support.stdio import tfruns


@pytest.fixture
def parameters(child_environment: dict[str, str]) -> StdioServerParameters:
    return StdioServerParameters(command=tfruns(), args=["mcp"], env=child_environment)


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_sdk_client_lists_and_calls_every_tool(
    mode: str, version: str, parameters: StdioServerParameters, api: HttpApi, tmp_path: Path
) -> None:
    script(api)
    with (tmp_path / "stderr.log").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=mode) as client:
            assert client.protocol_version == version
            assert client.instructions is not None
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools][: len(CALLS)] == [call.tool for call in CALLS]
            for call in CALLS:
                await _check(client, call)
        log.seek(0)
        assert log.read() == ""


async def _check(client: Client, call: Call) -> None:
    result = await client.call_tool(call.tool, call.arguments)
    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content.items() >= call.says.items()
    (block,) = result.content
    assert block.type == "text"
    assert json.loads(block.text) == result.structured_content


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_sdk_client_gets_a_failed_result(mode: str, parameters: StdioServerParameters, tmp_path: Path) -> None:
    with (tmp_path / "stderr.log").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=mode) as client:
            result = await client.call_tool("get_run_details", {"run_id": RUN})
    assert result.is_error
    assert result.structured_content is not None
    assert result.structured_content["error"] == "not_found"
