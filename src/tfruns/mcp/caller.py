"""Which program a request comes from, by its own word."""

from typing import Any

from mcp.server import ServerRequestContext

from tfruns.tools.guard_signature import caller_name


def caller_of(ctx: ServerRequestContext[Any]) -> str:
    """The client's name, from its handshake or, in the revisions without one, from this request; else "MCP client"."""
    client = ctx.session.client_params
    name = client.client_info.title or client.client_info.name if client else None
    return caller_name(name) or "MCP client"
