"""The HTML pages of the local backend: one layout, and the page of a run.

The Terraform CLI prints the URL of a run's page. Whoever opens it has no token, so the page says only which command
shows the run, and is the same for every run id, even if no such run exists.
"""

import re
from collections.abc import Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

_RUN_ID = re.compile(r"run-[A-Za-z0-9]{1,64}")
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_LAYOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>{title}</h1>
{body}
</html>
"""
_RUN = """<p>The local backend of tfruns has no page for this run. To show the run, use this command in a terminal:</p>
<pre>tfruns run show --local {run_id}</pre>"""


def html_page(title: str, body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page without scripts that no other page can frame.

    Args:
        title: plain text.
        body: HTML, already escaped.
        status: the HTTP status.
        headers: further headers.
    """
    return HTMLResponse(_LAYOUT.format(title=escape(title), body=body), status, {**_HEADERS, **(headers or {})})


async def _run_page(request: Request) -> Response:
    run_id = request.path_params["run_id"]
    if not _RUN_ID.fullmatch(run_id):
        return PlainTextResponse("not found\n", 404, _HEADERS)
    return html_page(run_id, _RUN.format(run_id=escape(run_id)))


# The Terraform CLI prints the first form. HCP Terraform uses the second.
RUN_PAGES = [
    Route("/app/{organization}/{workspace}/runs/{run_id}", _run_page),
    Route("/app/{organization}/workspaces/{workspace}/runs/{run_id}", _run_page),
]
