"""`terraform login`: a page where a user enters their API token, and Terraform receives a new token.

Terraform opens the page in a browser and listens on a local port for a code, which it exchanges for a token (OAuth 2.0
authorization code with PKCE).

Source: Terraform, "Server-side Login Protocol"; RFC 6749 section 4.1, RFC 7636.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tfruns.errors import Unauthorized
from tfruns.local.api.authentication import add_token, user_id_of_token
from tfruns.local.api.signer import Signer, TokenPurpose
from tfruns.local.backend import Backend

_AUTHORIZE, _TOKEN = "/oauth/authorize", "/oauth/token"
_CLIENT = "terraform-cli"
_PORTS = (10000, 10010)
_CODE_LIFETIME = timedelta(minutes=1)
_MAX_FORM_BYTES = 1 << 16
_REDIRECT = re.compile(r"http://(?:localhost|127\.0\.0\.1):[0-9]{1,5}/login")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_HIDDEN_FIELDS = ("client_id", "response_type", "redirect_uri", "state", "code_challenge", "code_challenge_method")
_NO_STORE = {"cache-control": "no-store"}
_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    **_NO_STORE,
}
_LAYOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Log in to tfruns</title>
<style>body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>Log in to tfruns</h1>
{body}
</html>
"""

SERVICE = {
    "client": _CLIENT,
    "grant_types": ["authz_code"],
    "authz": _AUTHORIZE,
    "token": _TOKEN,
    "ports": list(_PORTS),
}
"""The service `login.v1` in the discovery document."""

_TOKEN_FILE = "<p>The API token is in the file <code>token</code> in the server's data directory.</p>"  # noqa: S105
_FORM = """<p>Terraform requests access to this server. It receives a new API token.</p>
{problem}
<form method="post">
<label>API token <input type="password" name="token" autocomplete="off" required autofocus></label>
{hidden}
<button>Log in</button>
</form>
""" + _TOKEN_FILE  # fmt: skip


def login_routes(backend: Backend, signer: Signer) -> list[Route]:
    """The routes of `terraform login`."""

    async def authorize(request: Request) -> Response:
        form = await _form(request) if request.method == "POST" else dict(request.query_params)
        problem = _problem(form)
        if problem is not None:
            return _page(f"<p>{escape(problem)} Run <code>terraform login</code> again.</p>", 400)
        if request.method == "GET":
            return _page(_login_form(form), 200)
        try:
            user_id = await run_in_threadpool(user_id_of_token, backend, f"Bearer {form.get('token', '')}")
        except Unauthorized:
            return _page(_login_form(form, "<p><strong>This is not an API token of this server.</strong></p>"), 401)
        claims = {"user": user_id, "challenge": form["code_challenge"], "redirect": form["redirect_uri"]}
        code = signer.sign(TokenPurpose.LOGIN, claims, backend.now() + _CODE_LIFETIME)
        url = f"{form['redirect_uri']}?{urlencode({'code': code, 'state': form.get('state', '')})}"
        return RedirectResponse(url, 303, {**_NO_STORE, "referrer-policy": "no-referrer"})

    async def exchange(request: Request) -> Response:
        form = await _form(request)
        claims = signer.verify(TokenPurpose.LOGIN, form.get("code", ""), backend.now())
        if form.get("grant_type") != "authorization_code" or claims is None or not _is_from_requester(claims, form):
            return JSONResponse({"error": "invalid_grant"}, 400, _NO_STORE)
        token = await run_in_threadpool(_new_token, backend, claims["user"])
        return JSONResponse({"access_token": token, "token_type": "bearer"}, 200, _NO_STORE)

    async def tokens(_: Request) -> Response:
        return _page(_TOKEN_FILE, 200)

    return [
        Route(_AUTHORIZE, authorize, methods=["GET", "POST"]),
        Route(_TOKEN, exchange, methods=["POST"]),
        Route("/app/settings/tokens", tokens),  # where Terraform sends users of a server without `login.v1`
    ]


def _new_token(backend: Backend, user_id: str) -> str:
    with backend.database.write() as write:
        return add_token(backend, write, user_id)


def _problem(form: Mapping[str, str]) -> str | None:
    """Why a request for a code is rejected; None if it is valid."""
    if form.get("client_id") != _CLIENT or form.get("response_type") != "code":
        return "This login request does not come from Terraform."
    if not _REDIRECT.fullmatch(form.get("redirect_uri", "")):
        return "This login request does not come from Terraform on this machine."
    if form.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(form.get("code_challenge", "")):
        return "This login request has no valid code challenge (PKCE)."
    return None


def _is_from_requester(claims: Mapping[str, Any], form: Mapping[str, str]) -> bool:
    """Whether the program that exchanges a code is the one that requested it."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(challenge, claims["challenge"]) and form.get("redirect_uri") == claims["redirect"]


def _login_form(form: Mapping[str, str], problem: str = "") -> str:
    hidden = (f'<input type="hidden" name="{name}" value="{escape(form.get(name, ""))}">' for name in _HIDDEN_FIELDS)
    return _FORM.format(hidden="\n".join(hidden), problem=problem)


def _page(body: str, status: int) -> Response:
    """A page without scripts that no other page can frame. The body is HTML, already escaped."""
    return HTMLResponse(_LAYOUT.format(body=body), status, _PAGE_HEADERS)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM_BYTES:
            return {}
    return dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True))
