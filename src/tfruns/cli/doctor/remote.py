"""The checks of the way to the API, and of what it lets us do."""

import asyncio
import socket
import ssl
import time
from functools import partial
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from anyio.to_thread import run_sync

from tfruns.cli.doctor.findings import Finding, Named, broken, ok, skipped, warning
from tfruns.cli.token_kind import kind_of_token
from tfruns.client.client import Client
from tfruns.client.connections import tls_context
from tfruns.client.ping import PingResult
from tfruns.client.settings import Settings
from tfruns.errors import TfrunsError, Unauthorized

_CONNECT_S = 10.0
_SKEW_S = 30.0
_EXPIRES_SOON_DAYS = 14
_SHOWN = 5
_NOBODY = "There is no token."
_NO_ANSWER = "There is no answer to look at."
_GET_ONE = "Run `tfruns login`, or set TFE_TOKEN (see `tfruns mcp --help`)."
_ADDRESS = "Check TFE_ADDRESS, the `cloud` block here, the network and the proxy."


class Remote:
    """The checks of one API. What several of them need is asked once."""

    def __init__(self, client: Client, organization: str | None, token_source: str | None = None) -> None:
        self._client = client
        self._organization = organization
        self._token_source = token_source
        self._settings: Settings = client.settings
        self._ping: asyncio.Task[PingResult] | None = None

    def checks(self) -> list[Named]:
        """The checks by name, in the order in which one thing needs the other."""
        return [
            Named("address", self.address),
            Named("tls", self.tls),
            Named("proxy", self.proxy),
            Named("token", self.token),
            Named("organizations", self.organizations),
            Named("entitlement", self.entitlement),
            Named("api version", self.api_version),
            Named("rate limit", self.rate_limit),
            Named("clock", self.clock),
        ]

    async def _ping_result(self) -> PingResult:
        """The answer to the ping, which belongs to no single check: one that is given up does not end it."""
        if self._ping is None:
            self._ping = asyncio.create_task(self._client.ping())
        return await asyncio.shield(self._ping)

    async def aclose(self) -> None:
        """End what is under way."""
        if self._ping is not None:
            self._ping.cancel()
            await asyncio.gather(self._ping, return_exceptions=True)

    async def address(self) -> Finding:
        greeting = await self._ping_result()
        name = f"{self._settings.address}, {greeting.application or 'which does not say what it is'}"
        if greeting.status >= 500 or greeting.application is greeting.version is None:
            return broken(f"{name}: it answered {greeting.status}.", f"It is not the API, or it is down. {_ADDRESS}")
        return ok(f"{name}, answers in {greeting.took_s * 1000:.0f} ms")

    async def tls(self) -> Finding:
        if self._settings.address.scheme == "http":
            return skipped("Plain HTTP, on this machine." if self._settings.address.is_loopback else "Plain HTTP.")
        if _proxy(self._settings):
            return skipped("Connections go through a proxy.")
        return await run_sync(partial(_tls, self._settings), abandon_on_cancel=True)

    async def proxy(self) -> Finding:
        proxy = _proxy(self._settings)
        return ok(f"Requests go through {proxy}") if proxy else ok("None is used")

    async def token(self) -> Finding:
        found = self._settings.credentials
        if found.token is None:
            return broken(
                "; ".join((f"There is none for {self._settings.address.hostname}", *found.problems)), _GET_ONE
            )
        source = self._token_source or found.token.source
        try:
            user = await self._client.account.read()
        except Unauthorized:
            return broken(f"The one from {source} is not accepted.", _GET_ONE)
        kind, whose = kind_of_token(user), user.username or user.id
        text = f"From {source}: {whose}'s, of the kind {kind}"
        if kind == "organization":
            return warning(text, "Organization tokens cannot read or change runs: use a user or team token.")
        return ok(text)

    async def organizations(self) -> Finding:
        if self._settings.credentials.token is None:
            return skipped(_NOBODY)
        page = await self._client.organizations.list().page()
        names = [organization.id for organization in page.items]
        wanted = self._organization
        if not names:
            return warning("The token sees none.", "Use the token of a user or team that belongs to an organization.")
        more = len(names) > _SHOWN or page.pagination.next_page
        text = ", ".join(names[:_SHOWN]) + (", and more" if more else "")
        if wanted and wanted not in names and not page.pagination.next_page:
            return broken(
                f"{wanted} is not among: {text}",
                "Use its right name (TF_CLOUD_ORGANIZATION, the `cloud` block), or a token that sees it.",
            )
        return ok(text)

    async def entitlement(self) -> Finding:
        organization = self._organization
        if self._settings.credentials.token is None:
            return skipped(_NOBODY)
        if organization is None:
            names = [found.id for found in (await self._client.organizations.list().page(size=1)).items]
            if not names:
                return skipped("There is no organization.")
            organization = names[0]
        may = await self._client.organizations.read_entitlements(organization)
        if may.operations is False:
            return broken(f"{organization} has no remote runs.", "Ask for them, or use another organization.")
        uses = {"cost estimation": may.cost_estimation, "policies": may.sentinel, "run tasks": may.run_tasks}
        return ok(f"{organization}: remote runs" + "".join(f", {name}" for name, is_there in uses.items() if is_there))

    async def api_version(self) -> Finding:
        greeting = await self._ping_or_none()
        if greeting is None:
            return skipped(_NO_ANSWER)
        if greeting.version is None:
            return warning("It does not say.", f"It may be something else than the API. {_ADDRESS}")
        return ok(greeting.version)

    async def rate_limit(self) -> Finding:
        greeting = await self._ping_or_none()
        if greeting is None:
            return skipped(_NO_ANSWER)
        limit = greeting.rate_limit
        return ok(f"{limit} requests a second" if limit else "Not said; tfruns keeps to 27 a second")

    async def clock(self) -> Finding:
        greeting = await self._ping_or_none()
        if greeting is None or greeting.skew_s is None:
            return skipped(_NO_ANSWER if greeting is None else "The server does not say what time it is.")
        skew_s = greeting.skew_s
        if abs(skew_s) > _SKEW_S:
            way = "behind" if skew_s > 0 else "ahead of"
            return warning(f"{abs(skew_s):.0f} s {way} the server's", "Set this machine's clock (NTP).")
        return ok("As the server's, to a few seconds")

    async def _ping_or_none(self) -> PingResult | None:
        """The answer, or None: that there is none is the finding of another check."""
        try:
            return await self._ping_result()
        except TfrunsError:
            return None


def _proxy(settings: Settings) -> str | None:
    """The proxy that requests go through, without what is secret in its address."""
    address = settings.address
    proxies: dict[str, str] = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or address.is_loopback or proxy_bypass(f"{address.host}:{address.port}"):
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _tls(settings: Settings) -> Finding:
    context, address = tls_context(settings), settings.address
    trusted = "Give the private authority's certificate in TFE_CA_FILE; check the host and the machine's clock."
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=_CONNECT_S) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as secure,
        ):
            certificate, protocol = secure.getpeercert() or {}, secure.version()
    except ssl.SSLCertVerificationError as error:
        return broken(f"The certificate is not accepted: {error.verify_message}", trusted)
    except ssl.SSLError as error:
        return broken(f"No TLS: {error.reason}", _ADDRESS)
    except OSError as error:
        return broken(f"No connection: {error.strerror or error}", _ADDRESS)
    days = int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) // 86400)
    own = f", with the authorities in {settings.ca_file}" if settings.ca_file else ""
    text = f"{protocol}, certificate valid for {days} more days{own}"
    return ok(text) if days >= _EXPIRES_SOON_DAYS else warning(text, "Have the server's certificate renewed.")
