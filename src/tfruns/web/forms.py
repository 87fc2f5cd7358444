"""Forms: a form is accepted only from a page of the same session, and sends a change once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from tfruns.errors import Forbidden, TooLarge
from tfruns.web.protection import is_own_origin
from tfruns.web.sessions import Session

_MAX_BYTES = 1 << 16
_MAX_SENT = 100  # forms of a session; the oldest are dropped first


async def read_form(request: Request, session: Session | None = None) -> Mapping[str, str]:
    """The fields of a form.

    Args:
        request: the request.
        session: the session whose page contains the form; None for a form of a page without a session.

    Raises:
        Forbidden: the form comes from another website, or from a page of another session.
        TooLarge: the form is too large.
    """
    if not is_own_origin(request):
        raise Forbidden(
            "This form comes from another website. Nothing was sent.",
            cause="Its origin differs from the address of this page.",
            solution="Open this page directly, and decide there.",
            status=403,
        )
    fields = dict(parse_qsl((await _body(request)).decode("utf-8", errors="replace"), keep_blank_values=True))
    if session is not None and not session.is_own_form(fields.get("csrf_token", "")):
        raise Forbidden(
            "This form belongs to another session. Nothing was sent.",
            cause="You have signed out, or signed in again, since its page was loaded.",
            solution="Go back, reload the page, and decide again.",
            status=403,
        )
    return fields


async def respond_once(
    session: Session, form: Mapping[str, str], respond: Callable[[], Awaitable[Response]]
) -> Response:
    """The response to a form. The same form, sent again by a double click, gets the same response if it was accepted.

    Args:
        session: the session of the form.
        form: its fields. Without `form_id`, it is another form each time.
        respond: sends the change.
    """
    if not form.get("form_id"):
        return await respond()
    key = hash(frozenset(form.items()))
    task = session.sent_forms.get(key)
    if task is None:
        task = session.sent_forms[key] = asyncio.ensure_future(respond())
        while len(session.sent_forms) > _MAX_SENT:
            del session.sent_forms[next(iter(session.sent_forms))]
    is_accepted = False
    try:
        response = await asyncio.shield(task)
        is_accepted = response.status_code == HTTPStatus.SEE_OTHER
    finally:
        if task.done() and not is_accepted:
            session.sent_forms.pop(key, None)
    return response


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BYTES:
            raise TooLarge(f"The form is too large: the limit is {_MAX_BYTES:,} bytes.", status=413)
    return bytes(body)
