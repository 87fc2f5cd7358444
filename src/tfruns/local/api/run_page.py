"""The page behind the address of a run that the Terraform CLI prints. It says how to look at the run, no more.

Whoever opens it has no token, so it is the same for every run, also for one that there is not.
"""

import re
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

# HCP Terraform has the second form; the Terraform CLI prints the first.
PATHS = ("/app/{organization}/{workspace}/runs/{run_id}", "/app/{organization}/workspaces/{workspace}/runs/{run_id}")

_RUN_ID = re.compile(r"run-[A-Za-z0-9]{1,64}")
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{run_id}</title>
<style>body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>{run_id}</h1>
<p>This is the local backend of tfruns, which has no pages. In a terminal, this shows the run:</p>
<pre>tfruns run show --local {run_id}</pre>
</html>
"""


async def run_page(request: Request) -> Response:
    """GET /app/:organization/:workspace/runs/:run_id -> 200."""
    run_id = request.path_params["run_id"]
    if not _RUN_ID.fullmatch(run_id):
        return PlainTextResponse("not found\n", 404, PAGE_HEADERS)
    return HTMLResponse(_PAGE.format(run_id=escape(run_id)), 200, PAGE_HEADERS)
