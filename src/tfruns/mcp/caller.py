"""The name of the calling program, as it gives it."""

import unicodedata
from typing import Any

from mcp.server import ServerRequestContext

from tfruns.masking.redaction import redact

_MAX_NAME = 60  # characters


def caller_of(ctx: ServerRequestContext[Any]) -> str:
    """The client's name, from its handshake or, in the revisions without one, from this request; else "MCP client"."""
    client = ctx.session.client_params
    name = client.client_info.title or client.client_info.name if client else None
    return caller_name(name) or "MCP client"


def caller_name(name: str | None) -> str:
    """The name of a client on one line, without invisible characters and without text that looks like a secret."""
    shown = "".join(char if unicodedata.category(char)[0] not in "CZ" else " " for char in (name or "")[:1000])
    return redact(" ".join(shown.split()))[:_MAX_NAME].strip()
