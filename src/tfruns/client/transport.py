"""Requests to one API: where the token is sent, what is retried, and how a response is interpreted.

The token belongs to one origin (scheme, host and port). It is set on each request to that origin, never on the pool.
Only downloads follow redirects, as the API documents, and to another origin they do not send the token. URLs of logs
and other objects are signed: they are fetched without the token and never shown.

The response to a change counts only if the API sent it and it belongs to that change. After anything else (an HTML page
from a proxy, a redirect, the response to another request, a server error) the outcome of the change is unknown.
"""

import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

import anyio
import httpx2

from tfruns.client.address import parse_address
from tfruns.client.bodies import MAX_DOCUMENT_BYTES, MAX_OBJECT_BYTES, read_body, time_limit
from tfruns.client.byte_budget import Reservation
from tfruns.client.clock import Clock, SystemClock
from tfruns.client.connections import Connections
from tfruns.client.error_mapping import (
    NOT_SENT,
    Purpose,
    error_from_failure,
    error_from_response,
    is_html,
    parse_date,
    redirected,
    retry_after_s,
    unexpected,
)
from tfruns.client.rate_limit import RateLimits
from tfruns.client.retries import AttemptFailed, RetryPolicy
from tfruns.client.settings import Settings
from tfruns.client.shared_reads import read_once
from tfruns.errors import InvalidInput, NoCredentials, TfrunsError, TooLarge, UnexpectedResponse
from tfruns.jsonapi import CONTENT_TYPE, JSON, error_texts, whole_text

_UPLOAD_TIMEOUT = httpx2.Timeout(60.0, connect=10.0, read=300.0, pool=30.0)  # storing a large file takes time
_UPLOAD_CHUNK_BYTES = 1 << 18
_MAX_REDIRECTS = 5

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A successful response.

    Attributes:
        document: the body; None if empty.
        date: the server's time of the response.
        sent_at: when the request was sent, in the clock's monotonic time.
    """

    document: JSON
    date: datetime | None
    sent_at: float


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """The response that a request expects. Any other comes from a proxy or belongs to another request.

    Attributes:
        matches: returns whether a document belongs to the request.
        empty_status: the status of a response that is documented without a body; None if it has a document.
    """

    matches: Callable[[JSON], bool] = lambda document: document is not None
    empty_status: int | None = None

    def is_met(self, response: httpx2.Response, document: JSON) -> bool:
        """Whether a successful response belongs to the request."""
        if document is not None:
            return self.matches(document)
        is_empty = not is_html(response) and response.content.strip() in {b"", b"null"}
        return is_empty and response.status_code == self.empty_status


NO_CONTENT = ExpectedResponse(lambda document: False, empty_status=204)  # noqa: ARG005
"""A response without a document."""


class Transport:
    """Requests to one API. Connections are opened with the first request and kept until `aclose`."""

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
        self._connections = Connections(settings, http_transport)
        self._retry_policy = retry_policy or RetryPolicy()
        self._rate_limits = RateLimits(self.clock)

    async def aclose(self) -> None:
        """Close the connections. The transport can be used again; it then opens new ones."""
        await self._connections.aclose()

    async def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        purpose: Purpose | None = None,
        is_run_list: bool = False,
        matches: Callable[[JSON], bool] | None = None,
        is_used_once: bool = False,
    ) -> ApiResponse:
        """Read a document.

        Args:
            path: the path below the API's address.
            params: the query.
            purpose: the purpose of the request, for its errors.
            is_run_list: whether the rate limit of run lists applies.
            matches: returns whether a document belongs to the request.
            is_used_once: use a separate connection, because the document cannot be matched to the request.

        Raises:
            TfrunsError: any subclass; only a 2xx with a JSON body returns.
        """
        expected = ExpectedResponse(matches) if matches else ExpectedResponse()
        request = _Request("GET", path, params, None, purpose or Purpose(), is_run_list, expected, is_used_once)
        key = (id(self), path, frozenset((params or {}).items()))
        return await read_once(key, lambda: self._read(request))

    async def _read(self, request: "_Request") -> ApiResponse:
        try:
            return await self._retry_policy.run(lambda: self._attempt(request), is_change=False, clock=self.clock)
        except AttemptFailed as failure:
            raise failure.error from None

    async def post(
        self, path: str, body: JSON, *, expected: ExpectedResponse | None = None, purpose: Purpose | None = None
    ) -> ApiResponse:
        """Send a change, once.

        Raises:
            AttemptFailed: the outcome is unknown: the change may have happened.
            TfrunsError: any other failure: the API refused the change, or it was never sent.
        """
        return await self._change("POST", path, body, expected, purpose)

    async def patch(
        self, path: str, body: JSON, *, expected: ExpectedResponse | None = None, purpose: Purpose | None = None
    ) -> ApiResponse:
        """Send an update, once. Raises: as `post`."""
        return await self._change("PATCH", path, body, expected, purpose)

    async def delete(self, path: str, *, purpose: Purpose | None = None) -> None:
        """Delete a resource; the response is 204, without a body. Raises: as `post`."""
        await self._change("DELETE", path, None, NO_CONTENT, purpose)

    async def _change(
        self, method: str, path: str, body: JSON, expected: ExpectedResponse | None, purpose: Purpose | None
    ) -> ApiResponse:
        request = _Request(method, path, None, body, purpose or Purpose(), False, expected or ExpectedResponse(), True)
        try:
            return await self._retry_policy.run(lambda: self._attempt(request), is_change=True, clock=self.clock)
        except AttemptFailed as failure:
            if failure.is_ambiguous:
                raise
            raise failure.error from None

    # -- one attempt --------------------------------------------------------------------------------------------------

    async def _attempt(self, request: "_Request") -> ApiResponse:
        token = self._token()
        await self._connections.check_localhost()
        await self._rate_limits.wait_for_turn(is_run_list=request.is_run_list)
        sent_at = self.clock.monotonic()
        try:
            return await self._attempt_now(request, token, sent_at)
        except AttemptFailed as failure:
            failure.sent_at = sent_at
            raise

    async def _attempt_now(self, request: "_Request", token: str, sent_at: float) -> ApiResponse:
        headers = {"authorization": f"Bearer {token}", "accept": CONTENT_TYPE}
        if request.is_change:
            headers["content-type"] = CONTENT_TYPE
        response = await self._exchange(
            request.method,
            f"{self.settings.address}{request.path}",
            params=request.params,
            json=request.body,
            headers=headers,
            is_used_once=request.is_used_once,
        )
        self._rate_limits.learn(response.headers, is_run_list=request.is_run_list)
        document = _document_of(response)
        if response.is_success:
            if request.expected.is_met(response, document):
                return ApiResponse(document, parse_date(response.headers.get("date")), sent_at)
            raise await self._mismatch(request, response, document)
        if response.is_redirect:
            raise AttemptFailed(redirected(response), was_sent=True, is_transient=False)
        raise self._refusal(response, document, request.purpose, is_run_list=request.is_run_list)

    async def _mismatch(self, request: "_Request", response: httpx2.Response, document: JSON) -> AttemptFailed:
        """The failure for a successful response that does not belong to this request.

        The right response may follow on the same connection, so the connection is closed.
        """
        what = "an HTML page" if is_html(response) else "not a complete JSON document"
        if document is None:
            return AttemptFailed(unexpected(response, what), was_sent=True, is_transient=False)
        await self._connections.drop(response)
        problem = unexpected(response, "the response to another request")
        problem.cause = "A proxy mixes up responses, or the response lacks values that the API documents."
        return AttemptFailed(problem, was_sent=True, is_transient=not request.is_change)

    def _refusal(
        self, response: httpx2.Response, document: JSON, purpose: Purpose, *, is_run_list: bool = False
    ) -> AttemptFailed:
        """The failure for an error response. A 429 also delays all other requests."""
        if response.status_code == 429:
            asked_s = retry_after_s(response, self.clock.now())
            self._rate_limits.block(asked_s or 0.0, is_run_list=is_run_list)
        error = error_from_response(response, document, purpose, self.clock.now(), self.settings.credentials.token)
        return AttemptFailed.from_response(error, is_api=bool(error_texts(document)))

    def _is_own(self, url: str) -> bool:
        """Whether a URL has the API's origin.

        Raises:
            UnexpectedResponse: it is not a valid URL.
        """
        try:
            return parse_address(url) == self.settings.address
        except InvalidInput:
            raise UnexpectedResponse("The server returned an invalid URL.") from None

    async def _exchange(
        self, method: str, url: str, *, is_used_once: bool = False, sent_bytes: int = 0, **options: Any
    ) -> httpx2.Response:
        """Send a request and read its response, whatever the status. Redirects are not followed."""
        pool = self._connections.pool(is_used_once=is_used_once)
        with self._failures(), time_limit(sent_bytes) as limit:
            async with pool.stream(method, url, **options) as response:
                try:
                    body = await read_body(response, MAX_DOCUMENT_BYTES, limit)
                except TooLarge as error:
                    raise AttemptFailed(error, was_sent=True, is_transient=False) from None
                return _complete(response, body)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Convert the HTTP library's errors into `AttemptFailed`."""
        try:
            yield
        except NOT_SENT as error:
            failure = error_from_failure(error, self.settings.address)
            raise AttemptFailed(failure, was_sent=False, is_transient=failure.is_retryable) from error
        except httpx2.InvalidURL:
            raise InvalidInput("The request's URL is invalid.") from None
        except httpx2.HTTPError as error:
            failure = error_from_failure(error, self.settings.address)
            raise AttemptFailed(failure, was_sent=True, is_transient=True) from error

    async def probe(self, path: str) -> tuple[int, Mapping[str, str]]:
        """The status and headers of a GET, whatever the status; sent once, without the token.

        Raises:
            TfrunsError: there was no response.
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
        is_used_once: bool = False,
    ) -> bytes | None:
        """Download an object: a log, a plan's JSON. The token is sent only to the API's own origin.

        Args:
            address: a path below `/api/v2`, or the (signed) URL that the API returned.
            purpose: the purpose of the request, for its errors.
            params: query parameters, appended to those of the URL.
            max_bytes: size limit; no more is held in memory.
            room: reservation in a shared memory budget, made before the body is read.
            is_used_once: use a separate connection, because the object cannot be matched to the request.

        Returns:
            The object; None if it does not exist yet (204).

        Raises:
            TooLarge: it is larger than `max_bytes`.
            TfrunsError: any other failure. The text contains no URL.
        """
        url = f"{self.settings.address}{address}" if address.startswith("/") else address
        if params:  # appended, never re-encoded: the signature may cover the query as written
            url += ("&" if "?" in url else "?") + urlencode(params)
        fetch = _Download(purpose or Purpose(), max_bytes or MAX_OBJECT_BYTES, room, is_used_once)
        try:
            return await self._retry_policy.run(
                lambda: self._download_once(url, fetch), is_change=False, clock=self.clock
            )
        except AttemptFailed as failure:
            raise failure.error from None

    async def _download_once(self, url: str, fetch: "_Download") -> bytes | None:
        for _ in range(_MAX_REDIRECTS):
            is_api = self._is_own(url) and urlsplit(url).path.startswith("/api/")
            headers = {"authorization": f"Bearer {self._token()}"} if is_api else {}
            if is_api:
                await self._connections.check_localhost()
                await self._rate_limits.wait_for_turn(is_run_list=False)
            with self._failures(), time_limit() as limit:
                pool = self._connections.pool(is_used_once=fetch.is_used_once)
                async with pool.stream("GET", url, headers=headers) as answered:
                    if answered.status_code == 200 and not (is_api and is_html(answered)):
                        return await read_body(answered, fetch.max_bytes, limit, fetch.room)
                    response = _complete(answered, await read_body(answered, MAX_DOCUMENT_BYTES, limit))
            if response.next_request is None:
                break
            url = str(response.next_request.url)
        if response.status_code == 204:
            return None
        if response.is_success and not is_html(response):
            return response.content
        if response.is_success:
            raise unexpected(response, "an HTML page")
        if response.is_redirect:
            raise UnexpectedResponse("The object's URL redirects in a loop.")
        if not is_api:
            raise AttemptFailed.from_response(_object_error(response))
        raise self._refusal(response, _document_of(response), fetch.purpose)

    # -- uploads ------------------------------------------------------------------------------------------------------

    async def upload(self, address: str, content: BinaryIO) -> None:
        """Upload a file to the (signed) URL that the API returned for it, without the token.

        The upload is idempotent, so it is retried like a read.

        Raises:
            TfrunsError: any failure; unless it was refused, the file may have arrived. The text contains no URL.
        """
        url = f"{self.settings.address}{address}" if address.startswith("/") else address
        try:
            await self._retry_policy.run(lambda: self._upload_once(url, content), is_change=False, clock=self.clock)
        except AttemptFailed as failure:
            raise failure.error from None

    async def _upload_once(self, url: str, content: BinaryIO) -> None:
        size = await anyio.to_thread.run_sync(content.seek, 0, os.SEEK_END)
        headers = {"content-type": "application/octet-stream", "content-length": str(size)}
        response = await self._exchange(
            "PUT",
            url,
            content=_chunks(content),
            headers=headers,
            timeout=_UPLOAD_TIMEOUT,
            is_used_once=True,
            sent_bytes=size,
        )
        if not response.is_success or is_html(response):
            raise AttemptFailed.from_response(_refused_upload(response, self.clock.now()))

    def _token(self) -> str:
        found = self.settings.credentials
        if found.token is None:
            problems = f" ({'; '.join(found.problems)})" if found.problems else ""
            raise NoCredentials(f"No API token found for {self.settings.address.hostname}{problems}.")
        return found.token.text


def _complete(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """The same response with its decoded body."""
    headers = [(name, text) for name, text in response.headers.multi_items() if name not in _FRAMING]
    complete = httpx2.Response(
        response.status_code,
        headers=headers,
        content=body,
        request=response.request,
        extensions=response.extensions,
    )
    complete.next_request = response.next_request
    return complete


_FRAMING = {"content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    params: Params | None
    body: JSON
    purpose: Purpose
    is_run_list: bool
    expected: ExpectedResponse
    is_used_once: bool

    @property
    def is_change(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class _Download:
    purpose: Purpose
    max_bytes: int
    room: Reservation | None
    is_used_once: bool


def _document_of(response: httpx2.Response) -> JSON:
    """The body as JSON; None if it is not JSON."""
    if not response.content or is_html(response):
        return None
    try:
        document = response.json(parse_constant=_refuse_constant)
        return whole_text(document) if _SURROGATE.search(response.content) else document
    except (ValueError, RecursionError):
        return None


_SURROGATE = re.compile(rb"(?i)\\ud[89a-f]")  # unpaired, or one of a pair, which is harmless


def _refuse_constant(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")


def _object_error(response: httpx2.Response) -> UnexpectedResponse:
    return UnexpectedResponse(
        f"The object store returned {response.status_code}: the URL may have expired.",
        status=response.status_code,
        solution="Read the plan or apply again to get a new URL, and try again.",
        retry_after_s=retry_after_s(response),
    )


def _refused_upload(response: httpx2.Response, now: datetime) -> TfrunsError:
    """The error for a refused upload, without its signed URL."""
    words = "; ".join(error_texts(_document_of(response))) or response.reason_phrase or "no reason given"
    is_too_large = response.status_code == 413
    return UnexpectedResponse(
        f"The upload failed with {response.status_code}: {words}",
        status=response.status_code,
        cause="It is larger than the server accepts." if is_too_large else "Its URL has expired, or the server failed.",
        solution="Upload less." if is_too_large else "Try again; that requests a new URL.",
        retry_after_s=retry_after_s(response, now),
    )


async def _chunks(content: BinaryIO) -> AsyncIterator[bytes]:
    """The file's content from its start, read in a thread."""
    await anyio.to_thread.run_sync(content.seek, 0)
    while chunk := await anyio.to_thread.run_sync(content.read, _UPLOAD_CHUNK_BYTES):
        yield chunk


def include_param(include: Sequence[str]) -> dict[str, str]:
    """The query parameter for related resources to include."""
    return {"include": ",".join(include)} if include else {}
