"""Connection pools, configured by the settings and by the proxies and certificates of the environment."""

import ipaddress
import logging
import os
import platform
import re
import socket
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy

import anyio
import httpx2

from tfruns._version import __version__
from tfruns.client.settings import Settings
from tfruns.errors import InvalidInput
from tfruns.masking.redaction import redact

_TIMEOUT = httpx2.Timeout(30.0, connect=10.0, pool=30.0)
_KEPT = httpx2.Limits(max_connections=100, max_keepalive_connections=50, keepalive_expiry=60.0)
_USED_ONCE = httpx2.Limits(max_connections=100, max_keepalive_connections=0)
_NO_COOKIES = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # the API uses only tokens
_HEADERS = {
    "user-agent": f"tfruns/{__version__} (Python {platform.python_version()}; {platform.system()})",
    "accept-encoding": "gzip",  # the only encoding that `bodies` can bound
}


class Connections:
    """The connections of one transport, opened on first use and kept until `aclose`.

    Reads share kept-alive connections. Each change has its own connection, so that the first response on it cannot
    belong to an earlier request.

    Args:
        settings: the client's settings.
        http_transport: replaces the network.
    """

    def __init__(self, settings: Settings, http_transport: httpx2.AsyncBaseTransport | None) -> None:
        self._settings = settings
        self.http_transport = http_transport
        self._pools: dict[bool, httpx2.AsyncClient] = {}
        self._is_checked = http_transport is not None

    def pool(self, *, is_used_once: bool = False) -> httpx2.AsyncClient:
        """The pool of kept-alive connections, or the pool of single-use connections."""
        key = is_used_once and self.http_transport is None
        if key not in self._pools:
            redact_http_logs()
            self._pools[key] = _new_pool(self._settings, self.http_transport, _USED_ONCE if key else _KEPT)
        return self._pools[key]

    async def aclose(self) -> None:
        """Close all connections. The next request opens new ones."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    @staticmethod
    async def drop(response: httpx2.Response) -> None:
        """Close the connection of a response, so that nothing else arrives on it. The pool replaces it."""
        stream = response.extensions.get("network_stream")
        if stream is not None:
            await stream.aclose()

    async def check_localhost(self) -> None:
        """Refuse to send a token without TLS if `localhost` is another machine.

        Raises:
            InvalidInput: the name resolves to an address that is not a loopback address.
        """
        address = self._settings.address
        is_exempt = address.scheme == "https" or address.host != "localhost" or self._settings.is_http_allowed
        if self._is_checked or is_exempt:
            return
        try:
            found = await anyio.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except OSError:
            return  # the request itself reports it
        if not all(ipaddress.ip_address(where[4][0].partition("%")[0]).is_loopback for where in found):
            raise InvalidInput(
                "The request was not sent: localhost resolves to another machine, which would receive the token "
                "over plain HTTP.",
                solution="Correct the entry for localhost in /etc/hosts, or use http://127.0.0.1:PORT.",
            )
        self._is_checked = True


def _new_pool(
    settings: Settings, http_transport: httpx2.AsyncBaseTransport | None, limits: httpx2.Limits
) -> httpx2.AsyncClient:
    """A new connection pool.

    Raises:
        InvalidInput: a certificate bundle or a proxy cannot be used.
    """
    is_plain = settings.address.scheme == "http" and settings.address.is_loopback
    lazy = {"https://": _LazyTls(settings, limits)} if is_plain and not http_transport else None
    if http_transport:
        verify: ssl.SSLContext | bool = True
    else:
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else tls_context(settings)
    try:
        return httpx2.AsyncClient(
            transport=http_transport,
            mounts=lazy,
            verify=verify,
            timeout=_TIMEOUT,
            limits=limits,
            headers=_HEADERS,
            cookies=_NO_COOKIES,
            follow_redirects=False,
            trust_env=not settings.address.is_loopback,  # requests to this machine never use a proxy
        )
    except (ValueError, ImportError, httpx2.InvalidURL):
        raise InvalidInput(
            "A proxy set in the environment cannot be used.",
            solution="Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY: a proxy is an http:// or https:// URL.",
        ) from None


class _LazyTls(httpx2.AsyncBaseTransport):
    """Requests over TLS from the pool of an API without it, as for an object elsewhere.

    Loading the certificate authorities takes longer than many a command on the local backend, which needs none.
    """

    def __init__(self, settings: Settings, limits: httpx2.Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._transport: httpx2.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._transport is None:
            self._transport = httpx2.AsyncHTTPTransport(verify=tls_context(self._settings), limits=self._limits)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()


def tls_context(settings: Settings) -> ssl.SSLContext:
    """The machine's certificate authorities (or `SSL_CERT_FILE`), plus those of the private bundle.

    Raises:
        InvalidInput: a bundle does not exist, or contains no certificates.
    """
    try:
        context = httpx2.create_ssl_context()
    except (OSError, ssl.SSLError):
        raise _unusable_bundle(f"{os.environ.get('SSL_CERT_FILE')} (SSL_CERT_FILE)") from None
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(cafile=settings.ca_file)
        except (OSError, ssl.SSLError):
            raise _unusable_bundle(f"{settings.ca_file} (TFE_CA_FILE)") from None
    return context


def _unusable_bundle(name: str) -> InvalidInput:
    return InvalidInput(
        f"The certificate bundle {name} cannot be used.", solution="Set it to a readable file of PEM certificates."
    )


# -- the HTTP library's log -------------------------------------------------------------------------------------------

_LOGGERS = (
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "httpcore2.socks",
)


# The HTTP library logs the URL of every request at level INFO, and headers at DEBUG. After a redirect to a log or a
# plan, both contain a signed URL. Every URL outside the API is treated as signed.
_NON_API_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^/\s\"'\\]+)/(?!api/|\[)[^\s\"'\\]+")


class _Redaction(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _NON_API_URL.sub(r"\1/[signed-url-removed]", redact(record.getMessage()))
        record.args = ()
        return True


_REDACTION = _Redaction()


def redact_http_logs() -> None:
    """Remove signed URLs and tokens from the HTTP library's log records. Idempotent."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_REDACTION)
