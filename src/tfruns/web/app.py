"""The application of the pages.

It renders the results of the tools, which it calls through the gate, so that the same pages serve every backend.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tfruns.errors import InvalidInput, NotFound, OutOfScope, RefusedByMode, TfrunsError
from tfruns.gate.requests import REQUESTS_PATH
from tfruns.web.pages import log, overview, passkeys, references, requests, run, sign_in, start, workspace, workspaces
from tfruns.web.paths import LINKS, OWN, PREFIX
from tfruns.web.protection import Protection
from tfruns.web.sessions import Session
from tfruns.web.site import Site
from tfruns.web.visit import Visit, page

_log = logging.getLogger(__name__)

_ORGANIZATION = PREFIX + "/{organization}"
_WORKSPACE = _ORGANIZATION + "/workspaces/{workspace}"
_RUN = _WORKSPACE + "/runs/{run}"
_RUN_OF_TERRAFORM = _ORGANIZATION + "/{workspace}/runs/{run}"  # the form that the Terraform CLI prints
_STATIC = Path(__file__).with_name("static")

Endpoint = Callable[[Request], Awaitable[Response]]


def build_web_app(site: Site, hosts: Collection[str]) -> Starlette:
    """The application.

    Args:
        site: the sessions and users.
        hosts: the host names under which the pages are available, without ports.
    """
    protection = Middleware(Protection, hosts=hosts, needs_host_name=site.passkeys is not None)
    app = Starlette(routes=_routes(), middleware=[protection])
    app.state.site = site
    return app


def _routes() -> list[BaseRoute]:
    return [
        Route("/", _redirect_home),
        Route(f"{PREFIX}/", _redirect_home),
        Route(PREFIX, _with_session(overview.open_organization), name="home"),
        Mount(f"{OWN}/static", StaticFiles(directory=_STATIC), name="static"),
        Route(LINKS, sign_in.create_link, methods=["POST"]),
        Route(LINKS + "/{code}", _without_session(sign_in.open_link), name="link"),
        Route(f"{OWN}/sign-in", _without_session(sign_in.sign_in), methods=["POST"], name="sign_in"),
        Route(f"{OWN}/open", _without_session(sign_in.open_here), methods=["POST"], name="open_here"),
        Route(REQUESTS_PATH + "{request}", _with_session(requests.request_page), methods=["GET"], name="request"),
        Route(REQUESTS_PATH + "{request}", _with_session(requests.decide), methods=["POST"]),
        Route(f"{OWN}/sign-out", _with_session(sign_in.sign_out), methods=["POST"], name="sign_out"),
        Route(OWN + "/runs/{run}", _with_session(references.find_run)),
        Route(OWN + "/workspaces/{workspace:path}", _with_session(references.find_workspace)),
        Route(OWN + "/organizations", _with_session(overview.choose_organization)),
        Route(f"{OWN}/passkeys", _with_session(passkeys.passkeys_page), methods=["GET"]),
        Route(f"{OWN}/passkeys", _with_session(passkeys.add), methods=["POST"]),
        Route(f"{OWN}/passkeys/options", _with_session(passkeys.options), methods=["POST"]),
        Route(_ORGANIZATION, _with_session(overview.overview), name="overview"),
        Route(f"{_ORGANIZATION}/events", _with_session(overview.live_overview)),
        Route(f"{_ORGANIZATION}/workspaces", _with_session(workspaces.workspaces), name="workspaces"),
        Route(_WORKSPACE, _with_session(workspace.workspace_page), methods=["GET"], name="workspace"),
        Route(_WORKSPACE, _with_session(workspace.change_lock), methods=["POST"]),
        Route(f"{_WORKSPACE}/state", _with_session(workspace.state_page)),
        Route(f"{_WORKSPACE}/settings", _with_session(workspace.settings_page)),
        Route(f"{_WORKSPACE}/start", _with_session(start.start_page), methods=["GET"]),
        Route(f"{_WORKSPACE}/start", _with_session(start.start_run), methods=["POST"]),
        Route(_RUN, _with_session(run.run_page), methods=["GET"], name="run"),
        Route(_RUN, _with_session(run.decide), methods=["POST"]),
        Route(f"{_RUN}/events", _with_session(run.live_updates)),
        Route(f"{_RUN}/values", _with_session(run.values_page)),
        Route(_RUN + "/logs/{phase}", _with_session(log.log_page_of), name="log"),
        Route(_RUN_OF_TERRAFORM, _with_session(run.run_page)),
        Route(PREFIX + "/{path:path}", _without_session(_not_found)),
    ]


async def _redirect_home(_: Request) -> Response:
    return RedirectResponse(PREFIX, HTTPStatus.TEMPORARY_REDIRECT)


async def _not_found(_: Request) -> Response:
    raise NotFound("This page does not exist.")


def _with_session(page_of: Callable[[Visit], Awaitable[Response]]) -> Endpoint:
    """The endpoint of a page for people with a session."""

    async def serve(request: Request) -> Response:
        site: Site = request.app.state.site
        session = site.sessions.find(request.cookies.get(sign_in.cookie_name(request), ""))
        if session is None:
            return sign_in.sign_in_page(site, request)
        return await _with_error_page(_visited(page_of, request, session), request, session)

    return serve


async def _visited(page_of: Callable[[Visit], Awaitable[Response]], request: Request, session: Session) -> Response:
    await session.visitor.reconnect()
    return await page_of(Visit(request, session))


def _without_session(page_of: Endpoint) -> Endpoint:
    """The endpoint of a page for everybody."""

    async def serve(request: Request) -> Response:
        return await _with_error_page(page_of(request), request, None)

    return serve


async def _with_error_page(response: Awaitable[Response], request: Request, session: Session | None) -> Response:
    """The response, or the page of the error that was raised."""
    try:
        return await response
    except TfrunsError as error:
        return _error_page(error, session)
    except Exception:  # noqa: BLE001  # the outermost handler
        _log.exception("%s %s failed", request.method, request.url.path.encode("unicode_escape").decode())
        return _error_page(TfrunsError("This page failed unexpectedly. See the server log.", status=500), session)


_STATUSES: Mapping[type[TfrunsError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    OutOfScope: HTTPStatus.NOT_FOUND,
    InvalidInput: HTTPStatus.BAD_REQUEST,
    RefusedByMode: HTTPStatus.FORBIDDEN,
}


def _error_page(error: TfrunsError, session: Session | None) -> Response:
    status = error.status or next((found for kind, found in _STATUSES.items() if isinstance(error, kind)), 0)
    # An error may also be a response with a status below 400 that cannot be read.
    shown = status if status >= HTTPStatus.BAD_REQUEST else HTTPStatus.BAD_GATEWAY
    return page("error", "Error", status=shown, session=session, error=error)
