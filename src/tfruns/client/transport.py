"""One connection pool to one API: who gets the token, what is sent again, and what an answer means.

The token belongs to one origin (scheme, host and port) and is set on each request that goes there, never on the pool.
A redirect to another origin is not followed by an API request at all, and followed without the token by a download. The
addresses of logs and other objects are signed: they are fetched without the token, and never shown.
"""

import os
import platform
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

import anyio
import httpx2

from tfruns._version import __version__
from tfruns.client.address import parse_address
from tfruns.client.byte_budget import Reservation
from tfruns.client.clock import Clock, SystemClock
from tfruns.client.faults import (
    NOT_SENT,
    Purpose,
    error_of,
    failure_of,
    is_html,
    parse_date,
    retry_after_s,
    unexpected,
)
from tfruns.client.logs import redact_http_logs
from tfruns.client.rate_limit import RateLimits
from tfruns.client.retries import AttemptFailed, RetryPolicy
from tfruns.client.settings import Settings
from tfruns.errors import InvalidInput, NoCredentials, ServerError, TfrunsError, TooLarge, UnexpectedResponse
from tfruns.jsonapi import CONTENT_TYPE, JSON, error_words, whole_text

_TIMEOUT = httpx2.Timeout(30.0, connect=10.0, pool=30.0)
_UPLOAD_TIMEOUT = httpx2.Timeout(60.0, connect=10.0, read=300.0, pool=30.0)  # what is large takes its time to store
_UPLOAD_CHUNK_BYTES = 1 << 18
_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=50, keepalive_expiry=60.0)
_MAX_REDIRECTS = 5
_NO_COOKIES = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # the API knows only tokens
_LONGEST_BLOCK_S = 60.0  # who is told to come back tomorrow fails by itself, and does not hold up the others
_USER_AGENT = f"tfruns/{__version__} (Python {platform.python_version()}; {platform.system()})"

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes:
        document: the body; None where there is none.
        date: the server's time when it was given.
        sent_at: when the request was sent, by the clock's monotonic time.
    """

    document: JSON
    date: datetime | None
    sent_at: float


class Transport:
    """Requests to one API. The connection pool is made with the first request and lives until `aclose`."""

    def __init__(
        self,
        settings: Settings,
        *,
        http_transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._http_transport = http_transport
        self._retry_policy = retry_policy or RetryPolicy()
        self._rate_limits = RateLimits(self.clock)
        self._pool: httpx2.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections. The transport can be used again and then makes new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def get(
        self, path: str, params: Params | None = None, *, purpose: Purpose | None = None, is_run_list: bool = False
    ) -> Answer:
        """Read a document.

        Raises:
            TfrunsError: any of its kinds; nothing but a 2xx with a JSON body returns.
        """
        request = _Request("GET", path, params, None, purpose or Purpose(), is_run_list)
        try:
            return await self._retry_policy.run(lambda: self._attempt(request), is_change=False, clock=self.clock)
        except AttemptFailed as failure:
            raise failure.error from None

    async def post(self, path: str, body: JSON, *, purpose: Purpose | None = None) -> Answer:
        """Ask for a change, once.

        Raises:
            AttemptFailed: the failure is ambiguous: the change may have happened.
            TfrunsError: any of its kinds; the change certainly did not happen, or the API refused it.
        """
        request = _Request("POST", path, None, body, purpose or Purpose(), is_run_list=False)
        try:
            return await self._retry_policy.run(lambda: self._attempt(request), is_change=True, clock=self.clock)
        except AttemptFailed as failure:
            if failure.is_ambiguous:
                raise
            if isinstance(failure.error, ServerError):
                failure.error.solution = "Look whether it was carried out before doing it again."
            raise failure.error from None

    # -- one attempt --------------------------------------------------------------------------------------------------

    async def _attempt(self, request: "_Request") -> Answer:
        token = self._token()
        await self._rate_limits.wait_for_turn(is_run_list=request.is_run_list)
        sent_at = self.clock.monotonic()
        try:
            return await self._attempt_now(request, token, sent_at)
        except AttemptFailed as failure:
            failure.sent_at = sent_at
            raise

    async def _attempt_now(self, request: "_Request", token: str, sent_at: float) -> Answer:
        response = await self._send(request, token)
        self._rate_limits.learn(response.headers, is_run_list=request.is_run_list)
        document, is_json = _document_of(response)
        if response.is_success:
            self._check_answer(request, response, is_json=is_json)
            return Answer(document, parse_date(response.headers.get("date")), sent_at)
        if response.is_redirect:
            problem = unexpected(response, "a redirect that cannot be followed")
            raise AttemptFailed(problem, was_sent=True, is_passing=False)
        raise self._refusal(response, document, request.purpose, is_run_list=request.is_run_list)

    def _refusal(
        self, response: httpx2.Response, document: JSON, purpose: Purpose, *, is_run_list: bool = False
    ) -> AttemptFailed:
        """What an error of the API means for this attempt, and, if it is a 429, for all others that wait."""
        if response.status_code == 429:
            wait_s = min(retry_after_s(response, self.clock.now()) or 0.0, _LONGEST_BLOCK_S)
            self._rate_limits.block(wait_s, is_run_list=is_run_list)
        return AttemptFailed.by_answer(error_of(response, document, purpose, self.clock.now()))

    @staticmethod
    def _check_answer(request: "_Request", response: httpx2.Response, *, is_json: bool) -> None:
        """Refuse an answer that says success and is not the API's. A change needs no document, and a read does."""
        if is_html(response):
            raise AttemptFailed(unexpected(response, "an HTML page"), was_sent=True, is_passing=False)
        if request.method == "GET" and not is_json:
            problem = unexpected(response, "no complete JSON document")
            raise AttemptFailed(problem, was_sent=True, is_passing=False)

    async def _send(self, request: "_Request", token: str) -> httpx2.Response:
        """Send along redirects within the API's own origin; any other answer is returned as it is."""
        url = f"{self.settings.address}{request.path}"
        headers = {"authorization": f"Bearer {token}", "accept": CONTENT_TYPE}
        if request.method != "GET":
            headers["content-type"] = CONTENT_TYPE
        params: Params | None = request.params
        for _ in range(_MAX_REDIRECTS):
            response = await self._exchange(request.method, url, params=params, json=request.body, headers=headers)
            target = self._redirect_within(response)
            if target is None or (request.method != "GET" and response.status_code not in {307, 308}):
                return response
            url, params = target, None
        return response

    def _redirect_within(self, response: httpx2.Response) -> str | None:
        """Where an answer redirects to, if that is an address of this API."""
        if response.next_request is None:
            return None
        target = str(response.next_request.url)
        return target if self._is_own(target) else None

    def _is_own(self, url: str) -> bool:
        """Whether an address is of the API's own origin.

        Raises:
            UnexpectedResponse: it is no web address at all.
        """
        try:
            return parse_address(url) == self.settings.address
        except InvalidInput:
            raise UnexpectedResponse("The server gave an address that is not one of the web.") from None

    async def _exchange(self, method: str, url: str, **options: Any) -> httpx2.Response:
        with self._failures():
            return await self._connections().request(method, url, **options)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn a failure to get an answer into one of this attempt."""
        try:
            yield
        except NOT_SENT as error:
            failure = failure_of(error, self.settings.address)
            raise AttemptFailed(failure, was_sent=False, is_passing=failure.is_retryable) from error
        except httpx2.InvalidURL:
            raise InvalidInput("The request's address is not valid.") from None
        except httpx2.HTTPError as error:
            failure = failure_of(error, self.settings.address)
            raise AttemptFailed(failure, was_sent=True, is_passing=True) from error

    async def probe(self, path: str) -> tuple[int, Mapping[str, str]]:
        """The status and the headers of an answer, whatever it is; asked for once, and without the token.

        Raises:
            TfrunsError: there is no answer.
        """
        try:
            response = await self._exchange("GET", f"{self.settings.address}{path}")
        except AttemptFailed as failure:
            raise failure.error from None
        return response.status_code, response.headers

    # -- downloads ----------------------------------------------------------------------------------------------------

    async def download(
        self,
        address: str,
        *,
        purpose: Purpose | None = None,
        params: Params | None = None,
        max_bytes: int | None = None,
        room: Reservation | None = None,
    ) -> bytes | None:
        """Fetch an object: a log, a plan's JSON. The token goes along only as far as the API's own origin.

        Args:
            address: a path below `/api/v2`, or the (signed) absolute address that the API gave.
            purpose: what it is for.
            params: the query, added to the address's own.
            max_bytes: how large it may be; no more of it is held in memory.
            room: the part of a shared budget that the object's bytes are counted in, before the first one is read.

        Returns:
            The object; None when the API says that there is none yet (204).

        Raises:
            TooLarge: it is larger than that.
            TfrunsError: any of its kinds. No address is in its text.
        """
        url = f"{self.settings.address}{address}" if address.startswith("/") else address
        if params:  # added to the letter: the signature may cover the query as it is written
            url += ("&" if "?" in url else "?") + urlencode(params)
        try:
            return await self._retry_policy.run(
                lambda: self._download_once(url, purpose or Purpose(), max_bytes, room),
                is_change=False,
                clock=self.clock,
            )
        except AttemptFailed as failure:
            raise failure.error from None

    async def _download_once(
        self, url: str, purpose: Purpose, max_bytes: int | None, room: Reservation | None
    ) -> bytes | None:
        for _ in range(_MAX_REDIRECTS):
            is_api = self._is_own(url) and urlsplit(url).path.startswith("/api/")
            headers = {"authorization": f"Bearer {self._token()}"} if is_api else {}
            if is_api:
                await self._rate_limits.wait_for_turn(is_run_list=False)
            with self._failures():
                async with self._connections().stream("GET", url, headers=headers) as response:
                    if response.status_code == 200:
                        return await _read_body(response, max_bytes, room)
                    await response.aread()
            if response.next_request is None:
                break
            url = str(response.next_request.url)
        if response.status_code == 204:
            return None
        if response.is_success:
            return response.content
        if response.is_redirect:
            raise UnexpectedResponse("The object's address redirects in a circle.")
        if not is_api:
            raise AttemptFailed.by_answer(_object_error(response))
        raise self._refusal(response, _document_of(response)[0], purpose)

    # -- uploads ------------------------------------------------------------------------------------------------------

    async def upload(self, address: str, content: BinaryIO) -> None:
        """Put a file at the (signed) address that the API gave for it, without the token.

        To send the same once more is harmless, so it is repeated like a read.

        Raises:
            TfrunsError: any of its kinds; if it is not a refusal, the file may have arrived. No address is in its text.
        """
        url = f"{self.settings.address}{address}" if address.startswith("/") else address
        try:
            await self._retry_policy.run(lambda: self._upload_once(url, content), is_change=False, clock=self.clock)
        except AttemptFailed as failure:
            raise failure.error from None

    async def _upload_once(self, url: str, content: BinaryIO) -> None:
        size = await anyio.to_thread.run_sync(content.seek, 0, os.SEEK_END)
        headers = {"content-type": "application/octet-stream", "content-length": str(size)}
        response = await self._exchange("PUT", url, content=_chunks(content), headers=headers, timeout=_UPLOAD_TIMEOUT)
        if not response.is_success:
            raise AttemptFailed.by_answer(_refused_upload(response, self.clock.now()))

    # -- what is made once --------------------------------------------------------------------------------------------

    def _token(self) -> str:
        found = self.settings.credentials
        if found.token is None:
            problems = f" ({'; '.join(found.problems)})" if found.problems else ""
            raise NoCredentials(f"No API token for {self.settings.address.hostname} was found{problems}.")
        return found.token.text

    def _connections(self) -> httpx2.AsyncClient:
        if self._pool is None:
            redact_http_logs()
            self._pool = _new_pool(self.settings, self._http_transport)
        return self._pool


async def _read_body(response: httpx2.Response, max_bytes: int | None, room: Reservation | None) -> bytes:
    """The body of an answer that has begun.

    Raises:
        TooLarge: it is larger than that; no more of it was read.
    """
    if max_bytes is None:
        return await response.aread()
    announced = _announced_size(response)
    if announced is not None and announced > max_bytes:
        raise _too_large(max_bytes)
    if room is not None:
        await room.reserve(announced)
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    return b"".join(parts)


def _announced_size(response: httpx2.Response) -> int | None:
    """The size of the decoded body; None where the answer does not tell it."""
    text = response.headers.get("content-length", "")
    is_encoded = response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    return int(text) if text.isdecimal() and not is_encoded else None


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The object is larger than {max_bytes:,} bytes, and was not read.")


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    params: Params | None
    body: JSON
    purpose: Purpose
    is_run_list: bool


def _new_pool(settings: Settings, http_transport: httpx2.AsyncBaseTransport | None) -> httpx2.AsyncClient:
    """A pool of connections, set up by the settings and by what the environment says of proxies.

    Raises:
        InvalidInput: a certificate bundle or a proxy that cannot be used.
    """
    verify = True if http_transport else tls_context(settings)
    try:
        return httpx2.AsyncClient(
            transport=http_transport,
            verify=verify,
            timeout=_TIMEOUT,
            limits=_LIMITS,
            headers={"user-agent": _USER_AGENT},
            cookies=_NO_COOKIES,
            follow_redirects=False,
            trust_env=not settings.address.is_loopback,  # what is for this machine never goes to a proxy
        )
    except (ValueError, ImportError, httpx2.InvalidURL):
        raise InvalidInput(
            "A proxy that the environment names cannot be used.",
            solution="Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY: proxies are http:// or https://.",
        ) from None


def tls_context(settings: Settings) -> ssl.SSLContext:
    """The machine's certificate authorities (or `SSL_CERT_FILE`), and those of the private bundle.

    Raises:
        InvalidInput: a bundle is not there, or holds no certificates.
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
        f"The certificate bundle {name} cannot be used.", solution="Name a readable file of PEM certificates."
    )


def _document_of(response: httpx2.Response) -> tuple[JSON, bool]:
    """The body as JSON, and whether it is any."""
    if not response.content or is_html(response):
        return None, False
    try:
        document = response.json(parse_constant=_refuse_constant)
        return whole_text(document) if _HALF_CHARACTER.search(response.content) else document, True
    except (ValueError, RecursionError):
        return None, False


_HALF_CHARACTER = re.compile(rb"(?i)\\ud[89a-f]")  # or both halves of one, which are no trouble


def _refuse_constant(name: str) -> JSON:
    raise ValueError(f"{name} is no JSON")


def _object_error(response: httpx2.Response) -> UnexpectedResponse:
    return UnexpectedResponse(
        f"The object store answered {response.status_code}: the address may have expired.",
        status=response.status_code,
        solution="Read the plan or apply again, which gives a new address, and try again.",
        retry_after_s=retry_after_s(response),
    )


def _refused_upload(response: httpx2.Response, now: datetime) -> TfrunsError:
    """The error for an upload that was not taken. Its address is signed, and not repeated."""
    words = "; ".join(error_words(_document_of(response)[0])) or response.reason_phrase or "no reason given"
    is_too_large = response.status_code == 413
    return UnexpectedResponse(
        f"The upload was answered with {response.status_code}: {words}",
        status=response.status_code,
        cause="It is larger than the server takes."
        if is_too_large
        else "Its address has expired, or the server failed.",
        solution="Upload less." if is_too_large else "Try again, which gives a new address.",
        retry_after_s=retry_after_s(response, now),
    )


async def _chunks(content: BinaryIO) -> AsyncIterator[bytes]:
    """A file from its beginning, read in a thread."""
    await anyio.to_thread.run_sync(content.seek, 0)
    while chunk := await anyio.to_thread.run_sync(content.read, _UPLOAD_CHUNK_BYTES):
        yield chunk


def include_param(include: Sequence[str]) -> dict[str, str]:
    """The query for related resources that should come along."""
    return {"include": ",".join(include)} if include else {}
