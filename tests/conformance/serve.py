"""Our server over HTTP on loopback, for scenarios that speak nothing else: `python -m tests.conformance.serve`.

It prints its port when it listens. With `--diagnostic-tools` it has three more tools, which the scenario of the
stateless era calls and no real server has.
"""

import socket
import sys
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError

from tfruns.mcp.server import build_server
from tfruns.policy import Policy

_Ctx = ServerRequestContext[Any]
_OK = types.CallToolResult(content=[types.TextContent(type="text", text="ok")])
_ASK = types.InputRequiredResult(
    input_requests={
        "name": types.ElicitRequest(
            params=types.ElicitRequestFormParams(
                message="Which name?",
                requested_schema={"type": "object", "properties": {"name": {"type": "string"}}},
            )
        )
    }
)


async def _need_sampling(ctx: _Ctx) -> types.CallToolResult:
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(
            types.MISSING_REQUIRED_CLIENT_CAPABILITY, "This needs sampling.", {"requiredCapabilities": {"sampling": {}}}
        )
    return _OK


async def _ask(_: _Ctx) -> types.InputRequiredResult:
    return _ASK


async def _log(ctx: _Ctx) -> types.CallToolResult:
    await ctx.session.send_log_message(level="info", data="diagnostic", related_request_id=ctx.request_id)
    return _OK


_DIAGNOSTIC_TOOLS = {
    "test_missing_capability": _need_sampling,
    "test_streaming_elicitation": _ask,
    "test_logging_tool": _log,
}


def add_diagnostic_tools(server: Server[Any]) -> None:
    """Put the diagnostic tools before and behind a server's own."""
    own_list, own_call = server.get_request_handler("tools/list"), server.get_request_handler("tools/call")
    assert own_list is not None
    assert own_call is not None

    async def list_tools(ctx: _Ctx, params: Any) -> Any:
        result = await own_list.handler(ctx, params)
        assert isinstance(result, types.ListToolsResult)
        more = [types.Tool(name=name, input_schema={"type": "object"}) for name in _DIAGNOSTIC_TOOLS]
        return result.model_copy(update={"tools": [*result.tools, *more]})

    async def call_tool(ctx: _Ctx, params: Any) -> Any:
        diagnostic = _DIAGNOSTIC_TOOLS.get(params.name)
        return await (diagnostic(ctx) if diagnostic else own_call.handler(ctx, params))

    server.add_request_handler("tools/list", own_list.params_type, list_tools)
    server.add_request_handler("tools/call", own_call.params_type, call_tool)


def main() -> None:
    server = build_server(Policy())
    if "--diagnostic-tools" in sys.argv:
        add_diagnostic_tools(server)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)  # whoever connects from now on waits in the socket's queue
    uvicorn.Server(uvicorn.Config(server.streamable_http_app(), http="h11", log_level="warning")).run(
        sockets=[listening]
    )


if __name__ == "__main__":
    main()
