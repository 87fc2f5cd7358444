"""Serving one MCP client over standard input and output."""

import logging
import signal
import sys

import anyio
from mcp.server.stdio import stdio_server

from tfruns.mcp.server import build_server
from tfruns.redaction import redact
from tfruns.tools.policy import Policy


def serve(policy: Policy) -> None:
    """Serve until the client closes the input. Standard output belongs to the protocol; the log is standard error."""
    _log_to_standard_error()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the thread that waits for input would keep Ctrl-C waiting too
    anyio.run(_serve, policy)


async def _serve(policy: Policy) -> None:
    server = build_server(policy)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


class RedactingFormatter(logging.Formatter):
    """A formatter whose lines hold no tokens or signed addresses, whoever wrote them."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _log_to_standard_error() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
