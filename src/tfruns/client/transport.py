"""Requests to one API: who gets the token, what is sent again, and what an answer means.

The token belongs to one origin (scheme, host and port) and is set on each request that goes there, never on the pool.
Redirects are followed only where the API documents them, by downloads, and to another origin without the token. The
addresses of logs and other objects are signed: they are fetched without the token, and never shown.

The answer to a change counts only if it is the API's own and belongs to that change. Anything else (a page of a
proxy, a redirect, an answer to another request, a server error) leaves open whether the change happened.
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
from tfruns.client.faults import (
    NOT_SENT,
    Purpose,
    error_of,
    failure_of,
    is_html,
    parse_date,
    redirected,
    retry_after_s,
    unexpected,
)
from tfruns.client.rate_limit import RateLimits
from tfruns.client.retries import AttemptFailed, RetryPolicy
from tfruns.client.settings import Settings
from tfruns.errors import InvalidInput, NoCredentials, TfrunsError, TooLarge, UnexpectedResponse
from tfruns.jsonapi import CONTENT_TYPE, JSON, error_words, whole_text

_UPLOAD_TIMEOUT = httpx2.Timeout(60.0, connect=10.0, read=300.0, pool=30.0)  # what is large takes its time to store
_UPLOAD_CHUNK_BYTES = 1 << 18
_MAX_REDIRECTS = 5

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


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer has to be to be that of its request, and not of another one or of something in between.

    Attributes:
        is_answer: whether a document belongs to the request.
        empty_status: the status of an answer that is documented without a body; None where there is a document.
    """

    is_answer: Callable[[JSON], bool] = lambda document: document is not None
    empty_status: int | None = None

    def is_met(self, response: httpx2.Response, document: JSON) -> bool:
        """Whether an answer of success is that of the request."""
        if document is not None:
            return self.is_answer(document)
        is_empty = not is_html(response) and response.content.strip() in {b"", b"null"}
        return is_empty and response.status_code == self.empty_status


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
        self._connections = Connections(settings, http_transport)
        self._retry_policy = retry_policy or RetryPolicy()
        self._rate_limits = RateLimits(self.clock)

    async def aclose(self) -> None:
        """Close the connections. The transport can be used again and then makes new ones."""
        await self._connections.aclose()

    async def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        purpose: Purpose | None = None,
        is_run_list: bool = False,
        is_answer: Callable[[JSON], bool] | None = None,
        is_used_once: bool = False,
    ) -> Answer:
        """Read a document.

        Args:
            path: below the API's address.
            params: the query.
            purpose: what it is for.
            is_run_list: whether the rate limit of run lists applies.
            is_answer: whether a document is what was asked for; another one is an answer to something else.
            is_used_once: read on a connection of its own, because the document does not show what was asked for.

        Raises:
            TfrunsError: any of its kinds; nothing but a 2xx with a JSON body returns.
        """
        expected = Expected(is_answer) if is_answer else Expected()
        request = _Request("GET", path, params, None, purpose or Purpose(), is_run_list, expected, is_used_once)
        try:
            return await self._retry_policy.run(lambda: self._attempt(request), is_change=False, clock=self.clock)
        except AttemptFailed as failure:
            raise failure.error from None

    async def post(
        self, path: str, body: JSON, *, expected: Expected | None = None, purpose: Purpose | None = None
    ) -> Answer:
        """Ask for a change, once.

        Raises:
            AttemptFailed: the failure is ambiguous: the change may have happened.
            TfrunsError: any of its kinds; the API refused the change, or it was never sent.
        """
        request = _Request("POST", path, None, body, purpose or Purpose(), False, expected or Expected(), True)
        try:
            return await self._retry_policy.run(lambda: self._attempt(request), is_change=True, clock=self.clock)
        except AttemptFailed as failure:
            if failure.is_ambiguous:
                raise
            raise failure.error from None

    # -- one attempt --------------------------------------------------------------------------------------------------

    async def _attempt(self, request: "_Request") -> Answer:
        token = self._token()
        await self._connections.check_localhost()
        await self._rate_limits.wait_for_turn(is_run_list=request.is_run_list)
        sent_at = self.clock.monotonic()
        try:
            return await self._attempt_now(request, token, sent_at)
        except AttemptFailed as failure:
            failure.sent_at = sent_at
            raise

    async def _attempt_now(self, request: "_Request", token: str, sent_at: float) -> Answer:
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
                return Answer(document, parse_date(response.headers.get("date")), sent_at)
            raise await self._stray(request, response, document)
        if response.is_redirect:
            raise AttemptFailed(redirected(response), was_sent=True, is_passing=False)
        raise self._refusal(response, document, request.purpose, is_run_list=request.is_run_list)

    async def _stray(self, request: "_Request", response: httpx2.Response, document: JSON) -> AttemptFailed:
        """An answer of success that is not the one to this request.

        One that belongs to another request may be followed by that of this one, so its connection is closed.
        """
        what = "an HTML page" if is_html(response) else "no complete JSON document"
        if document is None:
            return AttemptFailed(unexpected(response, what), was_sent=True, is_passing=False)
        await self._connections.drop(response)
        problem = unexpected(response, "not the answer to it, but to another request")
        problem.cause = "A proxy in between mixes up answers, or the answer lacks what the API documents."
        return AttemptFailed(problem, was_sent=True, is_passing=not request.is_change)

    def _refusal(
        self, response: httpx2.Response, document: JSON, purpose: Purpose, *, is_run_list: bool = False
    ) -> AttemptFailed:
        """The meaning of an error for this attempt, and, if it is a 429, for all others that wait."""
        if response.status_code == 429:
            asked_s = retry_after_s(response, self.clock.now())
            self._rate_limits.block(asked_s or 0.0, is_run_list=is_run_list)
        error = error_of(response, document, purpose, self.clock.now())
        return AttemptFailed.by_answer(error, is_api=bool(error_words(document)))

    def _is_own(self, url: str) -> bool:
        """Whether an address is of the API's own origin.

        Raises:
            UnexpectedResponse: it is no web address at all.
        """
        try:
            return parse_address(url) == self.settings.address
        except InvalidInput:
            raise UnexpectedResponse("The server gave an address that is not one of the web.") from None

    async def _exchange(
        self, method: str, url: str, *, is_used_once: bool = False, sent_bytes: int = 0, **options: Any
    ) -> httpx2.Response:
        """Send a request, and read the answer whatever it is; redirects are not followed."""
        pool = self._connections.pool(is_used_once=is_used_once)
        with self._failures(), time_limit(sent_bytes) as limit:
            async with pool.stream(method, url, **options) as response:
                try:
                    body = await read_body(response, MAX_DOCUMENT_BYTES, limit)
                except TooLarge as error:
                    raise AttemptFailed(error, was_sent=True, is_passing=False) from None
                return _complete(response, body)

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
        is_used_once: bool = False,
    ) -> bytes | None:
        """Fetch an object: a log, a plan's JSON. The token goes along only as far as the API's own origin.

        Args:
            address: a path below `/api/v2`, or the (signed) absolute address that the API gave.
            purpose: what it is for.
            params: the query, added to the address's own.
            max_bytes: how large it may be; no more of it is held in memory.
            room: the part of a shared budget in which the object's bytes are counted, before the first one is read.
            is_used_once: fetch it on a connection of its own, because nothing in it tells what it is the answer to.

        Returns:
            The object; None when the API says that there is none yet (204).

        Raises:
            TooLarge: it is larger than that.
            TfrunsError: any of its kinds. No address is in its text.
        """
        url = f"{self.settings.address}{address}" if address.startswith("/") else address
        if params:  # added to the letter: the signature may cover the query as it is written
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
            raise UnexpectedResponse("The object's address redirects in a loop.")
        if not is_api:
            raise AttemptFailed.by_answer(_object_error(response))
        raise self._refusal(response, _document_of(response), fetch.purpose)

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
            raise AttemptFailed.by_answer(_refused_upload(response, self.clock.now()))

    def _token(self) -> str:
        found = self.settings.credentials
        if found.token is None:
            problems = f" ({'; '.join(found.problems)})" if found.problems else ""
            raise NoCredentials(f"No API token for {self.settings.address.hostname} was found{problems}.")
        return found.token.text


def _complete(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """The same answer with its body, which was decoded."""
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
    expected: Expected
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
    """The body as JSON; None where it is none."""
    if not response.content or is_html(response):
        return None
    try:
        document = response.json(parse_constant=_refuse_constant)
        return whole_text(document) if _HALF_CHARACTER.search(response.content) else document
    except (ValueError, RecursionError):
        return None


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
    words = "; ".join(error_words(_document_of(response))) or response.reason_phrase or "no reason given"
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
