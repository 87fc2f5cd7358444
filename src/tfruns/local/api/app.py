"""The web application: HTTP around the endpoints.

For each request, the application authenticates the caller, reads the body up to a limit, and runs the endpoint's
handler in a worker thread, because handlers are plain functions that wait for the database. An error that a handler
raises becomes an error document. An unexpected exception is logged and becomes a 500 without its text.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import pydantic_core
from anyio import CapacityLimiter, to_thread
from sqlalchemy import exc
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tfruns._version import __version__
from tfruns.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    ServerError,
    TfrunsError,
    TransitionNotAllowed,
    Unauthorized,
    UnprocessableEntity,
)
from tfruns.jsonapi import CONTENT_TYPE, error_document
from tfruns.local.api import login
from tfruns.local.api.authentication import Caller, authenticate
from tfruns.local.api.endpoints import ENDPOINTS, Endpoint
from tfruns.local.api.objects import read_object, write_object
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.remote_state import check_run_token_access
from tfruns.local.api.request import ApiRequest, RequestContext
from tfruns.local.api.response import ApiResponse
from tfruns.local.api.routing import Routes
from tfruns.local.api.signer import OBJECT_PATH, Signer
from tfruns.local.backend import Backend
from tfruns.local.files import is_disk_full
from tfruns.local.ids import random_text
from tfruns.local.store.sqlite_file import is_damage
from tfruns.masking.redaction import redact

_log = logging.getLogger(__name__)

API = "/api/v2"
_MAX_URL_BYTES = 8 * 1024
_MAX_BODY_BYTES = 2 * 1024 * 1024
_MAX_STATE_BODY_BYTES = 32 * 1024 * 1024  # a request that creates a state version may contain the state
# More read threads would only wait for each other's GIL. A write also waits for the disk.
_READ_THREADS = 2
_WRITE_THREADS = 8
_HEADERS = {
    "tfp-api-version": "2.6",
    "tfp-appname": "HCP Terraform",  # the Terraform CLI checks both
    "tfruns-version": __version__,  # distinguishes this backend from HCP Terraform, for `tfruns doctor`
}
_TITLES: dict[type[TfrunsError], str] = {
    BadRequest: "bad request",
    Unauthorized: "unauthorized",
    Forbidden: "forbidden",
    NotFound: "not found",
    TransitionNotAllowed: "transition not allowed",
    Conflict: "conflict",
    UnprocessableEntity: "unprocessable entity",
    RateLimited: "too many requests",
    ServerError: "service unavailable",
}
_DISCOVERY = {
    **dict.fromkeys(("tfe.v2", "tfe.v2.1", "tfe.v2.2"), f"{API}/"),
    "modules.v1": f"{API}/registry/modules/",
    "login.v1": login.SERVICE,
}

_ROUTES = Routes(API, ENDPOINTS)


def build_app(backend: Backend, signer: Signer, limiter: RateLimiter) -> ASGIApp:
    """The application of one backend."""
    others = Starlette(
        routes=[
            Route("/.well-known/terraform.json", _discover),
            Route(OBJECT_PATH + "{token}", _objects(backend, signer), methods=["GET", "PUT"]),
            *login.login_routes(backend, signer),
        ],
        exception_handlers={HTTPException: _http_error(limiter)},
    )
    others.router.redirect_slashes = False
    return _Application(_ApiServer(backend, signer, limiter), others)


@dataclass(frozen=True, slots=True)
class _Application:
    """Serves the endpoints, and everything else with Starlette, whose layers cost as much as a query.

    Trailing slashes are ignored: some clients send one with every request.
    """

    api: "_ApiServer"
    others: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        found = _ROUTES.find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self.others(scope, receive, send)
            return
        endpoints, path_parameters = found
        request = Request({**scope, "path_params": path_parameters}, receive)
        response = await self.api.serve(request, endpoints)
        await response(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _ApiServer:
    """Serves the endpoints of one backend.

    Attributes:
        backend: the backend.
        signer: signs URLs, and verifies run tokens.
        limiter: the rate limits.
        read_threads: limits how many GET requests are served at the same time.
        write_threads: limits how many other requests are served at the same time.
    """

    backend: Backend
    signer: Signer
    limiter: RateLimiter
    read_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_READ_THREADS))
    write_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_WRITE_THREADS))

    async def serve(self, request: Request, endpoints: Mapping[str, Endpoint]) -> Response:
        """The response to a request for a path with these endpoints, by method."""
        endpoint = endpoints.get(request.method)
        if endpoint is None:
            return _not_served(request, 405, self.limiter, {"allow": ", ".join(sorted(endpoints))})
        headers = {**_HEADERS, "x-request-id": random_text(20), **self.limiter.initial_state().headers}
        return await _with_error_documents(request, partial(self._serve, request, endpoint, headers), headers)

    async def _serve(self, request: Request, endpoint: Endpoint, headers: dict[str, str]) -> Response:
        _check_url(request)
        admit = partial(self._admit, request, endpoint, headers)
        respond = partial(self._respond, request, endpoint, headers)
        if endpoint.method == "GET":  # both in one thread: switching threads costs as much as a small query
            return await to_thread.run_sync(lambda: respond(admit(), b""), limiter=self.read_threads)
        caller = await to_thread.run_sync(admit, limiter=self.read_threads)
        body = await _body(request, _MAX_STATE_BODY_BYTES if endpoint.accepts_state else _MAX_BODY_BYTES)
        return await to_thread.run_sync(respond, caller, body, limiter=self.write_threads)

    def _admit(self, request: Request, endpoint: Endpoint, headers: dict[str, str]) -> Caller:
        """Authenticate a request, and count it against the caller's rate limit."""
        caller = authenticate(self.backend, self.signer, request.headers.get("authorization", ""))
        state = self.limiter.count(caller.run_id or caller.user_id, is_run_list=endpoint.is_run_list)
        headers.update(state.headers)
        if state.error is not None:
            raise state.error
        return caller

    def _respond(
        self, request: Request, endpoint: Endpoint, headers: dict[str, str], caller: Caller, body: bytes
    ) -> Response:
        base_url = str(request.base_url).rstrip("/")
        api_request = ApiRequest(
            context=RequestContext(self.backend, self.signer, base_url, caller.user_id, caller.run_id),
            path={**request.path_params, **endpoint.path_constants},
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=body,
            url_path=request.scope["path"],
            includes=endpoint.includes,
        )
        return _response(_call_handler(endpoint, api_request), headers)


def _call_handler(endpoint: Endpoint, request: ApiRequest) -> ApiResponse:
    """The response of an endpoint's handler.

    PostgreSQL serves concurrent requests, so another request may take a name that this one found free, or delete a row
    that it found. The database then rejects the whole change. The second attempt finds the other request's change, and
    responds with the appropriate error.
    """
    if endpoint.method == "GET":
        request.check_include()
    if request.context.run_id is not None:
        if not endpoint.allows_run_token:
            raise NotFound("not found")
        check_run_token_access(request)
    try:
        return endpoint.handler(request)
    except exc.IntegrityError:
        return endpoint.handler(request)


async def _with_error_documents(
    request: Request, respond: Callable[[], Awaitable[Response]], headers: dict[str, str]
) -> Response:
    """The response, or an error document for the exception that `respond` raised."""
    try:
        return await respond()
    except TfrunsError as error:
        return _error_response(error, headers)
    except ClientDisconnect:
        return Response(status_code=400)  # the client no longer reads it
    except Exception as error:  # noqa: BLE001  # the outermost handler
        if (failure := _known_failure(error)) is not None:
            _log.warning("%s %s: %s", request.method, _loggable_path(request), failure.message)
            return _error_response(failure, headers)
        _log.exception("%s %s failed", request.method, _loggable_path(request))
        document = error_document(500, "internal server error")
        return JSONResponse(document, 500, headers, media_type=CONTENT_TYPE)


def _known_failure(error: Exception) -> ServerError | None:
    """The explanation of a failure of this server; None if the failure is unexpected."""
    if is_damage(error):
        return ServerError(
            "The server's database is damaged. Stop the server and restore the database from a backup.", status=500
        )
    if is_disk_full(error):
        return ServerError("The server's disk is full. Free disk space.", status=503, retry_after_s=5.0)
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return ServerError("The database is currently unavailable. Try again.", status=503, retry_after_s=1.0)
    return None


def _loggable_path(request: Request) -> str:
    """The path without signed tokens and control characters."""
    return redact(request.url.path).encode("unicode_escape").decode()


def _check_url(request: Request) -> None:
    """Reject a URL that is too long, or contains a character that the database cannot store.

    Raises:
        TfrunsError: 414, the path and query are too long.
        NotFound: 404, the path contains a NUL character.
        BadRequest: 400, the query contains a NUL character.
    """
    if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > _MAX_URL_BYTES:
        raise TfrunsError(f"The URL is too long: its path and query can have {_MAX_URL_BYTES} bytes.", status=414)
    if "\0" in request.scope["path"]:
        raise NotFound("not found")
    if any("\0" in text for item in request.query_params.multi_items() for text in item):
        raise BadRequest("The query contains a NUL character. Remove it.")


async def _body(request: Request, max_bytes: int) -> bytes:
    too_large = TfrunsError(f"The request body is too large: the limit is {max_bytes} bytes.", status=413)
    if int(request.headers.get("content-length") or 0) > max_bytes:
        raise too_large
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise too_large
        parts.append(part)
    return b"".join(parts)


def _response(response: ApiResponse, headers: dict[str, str]) -> Response:
    headers = {**headers, **response.headers}
    if response.status == 202:
        return Response(b"null", 202, headers, media_type=CONTENT_TYPE)  # some clients parse the body of an action
    if response.document is None:
        return Response(status_code=response.status, headers=headers)
    return Response(pydantic_core.to_json(response.document), response.status, headers, media_type=CONTENT_TYPE)


def _error_response(error: TfrunsError, headers: dict[str, str]) -> Response:
    status = error.status or 400
    title = next((title for kind, title in _TITLES.items() if isinstance(error, kind)), "bad request")
    if status == 500:
        title = "internal server error"
    detail = error.message if error.message.lower() != title else None
    if error.retry_after_s is not None:
        headers = {**headers, "retry-after": f"{error.retry_after_s:.3f}"}
    return JSONResponse(error_document(status, title, detail), status, headers, media_type=CONTENT_TYPE)


def _http_error(limiter: RateLimiter) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def serve(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return _not_served(request, error.status_code, limiter, error.headers or {})
        return _not_served(request, 404, limiter)

    return serve


def _not_served(
    request: Request, status: int, limiter: RateLimiter, headers: Mapping[str, str] | None = None
) -> Response:
    """The response to a request that no route serves. It is logged, to show which endpoints other clients miss.

    The client of tfruns knows that the local backend lacks endpoints, and reports a missing one to its user.
    """
    level = logging.DEBUG if request.headers.get("user-agent", "").startswith("tfruns/") else logging.WARNING
    _log.log(level, "%s %s is not served (%d)", request.method, _loggable_path(request), status)
    title = "not found" if status == 404 else "method not allowed"
    headers = {**_HEADERS, **limiter.initial_state().headers, **(headers or {})}
    return JSONResponse(error_document(status, title), status, headers, media_type=CONTENT_TYPE)


async def _discover(_: Request) -> Response:
    return JSONResponse(_DISCOVERY)


def _objects(backend: Backend, signer: Signer) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        grant = signer.read_grant(request.path_params["token"], backend.now())
        is_write = request.method == "PUT"
        if grant is None or (grant.access == "write") is not is_write:
            return JSONResponse(error_document(404, "not found"), 404, media_type=CONTENT_TYPE)
        respond = partial(write_object if is_write else read_object, request, backend, grant)
        return await _with_error_documents(request, respond, {})

    return serve
