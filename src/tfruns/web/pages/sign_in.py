"""The beginning and the end of a session: a link with a single-use code, or an API token.

Following a link only shows a button, because programs that preview links would use up the code. Scripts press it.
"""

import re
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tfruns.errors import InvalidInput, NotFound, TfrunsError, Unauthorized
from tfruns.web.forms import read_form
from tfruns.web.paths import PREFIX, is_page
from tfruns.web.preload import preload
from tfruns.web.sessions import SESSION_LIFETIME_S, Session
from tfruns.web.site import Site
from tfruns.web.visit import Visit, page

_CODE_IS_INVALID = "This link has expired or was already used. Create another one."
_IS_PLAIN = re.compile(rf"{PREFIX}/[A-Za-z0-9/_.-]+")  # a path that no shell interprets
_IN_PATHS = "/:@!$&'()*+,;=~"
_TOO_MANY_ATTEMPTS = "Too many invalid tokens were entered. Wait a minute, or use a link."
_TOKEN_IS_INVALID = "The API token is not valid for this server."  # noqa: S105


def sign_in_page(site: Site, request: Request, problem: str = "", status: int = HTTPStatus.UNAUTHORIZED) -> Response:
    """The page for a visitor without a session, who returns to the wanted page afterwards."""
    preload()
    wanted = _wanted(request)
    return page(
        "sign_in",
        "Sign in",
        status=status,
        link_command=f"{site.link_command} {wanted}" if _IS_PLAIN.fullmatch(wanted) else site.link_command,
        accepts_tokens=site.accepts_tokens,
        open_path=_path(request, "open_here") if site.own_browser else "",
        sign_in_path=_path(request, "sign_in"),
        target=wanted,
        problem=problem,
        # A session cookie is not sent when another website links to the page: the page loads itself once more.
        is_from_other_site=request.headers.get("sec-fetch-site") == "cross-site",
    )


async def open_here(request: Request) -> Response:
    """Open a page with a session in the browser of this computer. The response contains no code."""
    site: Site = request.app.state.site
    form = await read_form(request)
    if site.own_browser is None:
        raise NotFound("This server cannot open a browser.")
    is_opened = site.own_browser.open(_target(form.get("to", "")), site.sessions)
    return page("opened", "Opened", is_opened=is_opened)


async def open_link(request: Request) -> Response:
    """The page that a link with a code leads to."""
    return page(
        "link",
        "Open tfruns",
        code=request.path_params["code"],
        sign_in_path=_path(request, "sign_in"),
        target=_target(request.query_params.get("to", "")),
    )


async def sign_in(request: Request) -> Response:
    """Begin a session with the code or the token of a form."""
    site: Site = request.app.state.site
    form = await read_form(request)
    target = _target(form.get("to", ""))
    if code := form.get("code"):
        session = site.sessions.redeem(code)
        return _signed_in(request, session, target) if session else sign_in_page(site, request, _CODE_IS_INVALID)
    if site.failed_attempts.are_too_many:
        return sign_in_page(site, request, _TOO_MANY_ATTEMPTS, HTTPStatus.TOO_MANY_REQUESTS)
    try:
        visitor = await site.accounts.visitor_with(form.get("token", "").strip() if site.accepts_tokens else "")
    except (Unauthorized, InvalidInput):
        site.failed_attempts.add()
        return sign_in_page(site, request, _TOKEN_IS_INVALID)
    return _signed_in(request, site.sessions.begin(visitor), target)


async def sign_out(visit: Visit) -> Response:
    """End the session."""
    await read_form(visit.request, visit.session)
    site: Site = visit.request.app.state.site
    site.sessions.end(visit.session)
    response = RedirectResponse(_path(visit.request, "home"), HTTPStatus.SEE_OTHER)
    response.delete_cookie(cookie_name(visit.request), path=_path(visit.request, "home"))
    return response


async def create_link(request: Request) -> Response:
    """Create a link for the owner of an API token, for `tfruns web link`."""
    site: Site = request.app.state.site
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        visitor = await site.accounts.visitor_with(token.strip() if scheme.lower() == "bearer" else "")
    except TfrunsError as error:
        return JSONResponse(error.as_dict(), error.status or HTTPStatus.UNAUTHORIZED)
    preload()
    code = site.sessions.create_link_code(visitor)
    return JSONResponse({"path": _path(request, "link", code=code)}, HTTPStatus.CREATED)


def cookie_name(request: Request) -> str:
    """The name of the session cookie. It contains the port, because all ports of a host share their cookies."""
    return f"tfruns_session_{request.url.port or request.url.scheme}"


def _signed_in(request: Request, session: Session, target: str) -> Response:
    response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        cookie_name(request),
        session.id,
        max_age=int(SESSION_LIFETIME_S),
        path=_path(request, "home"),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _wanted(request: Request) -> str:
    """The address of the requested page, to return to it."""
    if request.method != "GET":
        return PREFIX
    query = f"?{request.url.query}" if request.url.query else ""
    return _target(f"{quote(request.url.path, safe=_IN_PATHS)}{query}")


def _target(path: str) -> str:
    """The path of a page of this site; the start page if the path is not one."""
    return path if is_page(path) else PREFIX


def _path(request: Request, name: str, **parameters: str) -> str:
    return str(request.app.url_path_for(name, **parameters))
