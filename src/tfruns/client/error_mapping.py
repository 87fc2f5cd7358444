"""Mapping of error responses and connection failures to the error classes."""

import math
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.request import getproxies

import httpx2

from tfruns.client.address import Address, parse_address
from tfruns.client.credentials import Token
from tfruns.errors import (
    ApiError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    ConnectionLost,
    Forbidden,
    HostNotFound,
    InvalidInput,
    NotFound,
    RateLimited,
    RequestTimedOut,
    ServerError,
    TfrunsError,
    TlsFailed,
    Unauthorized,
    UnexpectedResponse,
    UnprocessableEntity,
)
from tfruns.jsonapi import JSON, error_texts

_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: UnprocessableEntity,
    429: RateLimited,
}
_MAX_RETRY_AFTER_S = 7 * 86_400.0  # a longer Retry-After is ignored as invalid
_TITLE = re.compile(r"(?is)<title[^>]*>\s*(.*?)\s*</title>")


@dataclass(frozen=True, slots=True)
class Purpose:
    """The purpose of a request, which makes its errors more specific than the status.

    Attributes:
        permission: the permission that the API requires, as named in its reference.
        errors: more specific error classes: status, pattern that the API's text must match, class.
    """

    permission: str | None = None
    errors: tuple[tuple[int, str, type[ApiError]], ...] = ()


def error_from_response(
    response: httpx2.Response,
    document: JSON,
    purpose: Purpose,
    now: datetime | None = None,
    token: Token | None = None,
) -> TfrunsError:
    """The error for a response with status 400 or higher.

    Args:
        response: the response, with its body read.
        document: the body as JSON; None if it is not JSON.
        purpose: the purpose of the request.
        now: the current time, for a date in `Retry-After` if the response has no `Date`.
        token: the token of the request, whose source a 401 names.
    """
    status = response.status_code
    words = error_texts(document)
    request = f"{response.request.method} {response.request.url.path}"
    if not words and status < 500 and status not in {401, 403, 429} and is_html(response):
        return unexpected(response, "an HTML page")
    text = "; ".join(words) or _reason(response)
    cls = _class_of(status, text, purpose)
    return cls(
        f"The API returned {status} for {request}: {text}",
        status=status,
        cause=_cause(cls, purpose, token),
        solution=token.replacement if token is not None and issubclass(cls, Unauthorized) else None,
        retry_after_s=retry_after_s(response, now),
        request_id=request_id(response),
    )


def _class_of(status: int, text: str, purpose: Purpose) -> type[ApiError]:
    for candidate, pattern, cls in purpose.errors:
        if status == candidate and re.search(pattern, text, re.IGNORECASE):
            return cls
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)


def _cause(cls: type[ApiError], purpose: Purpose, token: Token | None) -> str | None:
    if issubclass(cls, Unauthorized) and token is not None and token.replacement is not None:
        return cls.default_cause.replace("The token", f"The token from {token.source}")
    if purpose.permission is None:
        return None
    if issubclass(cls, Forbidden):
        return f'The token lacks the permission "{purpose.permission}" on the workspace.'
    if issubclass(cls, NotFound):
        return f'{cls.default_cause} The required permission is "{purpose.permission}".'
    return None


def _reason(response: httpx2.Response) -> str:
    if is_html(response):
        return f"{response.reason_phrase or 'no reason'} (an HTML page, not a response of the API)"
    return response.reason_phrase or "no reason given"


def unexpected(response: httpx2.Response, what: str) -> UnexpectedResponse:
    """The error for a response that the API does not document."""
    request = f"{response.request.method} {response.request.url.path}"
    title = _TITLE.search(response.text[:20_000]) if is_html(response) else None
    named = f' titled "{" ".join(title.group(1).split())[:100]}"' if title else ""
    return UnexpectedResponse(
        f"The response to {request} (HTTP {response.status_code}) is {what}{named}.",
        status=response.status_code,
        request_id=request_id(response),
    )


def redirected(response: httpx2.Response) -> UnexpectedResponse:
    """The error for a redirect; only downloads follow redirects."""
    error = unexpected(response, "a redirect, which is not followed")
    error.cause = "TFE_ADDRESS is an old address of the service, or a proxy redirects to a sign-in page."
    target = response.next_request.url if response.next_request is not None else None
    if target is not None and (target.scheme, target.netloc) != (response.url.scheme, response.url.netloc):
        with suppress(InvalidInput):
            error.solution = f"If {parse_address(str(target))} is the API, set TFE_ADDRESS to it."
    return error


def is_html(response: httpx2.Response) -> bool:
    """Whether the response's content type is HTML."""
    return "html" in response.headers.get("content-type", "").lower()


def request_id(response: httpx2.Response) -> str | None:
    """The API's request id, for its support."""
    return response.headers.get("x-request-id")


def retry_after_s(response: httpx2.Response, now: datetime | None = None) -> float | None:
    """Seconds until a retry: `Retry-After`, else, for a 429, the end of the rate limit's window."""
    for name in ("retry-after", "x-ratelimit-reset") if response.status_code == 429 else ("retry-after",):
        since = parse_date(response.headers.get("date")) or now or datetime.now(UTC)
        seconds = _seconds(response.headers.get(name), since)
        if seconds is not None:
            return seconds
    return None


def _seconds(text: str | None, since: datetime) -> float | None:
    try:
        seconds = float(text) if text is not None else math.nan
    except ValueError:
        until = parse_date(text)
        seconds = (until - since).total_seconds() if until else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) and seconds <= _MAX_RETRY_AFTER_S else None


def parse_date(text: str | None) -> datetime | None:
    """Parse an HTTP date, timezone-aware; None for anything else."""
    try:
        date = parsedate_to_datetime(text) if text else None
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date and date.tzinfo is None else date


# -- no response ------------------------------------------------------------------------------------------------------

NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""Failures before the request reached the server: the change certainly did not happen."""


def error_from_failure(error: httpx2.HTTPError, address: Address) -> TfrunsError:
    """The error for a request without a response. The HTTP library's texts may contain URLs and are not repeated."""
    where = address.hostname
    causes = list(_chain(error))
    for kind, explain in _FAILURES:
        if any(isinstance(cause, kind) for cause in causes):
            return explain(where, causes)
    return ConnectionLost(f"The connection to {where} was lost before the response was complete.")


_Causes = list[BaseException]
_FAILURES: tuple[tuple[type[BaseException], Callable[[str, _Causes], TfrunsError]], ...] = (
    (ssl.SSLError, lambda where, causes: TlsFailed(f"The TLS connection to {where} failed: {_tls_reason(causes)}.")),
    (socket.gaierror, lambda where, _: HostNotFound(f"The host {where}{_or_a_proxy()} could not be resolved.")),
    (ConnectionRefusedError, lambda where, _: ConnectionFailed(f"{where} refused the connection.")),
    (httpx2.ConnectTimeout, lambda where, _: ConnectionFailed(f"Connecting to {where} timed out.")),
    (httpx2.PoolTimeout, lambda where, _: ConnectionFailed(f"All connections to {where} are in use.")),
    (
        httpx2.ProxyError,
        lambda where, _: ConnectionFailed(
            f"The proxy did not connect to {where}.", solution="Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        ),
    ),
    (httpx2.ConnectError, lambda where, _: ConnectionFailed(f"Connecting to {where} failed.")),
    (httpx2.TimeoutException, lambda where, _: RequestTimedOut(f"{where} did not respond in time.")),
    (
        httpx2.DecodingError,
        lambda where, _: UnexpectedResponse(f"The response from {where} cannot be decompressed."),
    ),
)  # most specific first


def _or_a_proxy() -> str:
    """The library does not tell which of the two names failed."""
    return ", or its proxy," if getproxies() else ""


def _tls_reason(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message or "the certificate was rejected"
    return "the TLS handshake failed"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, including the members of a group (several addresses of a name are tried)."""
    seen: set[int] = set()
    stack = [error]
    while stack:
        current = stack.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        stack += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            stack += current.exceptions
