"""Serving one MCP client over standard input and output."""

import json
import re
import signal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
import mcp_types as types
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from tfruns.jsonapi import whole_text
from tfruns.log_output import log_to_standard_error
from tfruns.mcp.connection import Connection
from tfruns.mcp.server import build_server
from tfruns.tools.policy import Policy

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import ReadStream, WriteStream


def serve(policy: Policy, connection: Connection, allowed_directories: tuple[Path, ...] = ()) -> None:
    """Serve until the client closes the input. Standard output belongs to the protocol; the log is standard error."""
    log_to_standard_error()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the thread that waits for input would keep Ctrl-C waiting too
    anyio.run(_serve, policy, connection, allowed_directories)


async def _serve(policy: Policy, connection: Connection, allowed_directories: tuple[Path, ...]) -> None:
    server = build_server(policy, connection, allowed_directories)
    async with stdio_server() as (incoming, outgoing):
        answered = AnsweredStream(incoming, outgoing)
        await server.run(answered, outgoing, server.create_initialization_options())


Message = SessionMessage | Exception


class AnsweredStream:
    """The messages of a client, of which those that cannot be read are answered with an error.

    The SDK drops them, and whoever sent a request in one would wait for its own timeout.
    """

    def __init__(self, incoming: "ReadStream[Message]", outgoing: "WriteStream[SessionMessage]") -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    async def receive(self) -> Message:
        while isinstance(message := await self._incoming.receive(), Exception):
            await self._outgoing.send(_unreadable(message))
        return message

    async def aclose(self) -> None:
        await self._incoming.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        await self._incoming.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
        return await self._incoming.__aexit__(exc_type, exc_val, exc_tb)

    @property
    def last_context(self) -> Any:
        """The context in which the last message was sent, which the SDK looks for here."""
        return getattr(self._incoming, "last_context", None)


def _unreadable(error: Exception) -> SessionMessage:
    """The answer to a line that cannot be read; JSON-RPC 2.0: the id is null where that of the request is not known."""
    message = "This line is no JSON-RPC 2.0 message (one object, in UTF-8, on one line)."
    id_ = _id_of(error)
    if id_ is not None:
        message = "A text in this request has half of a character in it (a lone surrogate), which no text can hold."
    return SessionMessage(
        types.JSONRPCError(jsonrpc="2.0", id=id_, error=types.ErrorData(code=types.PARSE_ERROR, message=message))
    )


def _id_of(error: Exception) -> int | str | None:
    """The id of a request in which nothing is wrong but that a text has half of a character in it."""
    try:
        line = error.errors()[0]["input"] if isinstance(error, ValidationError) else None
        request = json.loads(line) if isinstance(line, str) and _HALF.search(line) else None
    except (ValueError, RecursionError):
        return None
    id_ = request.get("id") if isinstance(request, dict) and "method" in request else None
    is_id = isinstance(id_, int | str) and not isinstance(id_, bool)
    return id_ if is_id and id_ == whole_text(id_) else None


_HALF = re.compile(r"\\u[dD][89a-fA-F]")
