"""From what went wrong on the wire to the error that says so: answers of the API, and failures to get one."""

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
from tfruns.jsonapi import JSON, error_words

_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: UnprocessableEntity,
    429: RateLimited,
}
_LONGEST_WAIT_S = 7 * 86_400.0  # what a server asks for beyond that is not a time
_TITLE = re.compile(r"(?is)<title[^>]*>\s*(.*?)\s*</title>")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for, so that its errors can say more than their status.

    Attributes:
        permission: the permission that the API wants for it, in the words of its reference.
        errors: classes that are more exact than the status's own, by status and what the API's text must match.
    """

    permission: str | None = None
    errors: tuple[tuple[int, str, type[ApiError]], ...] = ()


def error_of(response: httpx2.Response, document: JSON, purpose: Purpose, now: datetime | None = None) -> TfrunsError:
    """The error that an answer with a status of 400 or more stands for.

    Args:
        response: the answer; its body has been read.
        document: the body as JSON, or None if it is none.
        purpose: what was asked for.
        now: the present time, by which a date in `Retry-After` is measured if the server does not tell its own.
    """
    status = response.status_code
    words = error_words(document)
    request = f"{response.request.method} {response.request.url.path}"
    if not words and status < 500 and status not in {401, 403, 429} and is_html(response):
        return unexpected(response, "an HTML page")
    said = "; ".join(words) or _reason(response)
    cls = _class_of(status, said, purpose)
    return cls(
        f"The API answered {status} to {request}: {said}",
        status=status,
        cause=_cause(cls, purpose),
        retry_after_s=retry_after_s(response, now),
        request_id=request_id(response),
    )


def _class_of(status: int, said: str, purpose: Purpose) -> type[ApiError]:
    for candidate, pattern, cls in purpose.errors:
        if status == candidate and re.search(pattern, said, re.IGNORECASE):
            return cls
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)


def _cause(cls: type[ApiError], purpose: Purpose) -> str | None:
    if purpose.permission is None:
        return None
    if issubclass(cls, Forbidden):
        return f'Insufficient permissions: this needs the permission "{purpose.permission}" on the workspace.'
    if issubclass(cls, NotFound):
        return f'{cls.default_cause} This needs the permission "{purpose.permission}".'
    return None


def _reason(response: httpx2.Response) -> str:
    if is_html(response):
        return f"{response.reason_phrase or 'no reason'} (an HTML page, not the API's own answer)"
    return response.reason_phrase or "no reason given"


def unexpected(response: httpx2.Response, what: str) -> UnexpectedResponse:
    """The error for an answer that is not the API's."""
    request = f"{response.request.method} {response.request.url.path}"
    title = _TITLE.search(response.text[:20_000]) if is_html(response) else None
    named = f' titled "{" ".join(title.group(1).split())[:100]}"' if title else ""
    return UnexpectedResponse(
        f"The answer to {request} (HTTP {response.status_code}) is {what}{named}.",
        status=response.status_code,
        request_id=request_id(response),
    )


def redirected(response: httpx2.Response) -> UnexpectedResponse:
    """The error for a redirect, which only a download follows."""
    error = unexpected(response, "a redirect, which is not followed")
    error.cause = "TFE_ADDRESS is an old address of the service, or a sign-in page answered instead."
    target = response.next_request.url if response.next_request is not None else None
    if target is not None and (target.scheme, target.netloc) != (response.url.scheme, response.url.netloc):
        with suppress(InvalidInput):
            error.solution = f"If {parse_address(str(target))} is the API, set TFE_ADDRESS to it."
    return error


def is_html(response: httpx2.Response) -> bool:
    """Whether the answer calls itself an HTML page."""
    return "html" in response.headers.get("content-type", "").lower()


def request_id(response: httpx2.Response) -> str | None:
    """The API's id of the request, which its support asks for."""
    return response.headers.get("x-request-id")


def retry_after_s(response: httpx2.Response, now: datetime | None = None) -> float | None:
    """Seconds after which the server wants to be asked again: `Retry-After`, else the end of its rate window."""
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
    return max(0.0, seconds) if math.isfinite(seconds) and seconds <= _LONGEST_WAIT_S else None


def parse_date(text: str | None) -> datetime | None:
    """An HTTP date, aware; None for anything else."""
    try:
        date = parsedate_to_datetime(text) if text else None
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date and date.tzinfo is None else date


# -- no answer --------------------------------------------------------------------------------------------------------

NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""Failures before the request reached the server: it certainly has not acted."""


def failure_of(error: httpx2.HTTPError, address: Address) -> TfrunsError:
    """The error for a request that got no answer. The HTTP library's texts may hold addresses and are not repeated."""
    where = address.hostname
    causes = list(_chain(error))
    for kind, explain in _FAILURES:
        if any(isinstance(cause, kind) for cause in causes):
            return explain(where, causes)
    return ConnectionLost(f"The connection to {where} broke before the answer was complete.")


_Causes = list[BaseException]
_FAILURES: tuple[tuple[type[BaseException], Callable[[str, _Causes], TfrunsError]], ...] = (
    (ssl.SSLError, lambda where, causes: TlsFailed(f"No trusted connection to {where}: {_tls_reason(causes)}.")),
    (socket.gaierror, lambda where, _: HostNotFound(f"The host {where}{_or_a_proxy()} is not known.")),
    (ConnectionRefusedError, lambda where, _: ConnectionFailed(f"{where} refused the connection.")),
    (httpx2.ConnectTimeout, lambda where, _: ConnectionFailed(f"No connection to {where} in time.")),
    (httpx2.PoolTimeout, lambda where, _: ConnectionFailed(f"All connections to {where} are in use.")),
    (
        httpx2.ProxyError,
        lambda where, _: ConnectionFailed(
            f"The proxy did not connect to {where}.", solution="Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        ),
    ),
    (httpx2.ConnectError, lambda where, _: ConnectionFailed(f"No connection to {where}.")),
    (httpx2.TimeoutException, lambda where, _: RequestTimedOut(f"{where} did not answer in time.")),
    (
        httpx2.DecodingError,
        lambda where, _: UnexpectedResponse(f"The answer of {where} is damaged: its compression cannot be undone."),
    ),
)  # the first that is among the causes says it best


def _or_a_proxy() -> str:
    """The library does not say whose name it was that is not known."""
    return ", or the proxy that leads to it," if getproxies() else ""


def _tls_reason(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message or "the certificate was not accepted"
    return "the TLS handshake failed"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from; a group's members too (name resolution tries several addresses at once)."""
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
