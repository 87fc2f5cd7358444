"""The tools as an MCP server.

It is built on the SDK's low-level server, which leaves the list of tools, the checking of arguments and the form of
results to us. The SDK serves the protocol's revisions with a handshake and those without from the same handlers.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError

from tfruns._version import __version__
from tfruns.mcp.connection import Connection, RemoteConnection
from tfruns.mcp.instructions import instructions
from tfruns.mcp.toolbox import Toolbox
from tfruns.tools.policy import Policy

_NOT_FOUND_BEFORE_2026 = -32002  # the revisions with a handshake have a code of their own for an unknown resource
_FIRST_REVISION_WITHOUT_IT = "2026-07-28"


def build_server(
    policy: Policy, connection: Connection | None = None, allowed_directories: tuple[Path, ...] = ()
) -> Server[Any]:
    """An MCP server that offers what the policy permits. Nothing is connected or read before the first call."""
    toolbox = Toolbox(policy, connection or RemoteConnection(), allowed_directories)

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        try:
            yield {}
        finally:
            await toolbox.aclose()

    return Server(
        "tfruns",
        title="Terraform runs",
        version=__version__,
        instructions=instructions(policy),
        lifespan=lifespan,
        on_list_tools=toolbox.list_tools,
        on_call_tool=toolbox.call_tool,
        on_list_resources=_list_resources,
        on_list_resource_templates=_list_resource_templates,
        on_read_resource=_read_resource,
        on_list_prompts=_list_prompts,
        on_get_prompt=_get_prompt,
    )


# Clients ask every server for its resources and prompts. There are none.

_Ctx = ServerRequestContext[Any]
_Paging = types.PaginatedRequestParams | None


async def _list_resources(_: _Ctx, __: _Paging) -> types.ListResourcesResult:
    return types.ListResourcesResult(resources=[])


async def _list_resource_templates(_: _Ctx, __: _Paging) -> types.ListResourceTemplatesResult:
    return types.ListResourceTemplatesResult(resource_templates=[])


async def _read_resource(ctx: _Ctx, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    is_old = ctx.protocol_version < _FIRST_REVISION_WITHOUT_IT
    code = _NOT_FOUND_BEFORE_2026 if is_old else types.INVALID_PARAMS
    raise MCPError(code, "There is no such resource.", {"uri": params.uri})


async def _list_prompts(_: _Ctx, __: _Paging) -> types.ListPromptsResult:
    return types.ListPromptsResult(prompts=[])


async def _get_prompt(_: _Ctx, params: types.GetPromptRequestParams) -> types.GetPromptResult:
    raise MCPError(types.INVALID_PARAMS, f"There is no prompt {params.name[:40]}.")
