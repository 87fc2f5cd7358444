"""How far a tool is, told to the client that called it: notifications of the protocol, in all of its revisions."""

from typing import Any

from mcp.server import ServerRequestContext

from tfruns.masking.redaction import safe_text
from tfruns.masking.text import one_line
from tfruns.progress import NoProgress, Progress

_LONGEST = 400  # characters of a message; the tools' own have at most 320


class ProgressNotifications:
    """Whoever called with a progress token."""

    def __init__(self, ctx: ServerRequestContext[Any]) -> None:
        self._session = ctx.session

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        """Send a notification that belongs to the request. The message is bounded: it is cleaned on the event loop."""
        await self._session.report_progress(done, total, safe_text(one_line(message, _LONGEST)))


def progress_for(ctx: ServerRequestContext[Any]) -> Progress:
    """Notifications where the caller asked for them with a progress token, else nobody."""
    has_token = ctx.meta is not None and ctx.meta.get("progress_token") is not None
    return ProgressNotifications(ctx) if has_token else NoProgress()
