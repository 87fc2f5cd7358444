"""The web application: HTTP around the routes.

A request is authenticated, its body read up to a limit, and its handler run in a worker thread (handlers are plain
functions that wait for the database). Whatever they raise becomes an error document; an unforeseen exception is logged
and becomes a 500 without its text.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

import pydantic_core
from anyio import CapacityLimiter, to_thread
from sqlalchemy import exc
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

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
from tfruns.local.api.authentication import Caller, caller_of_token
from tfruns.local.api.endpoints import ENDPOINTS, Endpoint
from tfruns.local.api.objects import read_object, write_object
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.remote_state import check_run_may_read
from tfruns.local.api.request import Call, Scope
from tfruns.local.api.response import Reply
from tfruns.local.api.routing import RoutesByShape, Serve, merge_methods
from tfruns.local.api.run_page import PATHS, run_page
from tfruns.local.api.signer import PATH as ARCHIVIST
from tfruns.local.api.signer import Signer
from tfruns.local.backend import Backend
from tfruns.local.files import DISK_FULL
from tfruns.local.ids import random_text
from tfruns.local.store.sqlite_file import is_damage
from tfruns.masking.redaction import redact

_log = logging.getLogger(__name__)

API = "/api/v2"
_MAX_ADDRESS_BYTES = 8 * 1024
_MAX_BODY_BYTES = 2 * 1024 * 1024
_MAX_STATE_BODY_BYTES = 32 * 1024 * 1024  # a state version may carry its state
# More threads for reads would only wait for each other on Python's global lock. A write waits for the disk, too.
_READ_THREADS = 2
_WRITE_THREADS = 8
_HEADERS = {"tfp-api-version": "2.6", "tfp-appname": "HCP Terraform"}  # the Terraform CLI looks at both
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

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Threads:
    """How many requests are served at a time: those that only read, and the others."""

    reads: CapacityLimiter
    writes: CapacityLimiter


def build_app(backend: Backend, signer: Signer, limiter: RateLimiter, lifespan: Lifespan | None = None) -> Starlette:
    """The application of one backend."""
    threads = Threads(CapacityLimiter(_READ_THREADS), CapacityLimiter(_WRITE_THREADS))

    def endpoint(entry: Endpoint) -> Serve:
        async def serve(request: Request) -> Response:
            return await _serve(request, entry, backend, signer, limiter, threads)

        return serve

    endpoints = [Route(API + entry.path, endpoint(entry), methods=[entry.method]) for entry in ENDPOINTS]
    routes = [Route("/.well-known/terraform.json", _discover)]
    routes.append(Route(ARCHIVIST + "{token}", _objects(backend, signer), methods=["GET", "PUT"]))
    routes += login.login_routes(backend, signer)
    routes += [Route(path, run_page) for path in PATHS]
    errors = {HTTPException: _http_error(limiter)}
    middleware = [Middleware(_WithoutTrailingSlash)]
    served = [RoutesByShape(endpoints), *merge_methods(routes)]
    app = Starlette(routes=served, lifespan=lifespan, exception_handlers=errors, middleware=middleware)
    app.router.redirect_slashes = False
    return app


class _WithoutTrailingSlash:
    """Serves a path with slashes at its end as the path without them: some clients send one with every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self._app(scope, receive, send)


async def _serve(
    request: Request,
    entry: Endpoint,
    backend: Backend,
    signer: Signer,
    limiter: RateLimiter,
    threads: Threads,
) -> Response:
    headers = {**_HEADERS, "x-request-id": random_text(20), **limiter.unused().headers}

    def admit() -> Caller:
        caller = caller_of_token(backend, signer, request.headers.get("authorization", ""))
        standing = limiter.take(caller.run_id or caller.user_id, is_run_list=entry.is_run_list)
        headers.update(standing.headers)
        if standing.refusal is not None:
            raise standing.refusal
        return caller

    def reply(caller: Caller, body: bytes) -> Response:
        call = Call(
            scope=Scope(backend, signer, str(request.base_url).rstrip("/"), caller.user_id, caller.run_id),
            path={**request.path_params, **entry.fixed},
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=body,
            address=request.scope["path"],
            includes=entry.includes,
        )
        return _response(_reply(entry, call), headers)

    async def answer() -> Response:
        _check_address(request)
        if entry.method == "GET":  # in one go: each change of threads costs as much as a small query
            return await to_thread.run_sync(lambda: reply(admit(), b""), limiter=threads.reads)
        caller = await to_thread.run_sync(admit, limiter=threads.reads)
        body = await _body(request, _MAX_STATE_BODY_BYTES if entry.takes_state else _MAX_BODY_BYTES)
        return await to_thread.run_sync(reply, caller, body, limiter=threads.writes)

    return await _guarded(request, answer, headers)


async def _guarded(request: Request, answer: Callable[[], Awaitable[Response]], headers: dict[str, str]) -> Response:
    """An answer in any case; what went wrong is an error document."""
    try:
        return await answer()
    except TfrunsError as error:
        return _error(error, headers)
    except ClientDisconnect:
        return Response(status_code=400)  # which nobody reads
    except Exception as error:  # noqa: BLE001  # the edge
        if (failure := _known_failure(error)) is not None:
            _log.warning("%s %s: %s", request.method, _shown(request), failure.message)
            return _error(failure, headers)
        _log.exception("%s %s failed", request.method, _shown(request))
        document = error_document(500, "internal server error")
        return JSONResponse(document, 500, headers, media_type=CONTENT_TYPE)


def _known_failure(error: Exception) -> ServerError | None:
    """A failure of the server for which there is an explanation."""
    if is_damage(error):
        return ServerError(
            "The server's database is damaged. Stop the server and restore the database from a backup.", status=500
        )
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return ServerError("The database cannot be used at the moment.", status=503, retry_after_s=1.0)
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return ServerError("The server's disk is full.", status=503, retry_after_s=5.0)
    return None


def _shown(request: Request) -> str:
    """The path for the log: without the permission that it may hold, and without control characters."""
    return redact(request.url.path).encode("unicode_escape").decode()


def _reply(entry: Endpoint, call: Call) -> Reply:
    """What the handler answers.

    Where requests are served at the same time (on PostgreSQL) another one may take a name that this one found free, or
    delete what it found. The database then refuses the whole change; looked at anew, it has a proper answer.
    """
    if entry.method == "GET":
        call.check_include()
    if call.scope.run_id is not None:
        if not entry.is_open_to_runs:
            raise NotFound("not found")
        check_run_may_read(call)
    try:
        return entry.handler(call)
    except exc.IntegrityError:
        return entry.handler(call)


def _check_address(request: Request) -> None:
    """Refuse what no database takes as a text, and what is too long to be searched for.

    Raises:
        TfrunsError: 414, the path with the query is too long.
        NotFound: 404, a part of the path has a NUL character.
        BadRequest: 400, the query has one.
    """
    if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > _MAX_ADDRESS_BYTES:
        raise TfrunsError(f"The path with the query is longer than {_MAX_ADDRESS_BYTES} bytes.", status=414)
    if "\0" in request.scope["path"]:
        raise NotFound("not found")
    if any("\0" in text for item in request.query_params.multi_items() for text in item):
        raise BadRequest("The query has a NUL character.")


async def _body(request: Request, max_bytes: int) -> bytes:
    too_large = TfrunsError(f"The body is larger than {max_bytes} bytes.", status=413)
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


def _response(reply: Reply, headers: dict[str, str]) -> Response:
    headers = {**headers, **reply.headers}
    if reply.content is not None:
        return Response(reply.content, reply.status, headers, media_type=reply.content_type)
    if reply.status == 202:
        return Response(b"null", 202, headers, media_type=CONTENT_TYPE)  # some clients parse the body of an action
    if reply.document is None:
        return Response(status_code=reply.status, headers=headers)
    return Response(pydantic_core.to_json(reply.document), reply.status, headers, media_type=CONTENT_TYPE)


def _error(error: TfrunsError, headers: dict[str, str]) -> Response:
    status = error.status or 400
    title = next((title for kind, title in _TITLES.items() if isinstance(error, kind)), "bad request")
    if status == 500:
        title = "internal server error"
    detail = error.message if error.message.lower() != title else None
    if error.retry_after_s is not None:
        headers = {**headers, "retry-after": f"{error.retry_after_s:.3f}"}
    return JSONResponse(error_document(status, title, detail), status, headers, media_type=CONTENT_TYPE)


def _http_error(limiter: RateLimiter) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What no route answers. It is logged, so that one sees what a client would have wanted."""

    async def serve(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        _log.warning("%s %s is not served (%d)", request.method, _shown(request), status)
        title = "not found" if status == 404 else "method not allowed"
        headers = {**_HEADERS, **limiter.unused().headers}
        if isinstance(error, HTTPException):
            headers |= error.headers or {}
        return JSONResponse(error_document(status, title), status, headers, media_type=CONTENT_TYPE)

    return serve


async def _discover(_: Request) -> Response:
    return JSONResponse(_DISCOVERY)


def _objects(backend: Backend, signer: Signer) -> Serve:
    async def serve(request: Request) -> Response:
        grant = signer.read(request.path_params["token"], backend.now())
        is_write = request.method == "PUT"
        if grant is None or (grant.verb == "write") is not is_write:
            return JSONResponse(error_document(404, "not found"), 404, media_type=CONTENT_TYPE)
        step = partial(write_object if is_write else read_object, request, backend, grant)
        return await _guarded(request, step, {})

    return serve
