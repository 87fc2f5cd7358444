"""The tools as the server lists them."""

from functools import cache
from typing import Any, Literal

import anyio
from mcp import Client
from mcp_types import ListToolsResult

from tfruns.mcp.server import build_server
from tfruns.policy import Confirm, Mode, Policy


async def list_tools(policy: Policy, era: Literal["auto", "legacy"] = "auto") -> ListToolsResult:
    """The response to `tools/list`, in the newest revision of the protocol or in one with a handshake."""
    async with Client(build_server(policy), mode=era) as client:
        return await client.list_tools()


@cache
def listed_tools(mode: Mode = Mode.APPLY, confirm: Confirm = Confirm.AUTO) -> dict[str, dict[str, Any]]:
    """Each tool of the response, by name, in order."""
    result = anyio.run(list_tools, Policy(mode, confirm))
    return {tool.name: tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in result.tools}
