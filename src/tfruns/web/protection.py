"""The protection of the pages against other websites: allowed hosts, security headers, and the origin of forms.

A page of another website can send requests to a server on this machine, and can make its own host name resolve to it
(DNS rebinding). Requests for an unknown host name are therefore rejected, and so are forms of another origin.
"""

from collections.abc import Collection, Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK_NAME = "localhost"
_LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "[::1]"})
LOOPBACK_HOSTS = frozenset({_LOOPBACK_NAME}) | _LOOPBACK_ADDRESSES

_HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Protection:
    """Middleware that rejects unknown hosts, and adds the security headers to each response.

    Args:
        app: the application.
        hosts: the allowed host names, without ports.
        needs_host_name: redirect from the addresses of this machine to `localhost`: browsers bind no passkey to an
            address.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, needs_host_name: bool = False) -> None:
        self._app = app
        self._needs_host_name = needs_host_name
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        host = host_name(Headers(scope=scope).get("host", ""))
        known = self._app if host in self._hosts else _UNKNOWN_HOST
        if self._needs_host_name and host in _LOOPBACK_ADDRESSES and scope["method"] == "GET":
            url = Request(scope).url
            known = RedirectResponse(url.replace(hostname=_LOOPBACK_NAME), HTTPStatus.TEMPORARY_REDIRECT)
        await known(scope, receive, send_with_headers)


_UNKNOWN_HOST = PlainTextResponse(
    "These pages are not available under this host name.\n", HTTPStatus.MISDIRECTED_REQUEST
)


def host_name(host: str) -> str:
    """The name in a `Host` header, without the port and in lowercase."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def is_own_origin(request: Request) -> bool:
    """Whether a browser sent a form from a page of this server.

    Browsers send `Origin` with each POST. A request without it does not come from a browser, and has no cookie of one.
    """
    return request.headers.get("origin") == f"{request.url.scheme}://{request.headers.get('host', '')}"
