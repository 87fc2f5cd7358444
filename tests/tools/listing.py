"""The tools as the server lists them."""

from functools import cache
from typing import Any, Literal

import anyio
from mcp import Client
from mcp_types import ListToolsResult

from tfruns.gate.registry import offered_tools
from tfruns.mcp.server import build_server
from tfruns.policy import DEFAULT_TOOLSETS, Confirm, Mode, Policy


async def list_tools(policy: Policy, era: Literal["auto", "legacy"] = "auto") -> ListToolsResult:
    """The response to `tools/list`, in the newest revision of the protocol or in one with a handshake."""
    async with Client(build_server(policy), mode=era) as client:
        return await client.list_tools()


@cache
def default_tools() -> dict[str, dict[str, Any]]:
    """The tools of a server that is started without options, by name."""
    names = {tool.name for tool in offered_tools(Policy(toolsets=DEFAULT_TOOLSETS))}
    return {name: tool for name, tool in listed_tools().items() if name in names}


@cache
def listed_tools(mode: Mode = Mode.APPLY, confirm: Confirm = Confirm.AUTO) -> dict[str, dict[str, Any]]:
    """Each tool of the response, by name, in order."""
    result = anyio.run(list_tools, Policy(mode, confirm))
    return {tool.name: tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in result.tools}
