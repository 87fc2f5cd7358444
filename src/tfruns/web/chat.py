"""The review of a run in the chat of an assistant (MCP Apps): one document, and the review as HTML for each result.

The document contains its style and script, and its policy permits nothing else. The review is that of the run's page,
without its forms. Its button opens the page in the browser: nothing in the chat confirms anything.
"""

import base64
import hashlib
import math
from functools import cache
from pathlib import Path

from markupsafe import Markup
from starlette.requests import Request

from tfruns._version import __version__
from tfruns.views.runs import RunView
from tfruns.web.pages.run_parts import read_plan, run_links
from tfruns.web.paths import run_path
from tfruns.web.sessions import Session, Visitor
from tfruns.web.templating import render
from tfruns.web.visit import Visit

_STATIC = Path(__file__).with_name("static")


@cache
def chat_document() -> str:
    """The document that shows the results of a tool."""
    style, script = ((_STATIC / name).read_text(encoding="utf-8") for name in ("tfruns.css", "chat.js"))
    policy = f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; base-uri 'none'"
    return render(
        "chat.html",
        version=__version__,
        policy=Markup(policy),  # noqa: S704  # hashes
        style=Markup(style),  # noqa: S704  # our own
        script=Markup(script),  # noqa: S704  # our own
    )


def _source(text: str) -> str:
    """The source of a policy that permits exactly this inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


async def chat_review(visitor: Visitor, run_id: str, url: str) -> str:
    """The review of a run as HTML.

    Args:
        visitor: the user of the process.
        run_id: the run.
        url: the address of the pages, without a path.

    Raises:
        TfrunsError: the run cannot be read.
    """
    await visitor.reconnect()
    path = run_path(run_id)
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    visit = Visit(Request(scope), Session(visitor, math.inf))
    run = await visit.call("get_run_details", RunView, run_id=run_id)
    return render(
        "chat_review.html",
        **await read_plan(visit, run),
        run=run,
        url=f"{url}{path}",
        now=visitor.gate.client.clock.now(),
        **run_links(run),
    )
