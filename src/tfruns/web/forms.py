"""Forms: a form is accepted only from a page of the same session."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from tfruns.errors import Forbidden, TooLarge
from tfruns.web.protection import is_own_origin
from tfruns.web.sessions import Session

_MAX_BYTES = 1 << 16


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


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BYTES:
            raise TooLarge(f"The form is too large: the limit is {_MAX_BYTES:,} bytes.", status=413)
    return bytes(body)
