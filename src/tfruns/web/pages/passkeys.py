"""The page of a person's passkeys, and the challenges for decisions."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import unquote

from starlette.responses import JSONResponse, RedirectResponse, Response

from tfruns.errors import NotFound, TfrunsError
from tfruns.web.forms import read_form
from tfruns.web.passkeys import Passkeys, asker_of, decision_key
from tfruns.web.visit import Visit

_ADD = "add_passkey"
_NOT_CONFIRMED = "An existing passkey must confirm a new one. Nothing was registered."


def _passkeys(visit: Visit) -> Passkeys:
    passkeys: Passkeys | None = visit.request.app.state.site.passkeys
    if passkeys is None:
        raise NotFound("This server does not use passkeys.", solution="Start it with --passkey.")
    return passkeys


async def passkeys_page(visit: Visit) -> Response:
    """The passkeys of a person."""
    return _page(visit)


async def options(visit: Visit) -> Response:
    """The options with which a browser creates a passkey or confirms a decision."""
    form = await read_form(visit.request, visit.session)
    passkeys, asker = _passkeys(visit), asker_of(visit.request, visit.session)
    try:
        is_new = form.get("kind") == "create"
        text = passkeys.registration_options(asker) if is_new else passkeys.decision_options(asker, _key(form))
    except TfrunsError as error:
        return JSONResponse(error.as_dict(), error.status or HTTPStatus.FORBIDDEN)
    return Response(text, media_type="application/json")


def _key(form: Mapping[str, str]) -> str:
    return decision_key(unquote(form.get("path", "")), form.get("tool", ""), form.get("seen", ""))


async def add(visit: Visit) -> Response:
    """Register a passkey. All but the first one need the confirmation with an earlier one."""
    form = await read_form(visit.request, visit.session)
    passkeys, asker = _passkeys(visit), asker_of(visit.request, visit.session)
    key = decision_key(visit.request.url.path, _ADD, "")
    if passkeys.of(asker) and not passkeys.confirms(asker, key, form.get("passkey", "")):
        return _page(visit, _NOT_CONFIRMED, HTTPStatus.FORBIDDEN)
    try:
        passkeys.register(asker, form.get("created", ""), form.get("name", ""))
    except TfrunsError as error:
        return _page(visit, str(error), HTTPStatus.BAD_REQUEST)
    return RedirectResponse(visit.request.url.path, HTTPStatus.SEE_OTHER)


def _page(visit: Visit, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    asker = asker_of(visit.request, visit.session)
    return visit.page(
        "passkeys",
        "Passkeys",
        status=status,
        passkeys=_passkeys(visit).of(asker),
        host=asker.host,
        tool=_ADD,
        path=visit.request.url.path,
        problem=problem,
    )
