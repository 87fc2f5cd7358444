"""The MCP server of one client, on standard input and output."""

import json
import re
import signal
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self, cast

import anyio
import mcp_types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from tfruns.jsonapi import whole_text
from tfruns.log_output import log_to_standard_error
from tfruns.mcp.bounded_lines import MAX_LINE_BYTES, BoundedLines, standard_input, top_level_id
from tfruns.mcp.connection import Connection
from tfruns.mcp.pages import Pages
from tfruns.mcp.server import build_server
from tfruns.policy import Policy

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import ReadStream, WriteStream


def serve(
    policy: Policy, connection: Connection, allowed_directories: tuple[Path, ...] = (), pages: Pages | None = None
) -> None:
    """Serve until the client closes the input. Standard output is for the protocol, and standard error for the log."""
    log_to_standard_error()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # otherwise, Ctrl-C would wait for the thread that reads the input
    anyio.run(_serve, build_server(policy, connection, allowed_directories, pages))


async def _serve(server: Server[Any]) -> None:
    with standard_input() as stream:
        lines = BoundedLines(stream)
        async with stdio_server(anyio.wrap_file(cast("IO[str]", lines))) as (incoming, outgoing):
            stream_with_replies = ErrorReplyingStream(incoming, outgoing, lines)
            await server.run(stream_with_replies, outgoing, server.create_initialization_options())


Message = SessionMessage | Exception


class ErrorReplyingStream:
    """The messages of a client. Replies with an error to each message that cannot be parsed.

    The SDK drops such messages, so that a client would wait for its own timeout.
    """

    def __init__(
        self, incoming: "ReadStream[Message]", outgoing: "WriteStream[SessionMessage]", lines: BoundedLines
    ) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lines = lines

    async def receive(self) -> Message:
        while isinstance(message := await self._incoming.receive(), Exception):
            await self._outgoing.send(_unreadable(message, self._lines))
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
        """The context in which the last message was sent; the SDK reads this attribute."""
        return getattr(self._incoming, "last_context", None)


def _unreadable(error: Exception, lines: BoundedLines) -> SessionMessage:
    """The reply to a line that cannot be parsed. JSON-RPC 2.0: the id is null if the id of the request is unknown."""
    line, problem = _line_of(error)
    code = types.PARSE_ERROR
    if lines.is_dropped(line):
        code, id_ = types.INVALID_REQUEST, lines.id_of_dropped(line)
        message = f"The message is too long: at most {MAX_LINE_BYTES} bytes are accepted. Send less in one request."
    elif _TOO_DEEP in problem:
        id_, message = top_level_id(line), "The request is nested too deeply."
    elif (id_ := _id_of_whole(line)) is not None:
        message = "A text in the request contains an unpaired surrogate. Send valid Unicode."
    else:
        message = "This line is not a JSON-RPC 2.0 message (one object, in UTF-8, on one line)."
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=id_, error=types.ErrorData(code=code, message=message)))


_TOO_DEEP = "recursion limit exceeded"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _line_of(error: Exception) -> tuple[str, str]:
    """The line that could not be parsed, and the message of the parser."""
    if not isinstance(error, ValidationError):
        return "", ""
    first = error.errors(include_url=False)[0]
    line = first.get("input")
    return line if isinstance(line, str) else "", first["msg"]


def _id_of_whole(line: str) -> int | str | None:
    """The id of a request whose only defect is an unpaired surrogate in a text."""
    try:
        request = json.loads(line) if _SURROGATE.search(line) else None
    except (ValueError, RecursionError):
        return None
    id_ = request.get("id") if isinstance(request, dict) and "method" in request else None
    is_id = isinstance(id_, int | str) and not isinstance(id_, bool)
    return id_ if is_id and id_ == whole_text(id_) else None
