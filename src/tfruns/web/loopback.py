"""The pages of one process, on loopback: for `tfruns web`, and beside `tfruns mcp`.

The libraries of the web server are imported when the server starts, because `tfruns mcp` starts it with the first link.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import anyio

from tfruns.policy import Confirm, Policy
from tfruns.web.paths import PREFIX, page_path

if TYPE_CHECKING:
    from tfruns.client.client import Client
    from tfruns.gate.requests import DecisionRequests, Review
    from tfruns.web.loopback_server import LoopbackServer
    from tfruns.web.passkeys import Passkeys

Connect = Callable[[], Awaitable["Client"]]
"""Returns the client of the API for a request."""


class LoopbackPages:
    """The pages that this process serves to its own user.

    Whoever has a link can do what the policy permits with the API token of this process; see `docs/web.md`.

    Args:
        connect: returns the client of the API.
        policy: the permissions of the visitors. They confirm each decision on its page.
        command: the command that runs this process, for the record of the server.
        port: the port to listen on; 0 for any free port.
        passkeys: the passkeys that decisions which can destroy something need; None if they need none.

    Attributes:
        passkeys: the passkeys, if decisions need them.
    """

    def __init__(
        self,
        connect: Connect,
        policy: Policy,
        *,
        command: str,
        port: int = 0,
        passkeys: "Passkeys | None" = None,
    ) -> None:
        self.passkeys = passkeys
        self._connect = connect
        self._policy = replace(policy, confirm=Confirm.ALWAYS)
        self._command = command
        self._port = port
        self._secret = secrets.token_urlsafe(32)
        self._starting = anyio.Lock()
        self._server: LoopbackServer | None = None

    @cached_property
    def requests(self) -> "DecisionRequests":
        """The calls of an assistant that wait for a decision on a page."""
        from tfruns.gate.requests import DecisionRequests  # noqa: PLC0415  # a server starts without it

        return DecisionRequests()

    async def link(self, path: str = PREFIX) -> str:
        """The address of a page, with a code that begins one session within ten minutes.

        The first call starts the server.

        Args:
            path: the path of a page.

        Raises:
            InvalidInput: this is not the path of a page.
            ConnectionFailed: the server cannot listen.
            TfrunsError: there is no client for the API.
        """
        path = page_path(path)
        return (await self.started()).link(path)

    async def url(self, path: str) -> str:
        """The address of a page, without a code: the page requires a session.

        Raises: as `link`.
        """
        path = page_path(path)
        return f"{(await self.started()).url}{path}"

    async def review(self, run_id: str) -> "Review":
        """The review of a run, for the chat.

        Raises:
            TfrunsError: the run cannot be read, or the pages cannot be served.
        """
        from tfruns.gate.requests import Review  # noqa: PLC0415
        from tfruns.web.chat import chat_review  # noqa: PLC0415

        server = await self.started()
        return Review(await chat_review(server.visitor, run_id, server.url), server.url)

    def document(self) -> str:
        """The HTML document that shows reviews in the chat."""
        from tfruns.web.chat import chat_document  # noqa: PLC0415

        return chat_document()

    async def started(self) -> "LoopbackServer":
        """The server, which is started by the first call.

        Raises: as `link`.
        """
        async with self._starting:
            if self._server is None:
                from tfruns.web.loopback_server import start_server  # noqa: PLC0415

                self._server = await start_server(
                    self._connect, self._policy, self.requests, self.passkeys, self._command, self._port, self._secret
                )
            return self._server

    async def aclose(self) -> None:
        """Stop the server."""
        if self._server is not None:
            await self._server.aclose()
