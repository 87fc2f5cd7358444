"""Checks of the API, the connection to it, and the permissions of the token."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from anyio.to_thread import run_sync

from tfruns.cli.doctor.findings import Check, Finding, broken, ok, skipped, warning
from tfruns.cli.terminal import in_terminal
from tfruns.cli.token_kind import kind_of_token
from tfruns.client.client import Client
from tfruns.client.connections import tls_context
from tfruns.client.ping import PingResult
from tfruns.client.settings import Settings
from tfruns.errors import ConnectionFailed, TfrunsError, Unauthorized
from tfruns.wording import counted

_CONNECT_TIMEOUT_S = 10.0
_MAX_SKEW_S = 30.0
_EXPIRES_SOON_DAYS = 14
_MAX_NAMES = 5
_HCP_RATE_LIMIT = 30  # the local backend reports a higher limit unless it enforces this one
_NOT_CONFIGURED = skipped("No token is configured.")
_NO_RESPONSE = "The API did not respond."
_LOG_IN = "Run `tfruns login`, or set TFE_TOKEN (see `tfruns mcp --help`)."
_ADDRESS = "Check TFE_ADDRESS, the `cloud` block of this directory, the network and the proxy."


class Remote:
    """The checks of one API. They share the response of one ping."""

    def __init__(self, client: Client, organization: str | None, token_source: str | None = None) -> None:
        self._client = client
        self._organization = organization
        self._token_source = token_source
        self._settings: Settings = client.settings
        self._ping: asyncio.Task[PingResult] | None = None

    def checks(self) -> list[Check]:
        """The checks, each after those that it depends on."""
        return [
            Check("address", self.address),
            Check("tls", self.tls),
            Check("proxy", self.proxy),
            Check("token", partial(_unless_known, self.token)),
            Check("organizations", partial(_unless_known, self.organizations)),
            Check("entitlement", partial(_unless_known, self.entitlement)),
            Check("api version", self.api_version),
            Check("rate limit", self.rate_limit),
            Check("clock", self.clock),
        ]

    async def _ping_result(self) -> PingResult:
        """The response to the ping, which all checks share. The timeout of one check does not cancel it."""
        if self._ping is None:
            self._ping = asyncio.create_task(self._client.ping())
        return await asyncio.shield(self._ping)

    async def aclose(self) -> None:
        """Cancel the ping if it is still running."""
        if self._ping is not None:
            self._ping.cancel()
            await asyncio.gather(self._ping, return_exceptions=True)

    async def address(self) -> Finding:
        ping = await self._ping_result()
        name = f"{self._settings.address}, {_application(ping)}"
        if ping.status >= 500 or ping.application is ping.version is None:
            return broken(f"{name}: responded with {ping.status}.", f"It is not the API, or it is down. {_ADDRESS}")
        return ok(f"{name}, responds in {ping.took_s * 1000:.0f} ms")

    async def tls(self) -> Finding:
        if self._settings.address.scheme == "http":
            return skipped("Plain HTTP, on this machine." if self._settings.address.is_loopback else "Plain HTTP.")
        if _proxy(self._settings):
            return skipped("Connections go through a proxy.")
        return await run_sync(partial(_tls, self._settings), abandon_on_cancel=True)

    async def proxy(self) -> Finding:
        proxy = _proxy(self._settings)
        return ok(f"Requests go through {proxy}") if proxy else ok("None")

    async def token(self) -> Finding:
        found = self._settings.credentials
        if found.token is None:
            return broken("; ".join((f"No token for {self._settings.address.hostname}", *found.problems)), _LOG_IN)
        source = self._token_source or found.token.source
        try:
            user = await self._client.account.read()
        except Unauthorized:
            remedy = found.token.replacement or _LOG_IN
            return broken(f"The API does not accept the token from {source}.", in_terminal(remedy))
        kind, owner = kind_of_token(user), user.username or user.id
        text = f"{kind} token of {owner}, from {source}"
        if kind == "organization":
            return warning(text, "Organization tokens cannot read or change runs: use a user or team token.")
        return ok(text)

    async def organizations(self) -> Finding:
        if self._settings.credentials.token is None:
            return _NOT_CONFIGURED
        page = await self._client.organizations.list().page()
        names = [organization.id for organization in page.items]
        wanted = self._organization
        if not names:
            return warning(
                "The token cannot access any organization.", "Use the token of a user or team in an organization."
            )
        more = len(names) > _MAX_NAMES or page.pagination.next_page
        text = ", ".join(names[:_MAX_NAMES]) + (", and more" if more else "")
        if wanted and wanted not in names and not page.pagination.next_page:
            return broken(
                f"{wanted} is not one of: {text}",
                "Correct TF_CLOUD_ORGANIZATION or the `cloud` block, or use a token with access to it.",
            )
        return ok(text)

    async def entitlement(self) -> Finding:
        organization = self._organization
        if self._settings.credentials.token is None:
            return _NOT_CONFIGURED
        if organization is None:
            names = [found.id for found in (await self._client.organizations.list().page(size=1)).items]
            if not names:
                return skipped("The token cannot access any organization.")
            organization = names[0]
        entitlements = await self._client.organizations.read_entitlements(organization)
        if entitlements.operations is False:
            return broken(f"{organization} has no remote runs.", "Upgrade its plan, or use another organization.")
        features = {
            "cost estimation": entitlements.cost_estimation,
            "policies": entitlements.sentinel,
            "run tasks": entitlements.run_tasks,
        }
        enabled = ["remote runs", *(name for name, is_enabled in features.items() if is_enabled)]
        return ok(f"{organization}: {', '.join(enabled)}")

    async def api_version(self) -> Finding:
        ping = await self._ping_or_none()
        if ping is None:
            return skipped(_NO_RESPONSE)
        if ping.version is None:
            return warning("Unknown.", f"The address may not be that of the API. {_ADDRESS}")
        return ok(ping.version)

    async def rate_limit(self) -> Finding:
        ping = await self._ping_or_none()
        if ping is None:
            return skipped(_NO_RESPONSE)
        limit = ping.rate_limit
        if limit and ping.local_version and limit > _HCP_RATE_LIMIT:
            return ok("Not limited")
        return ok(f"{limit} requests per second" if limit else "Unknown; tfruns sends at most 27 requests per second")

    async def clock(self) -> Finding:
        ping = await self._ping_or_none()
        if ping is None or ping.skew_s is None:
            return skipped(_NO_RESPONSE if ping is None else "The response has no date.")
        skew_s = ping.skew_s
        if abs(skew_s) > _MAX_SKEW_S:
            direction = "behind" if skew_s > 0 else "ahead of"
            return warning(f"{abs(skew_s):.0f} s {direction} the server", "Set the clock of this machine (NTP).")
        return ok("In sync with the server, within a few seconds")

    async def _ping_or_none(self) -> PingResult | None:
        """The response, or None: a missing response is the finding of another check."""
        try:
            return await self._ping_result()
        except TfrunsError:
            return None


async def _unless_known(check: Callable[[], Awaitable[Finding]]) -> Finding:
    """The finding of a check, which is skipped if the finding of an earlier one explains its failure."""
    try:
        return await check()
    except ConnectionFailed:
        return skipped(_NO_RESPONSE)
    except Unauthorized:
        return skipped("The API does not accept the token.")


def _application(ping: PingResult) -> str:
    if ping.local_version:
        return f"local backend of tfruns {ping.local_version}"
    return ping.application or "unknown application"


def _proxy(settings: Settings) -> str | None:
    """The proxy of requests, without the credentials in its URL."""
    address = settings.address
    proxies: dict[str, str] = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or address.is_loopback or proxy_bypass(f"{address.host}:{address.port}"):
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _tls(settings: Settings) -> Finding:
    context, address = tls_context(settings), settings.address
    trusted = "Set TFE_CA_FILE to the certificate of a private authority. Check the host and this machine's clock."
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=_CONNECT_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as secure,
        ):
            certificate, protocol = secure.getpeercert() or {}, secure.version()
    except ssl.SSLCertVerificationError as error:
        return broken(f"The certificate is not trusted: {error.verify_message}", trusted)
    except ssl.SSLError as error:
        return broken(f"The TLS handshake failed: {error.reason}", _ADDRESS)
    except OSError:
        return skipped(_NO_RESPONSE)
    days = int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) // 86400)
    authorities = f", verified with {settings.ca_file}" if settings.ca_file else ""
    text = f"{protocol}, certificate valid for {counted(days, 'more day')}{authorities}"
    return ok(text) if days >= _EXPIRES_SOON_DAYS else warning(text, "Renew the certificate of the server.")
