"""Serving one MCP client over standard input and output."""

import signal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
import mcp_types as types
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

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
            await self._outgoing.send(_UNREADABLE)
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


# JSON-RPC 2.0, "Response object": the id is null where that of the request is not known.
_UNREADABLE = SessionMessage(
    types.JSONRPCError(
        jsonrpc="2.0",
        id=None,
        error=types.ErrorData(
            code=types.PARSE_ERROR,
            message="This line is no JSON-RPC 2.0 message (one object, in UTF-8, on one line).",
        ),
    )
)
