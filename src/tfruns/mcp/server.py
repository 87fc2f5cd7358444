"""The MCP server of the tools.

It is built on the low-level server of the SDK, which leaves the list of tools, the validation of arguments and the form
of results to the handlers. The same handlers serve the revisions of the protocol with and without a handshake.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server import Server

from tfruns._version import __version__
from tfruns.mcp.connection import Connection, RemoteConnection
from tfruns.mcp.instructions import instructions
from tfruns.mcp.pages import Pages
from tfruns.mcp.prompts import Prompts
from tfruns.mcp.resources import RunResources
from tfruns.mcp.subscriptions import Subscriptions
from tfruns.mcp.tool_handlers import ToolHandlers
from tfruns.policy import Policy


def build_server(
    policy: Policy,
    connection: Connection | None = None,
    allowed_directories: tuple[Path, ...] = (),
    pages: Pages | None = None,
) -> Server[Any]:
    """An MCP server that offers what the policy permits. It connects to the API with the first call.

    Args:
        policy: the permissions of the caller.
        connection: the source of the API client; by default, that of the environment.
        allowed_directories: the directories that may be uploaded.
        pages: the pages on which people decide about calls; None if this process serves none.
    """
    connection = connection or RemoteConnection()
    tools = ToolHandlers(policy, connection, allowed_directories, pages)
    resources, prompts = RunResources(tools), Prompts(tools)
    subscriptions = Subscriptions(resources)

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        try:
            async with subscriptions.running():
                yield {}
        finally:
            await tools.aclose()

    return _Server(
        "tfruns",
        title="Terraform runs",
        version=__version__,
        instructions=instructions(policy, connection.organization),
        lifespan=lifespan,
        on_list_tools=tools.list_tools,
        on_call_tool=tools.call_tool,
        on_list_resources=resources.list,
        on_list_resource_templates=resources.list_templates,
        on_read_resource=resources.read,
        on_subscribe_resource=subscriptions.subscribe,
        on_unsubscribe_resource=subscriptions.unsubscribe,
        on_subscriptions_listen=subscriptions.listen,
        on_list_prompts=prompts.list,
        on_get_prompt=prompts.get,
    )


class _Server(Server[Any]):
    """A server that declares that its lists never change. In the SDK, one setting covers lists and resources."""

    def get_capabilities(self, *args: Any, **kwargs: Any) -> types.ServerCapabilities:
        """The capabilities, without notifications about changed lists."""
        capabilities = super().get_capabilities(*args, **kwargs)
        fixed = {
            name: capability.model_copy(update={"list_changed": False})
            for name in ("tools", "prompts", "resources")
            if (capability := getattr(capabilities, name)) is not None
        }
        return capabilities.model_copy(update=fixed)
