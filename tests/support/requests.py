"""A request of an MCP client, for handlers that are called without a client."""

from types import SimpleNamespace
from typing import Any


def a_request(**more: Any) -> Any:
    """The context of a request from a client that sends no information about itself."""
    session = SimpleNamespace(client_params=None, client_capabilities=None)
    return SimpleNamespace(session=session, protocol_version="2025-11-25", request_id=1, meta=None, **more)
