"""A request of an MCP client, for what is called without a client."""

from types import SimpleNamespace
from typing import Any


def a_request(**more: Any) -> Any:
    """What a handler of the server sees of a request from a client that says nothing about itself."""
    session = SimpleNamespace(client_params=None, client_capabilities=None)
    return SimpleNamespace(session=session, protocol_version="2025-11-25", request_id=1, meta=None, **more)
