"""The web server of `LoopbackPages`: uvicorn on 127.0.0.1, in the event loop of the process."""

import asyncio
import hmac
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context

import anyio
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from tfruns.client.client import Client
from tfruns.errors import ConnectionFailed, InvalidInput, NoCredentials, RequestTimedOut, TfrunsError, Unauthorized
from tfruns.gate.pipeline import Gate
from tfruns.gate.requests import DecisionRequests
from tfruns.policy import Policy
from tfruns.web.app import build_web_app
from tfruns.web.loopback import Connect
from tfruns.web.own_browser import OwnBrowser, has_browser
from tfruns.web.own_user import OwnUserOnly, own_users
from tfruns.web.passkeys import Passkeys
from tfruns.web.paths import link_path
from tfruns.web.preload import preload
from tfruns.web.protection import LOOPBACK_HOSTS
from tfruns.web.running import RunningPages, announced
from tfruns.web.sessions import Visitor
from tfruns.web.site import Site

_log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_USER_WITHIN_S = 5.0
MAX_CONNECTIONS = 100
_SHUTDOWN_WITHIN_S = 1  # a decision that is being sent; live updates never end


class LoopbackServer:
    """A running server of pages.

    Attributes:
        url: its address, without a path.
        visitor: the user of this process.
    """

    def __init__(self, record: RunningPages, site: Site, visitor: Visitor, listener: socket.socket) -> None:
        self.url = record.url
        self._site = site
        self.visitor = visitor
        self._record = _announced(record)
        self._server = _Server(_uvicorn_config(OwnUserOnly(build_web_app(site, LOOPBACK_HOSTS), own_users())))
        # A context of its own, because the first link may be created within a request of an assistant.
        self._serving = asyncio.get_running_loop().create_task(
            self._server.serve(sockets=[listener]), name="pages", context=Context()
        )

    def link(self, path: str) -> str:
        """The address of a page, with a code that begins one session."""
        preload()
        return f"{self.url}{link_path(self._site.sessions.create_link_code(self.visitor), path)}"

    async def wait(self) -> None:
        """Wait until the server stops."""
        await self._serving

    async def aclose(self) -> None:
        """Stop the server."""
        self._record.close()
        self._server.stop()
        await self._serving


async def start_server(  # the parameters of `LoopbackPages`
    connect: Connect,
    policy: Policy,
    requests: DecisionRequests,
    passkeys: Passkeys | None,
    command: str,
    port: int,
    secret: str,
) -> LoopbackServer:
    """Start a server; see `LoopbackPages`.

    Raises:
        ConnectionFailed: it cannot listen on the port.
        TfrunsError: there is no client for the API.
    """
    client = await connect()
    visitor = Visitor(await _user_name(client, is_required=passkeys is not None), Gate(client, policy), connect)
    listener = _listener(port)
    port = listener.getsockname()[1]
    url = f"http://{_HOST}:{port}"
    site = Site(
        f"tfruns web link --port {port}",
        _OwnSecret(secret, visitor),
        own_browser=OwnBrowser(url, visitor) if has_browser() else None,
        requests=requests,
        passkeys=passkeys,
    )
    record = RunningPages(url, secret, str(client.settings.address), command)
    return LoopbackServer(record, site, visitor, listener)


def _announced(record: RunningPages) -> ExitStack:
    """The record of the server, until it is closed."""
    stack = ExitStack()
    try:
        stack.enter_context(announced(record))
    except (OSError, InvalidInput) as error:
        _log.warning("`tfruns web link` will not find these pages: %s", error)
    return stack


def _uvicorn_config(app: object) -> uvicorn.Config:
    """The configuration of the server: it logs only failures, and trusts no headers of proxies."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=BrowserConnection,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_WITHIN_S,
    )


async def _user_name(client: Client, *, is_required: bool) -> str:
    """The user of the API token.

    Raises:
        TfrunsError: the token is not valid, or the user cannot be read and is required: passkeys belong to a user, and
            anybody could register the first one of an unknown user.
    """
    failure: TfrunsError = RequestTimedOut(f"The API did not name the user of the token within {_USER_WITHIN_S:.0f} s.")
    with anyio.move_on_after(_USER_WITHIN_S):
        try:
            user = await client.account.read()
        except TfrunsError as error:
            failure = error
        else:
            return user.username or user.id
    if is_required or isinstance(failure, NoCredentials | Unauthorized):
        raise failure
    return "unknown user"  # the pages show the error


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)  # `strerror` repeats the address
        raise ConnectionFailed(
            f"The pages cannot be served on port {port}: {reason}.",
            solution="Use another --port, or 0 for any free port.",
        ) from None


class _OwnSecret:
    """The only account: that of the process, for whoever has the secret in the record of the server."""

    def __init__(self, secret: str, visitor: Visitor) -> None:
        self._secret = secret
        self._visitor = visitor

    async def visitor_with(self, token: str) -> Visitor:
        """The user of the process.

        Raises:
            Unauthorized: this is not the secret.
        """
        if not hmac.compare_digest(token.encode(), self._secret.encode()):
            raise Unauthorized("unauthorized", status=401)
        return self._visitor


class BrowserConnection(H11Protocol):
    """A connection of a browser. At the limit, a new one replaces an idle one; if all are busy, it is closed.

    Otherwise connections that send nothing would use up the file descriptors of the process, which it needs for the
    API.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, and close another one at the limit."""
        super().connection_made(transport)
        self._made_at = self.loop.time()
        if len(self.connections) <= MAX_CONNECTIONS:
            return
        others = [other for other in self.connections if isinstance(other, BrowserConnection) and other is not self]
        closed = min((other for other in others if other.is_idle), key=lambda other: other.idle_order, default=self)
        self.connections.discard(closed)
        closed.transport.close()

    @property
    def is_idle(self) -> bool:
        """Whether the connection serves no request."""
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type omits None
        return cycle is None or cycle.response_complete

    @property
    def idle_order(self) -> tuple[bool, float]:
        """Connections that never sent a request are closed first, the oldest before the others."""
        return self.cycle is not None, self._made_at


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to the process, and does not wake while nothing happens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Stop the server."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Wait until the server is stopped."""
        await self._stopped.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
