"""The web pages: first bytes of large run pages, sizes, live log lines in a real browser, and many open pages.

Terraform is real. The baseline of the first bytes is a GET of the style sheet by the same server, that of the open
pages the processor time of the server during the same apply without pages.
"""

import asyncio
import html
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import anyio
import httpx2

from bench.local_runs import Server, cpu_s, create_workspace, http_client, serving
from bench.measure import Row, compile_sources
from tfruns import Client, RunParams

_SIZES = {500: 120.0, 5_000: 400.0}
_ROUNDS = 9
_COLD_ROUNDS = 3
_PAGES = 50
_LINES = 25
_FOLLOWED_S = 20.0
_WITHIN_S = 600.0
_SIGN_IN_S = 0.5  # between the page to sign in and its form; a person needs longer
_STATIC = Path(__file__).parents[1] / "src" / "tfruns" / "web" / "static"


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    rows, notes = _sizes(), []
    if shutil.which("terraform") is None:
        return rows, ["skipped all but the sizes: `terraform` is not on the PATH"]
    compile_sources()
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        with serving(data) as server:
            paths = {changes: anyio.run(_planned, server, changes) for changes in _SIZES}
        for changes, at_most in _SIZES.items():
            rows += _first_bytes(data, changes, paths[changes], at_most)
        with serving(data) as server:
            rows.append(anyio.run(_open_pages, server))
            chromium = shutil.which("chromium")
            if chromium is None:
                notes.append("log lines in a browser: skipped, `chromium` is not on the PATH")
            else:
                rows += anyio.run(_log_lines, server, chromium)
    notes.append(
        f"first bytes: medians of {_ROUNDS} with an open plan (warm), of {_COLD_ROUNDS} in a server that was just "
        f"started (cold); {_LINES} log lines; {_PAGES} pages for {_FOLLOWED_S:.0f} s"
    )
    return rows, notes


def _sizes() -> list[Row]:
    return [
        Row(
            f"size of the {name}",
            sum(path.stat().st_size for path in _STATIC.glob(f"*.{suffix}")),
            "bytes",
            at_most=20_000,
        )
        for name, suffix in (("script", "js"), ("style sheet", "css"))
    ]


# -- first bytes ------------------------------------------------------------------------------------------------------


def _configuration(changes: int) -> str:
    """A configuration with this many resources, a hundred in each block: Terraform is slow with large blocks."""
    return "".join(
        f"""
        resource "terraform_data" "server_{block}" {{
          for_each = toset([for n in range(100) : format("server-%03d", n)])
          input    = {{ name = each.key, zone = "zone-${{substr(each.key, -1, 1)}}", size = length(each.key) }}
        }}
        """
        for block in range(changes // 100)
    )


async def _planned(server: Server, changes: int) -> str:
    """The path of the page of a new run with this number of changes, which waits for confirmation."""
    async with http_client(server) as http, Client(server.url, server.token) as client:
        workspace = await create_workspace(http, f"large-{changes}", _configuration(changes))
        run = await client.runs.create(workspace, RunParams())
        await _until(client, run.id, "planned")
    return f"/app/default/workspaces/large-{changes}/runs/{run.id}"


async def _until(client: Client, run_id: str, status: str) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while (current := await client.runs.read(run_id)).status != status:
        if current.status == "errored" or time.monotonic() > deadline:
            raise RuntimeError(f"{run_id} is {current.status}")
        await anyio.sleep(0.05)


def _first_bytes(data: Path, changes: int, path: str, at_most: float) -> list[Row]:
    colds: list[float] = []
    for _ in range(_COLD_ROUNDS):
        with serving(data) as server:
            cold, warms, baselines = anyio.run(_request_page, server, path)
            colds.append(cold)
    baseline = statistics.median(baselines)
    name = f"first byte of a page with {changes:,} changes"
    return [
        Row(f"{name}, cold", statistics.median(colds), "ms", baseline, at_most=at_most),
        Row(f"{name}, warm", statistics.median(warms), "ms", baseline, at_most=at_most),
    ]


async def _request_page(server: Server, path: str) -> tuple[float, list[float], list[float]]:
    """The first byte of a page in ms: of the first request to a server, and of later ones, each with a baseline."""
    async with _signed_in(server) as http:
        cold = await _first_byte_ms(http, path)
        warms, baselines = [], []
        for _ in range(_ROUNDS):
            warms.append(await _first_byte_ms(http, path))
            baselines.append(await _first_byte_ms(http, "/app/-/static/tfruns.css"))
    return cold, warms, baselines


@asynccontextmanager
async def _signed_in(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser with a session, which began as that of a person: with the page to sign in."""
    async with httpx2.AsyncClient(base_url=server.url, headers={"origin": server.url}, timeout=_WITHIN_S) as http:
        await http.get("/app")
        await anyio.sleep(_SIGN_IN_S)
        answer = await http.post("/app/-/sign-in", data={"token": server.token})
        if answer.status_code != 303:
            raise RuntimeError(f"the sign-in failed: {answer.text}")
        yield http


async def _first_byte_ms(http: httpx2.AsyncClient, path: str) -> float:
    start = time.perf_counter()
    async with http.stream("GET", path) as response:
        async for _ in response.aiter_raw():
            break
        found = (time.perf_counter() - start) * 1000
        if response.status_code != 200:
            raise RuntimeError(f"{path}: {response.status_code}")
    return found


# -- open pages -------------------------------------------------------------------------------------------------------


def _talking(lines: int, period_s: float) -> str:
    """A configuration whose apply writes a line with its time in ms, again and again."""
    command = f"for n in $(seq {lines}); do echo AT $(date +%s%3N) OK; sleep {period_s}; done"
    return f'resource "terraform_data" "a" {{\n provisioner "local-exec" {{ command = "{command}" }}\n}}\n'


async def _applying(client: Client, http: httpx2.AsyncClient, name: str, text: str) -> tuple[str, str]:
    """The id of a run whose apply has begun, and the path of its page."""
    workspace = await create_workspace(http, name, text)
    run = await client.runs.create(workspace, RunParams(auto_apply=True))
    await _until(client, run.id, "applying")
    return run.id, f"/app/default/workspaces/{name}/runs/{run.id}"


async def _open_pages(server: Server) -> Row:
    """The processor time that open pages add to that of the same apply without pages, as a share of one core."""
    shares = []
    for pages in (0, _PAGES):
        async with http_client(server) as api, Client(server.url, server.token) as client, _signed_in(server) as http:
            text = _talking(int((_FOLLOWED_S + 60) / 0.25), 0.25)
            run_id, path = await _applying(client, api, f"talking-{pages}", text)
            async with AsyncExitStack() as stack:
                tasks = [
                    stack.enter_context(_Reading(await _events_url(http, path), server, http)) for _ in range(pages)
                ]
                await anyio.sleep(1)
                shares.append(await _cpu_share(server.pid))
                if not all(task.lines for task in tasks):
                    raise RuntimeError("a page got no log line")
            await client.runs.cancel(run_id)
            await _until(client, run_id, "canceled")
    return Row(
        f"{_PAGES} open pages of an apply", 100 * (shares[1] - shares[0]), "% of a core", 100 * shares[0], at_most=15
    )


async def _events_url(http: httpx2.AsyncClient, path: str) -> str:
    """The address of the live updates of a page, as its script composes it."""
    text = (await http.get(path)).text
    [element] = re.findall(r'<div id="live"[^>]*>', text)
    data = {name: html.unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', element)}
    return f"{data.pop('events')}?{urlencode(data)}"


class _Reading:
    """An open page, which reads its live updates."""

    def __init__(self, url: str, server: Server, http: httpx2.AsyncClient) -> None:
        self.lines = 0
        self._url = url
        # A connection for each page, as in a browser.
        self._http = httpx2.AsyncClient(base_url=server.url, cookies=dict(http.cookies), timeout=None)

    def __enter__(self) -> "_Reading":
        self._task = asyncio.ensure_future(self._read())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()

    async def _read(self) -> None:
        async with self._http, self._http.stream("GET", self._url) as response:
            async for line in response.aiter_lines():
                self.lines += line == "event: log"


async def _cpu_share(pid: int) -> float:
    """The processor time of a process during a while, as a share of the time."""
    start, before = time.perf_counter(), cpu_s(pid)
    await anyio.sleep(_FOLLOWED_S)
    return (cpu_s(pid) - before) / (time.perf_counter() - start)


# -- log lines --------------------------------------------------------------------------------------------------------

_OBSERVE = """() => {
    window.arrivals = [];
    const seen = new Set();
    const look = () => {
        for (const [, at] of document.body.innerText.matchAll(/AT (\\d{13}) OK/g))
            if (!seen.has(at)) { seen.add(at); window.arrivals.push([Number(at), Date.now()]); }
    };
    look();
    window.arrivals = [];
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


async def _log_lines(server: Server, chromium: str) -> list[Row]:
    """How long a line takes from Terraform's command into the document of a real browser."""
    from playwright.async_api import async_playwright

    async with http_client(server) as api, Client(server.url, server.token) as client, async_playwright() as playwright:
        run_id, path = await _applying(client, api, "lines", _talking(8 * _LINES, 0.37))
        browser = await playwright.chromium.launch(executable_path=chromium)
        page = await browser.new_page()
        code = (await api.post("/app/-/links")).json()["path"]
        await page.goto(f"{server.url}{code}?{urlencode({'to': path})}")
        await page.wait_for_url(f"**{path}")
        await page.evaluate(_OBSERVE)
        await page.wait_for_function("count => window.arrivals.length >= count", arg=_LINES, timeout=60_000)
        arrivals: list[Sequence[float]] = await page.evaluate("window.arrivals")
        await browser.close()
        await client.runs.cancel(run_id)
    times = sorted(arrived - written for written, arrived in arrivals)
    return [
        Row("a log line is in the browser, p50", statistics.median(times), "ms"),
        Row("a log line is in the browser, slowest", times[-1], "ms", at_most=300),
    ]
