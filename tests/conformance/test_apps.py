"""The review in the chat, in the host library of MCP Apps and Debian's Chromium: it shows, and decides nothing."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FrameLocator, Page, async_playwright, expect

from tests.conformance.installed import require
from tests.conformance.node_tools import APP_BRIDGE, ESBUILD, INSTALLED
from tests.e2e.calls import RUN, script
from tests.support import samples
from tests.support.api import TOKEN, answer
from tests.support.http_api import HttpApi
from tests.support.stdio import Message, StdioServer, environment

SHOWS: Message = {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}}
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _installed(processes: None) -> None:
    require([APP_BRIDGE, ESBUILD])


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """The host as one script."""
    host = INSTALLED / "app_host.js"  # beside the packages that it imports
    shutil.copyfile(Path(__file__).with_name("app_host.js"), host)
    made = tmp_path / "host.js"
    subprocess.run([ESBUILD, host, "--bundle", "--format=iife", f"--outfile={made}", "--log-level=error"], check=True)
    return made.read_text(encoding="utf-8")


@pytest.fixture
async def page(bundle: str) -> AsyncIterator[Page]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: complaints.append(request.url))
        await page.set_content("<!doctype html><title>Host</title><body></body>")
        await page.add_script_tag(content=bundle)
        yield page
        assert complaints == []
        await browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with HttpApi() as api:
        script(api)
        run = {"data": samples.planned(message=HOSTILE), "included": [samples.workspace(), samples.user()]}
        api.routes.pop(("GET", f"/api/v2/runs/{RUN}"))
        api.on("GET", f"/runs/{RUN}", answer(run))
        env = environment(tmp_path, TFE_ADDRESS=api.address, TFE_TOKEN=TOKEN)
        with StdioServer(env=env, log=tmp_path / "stderr.log", capabilities=SHOWS) as server:
            yield server


async def show(page: Page, server: StdioServer, tool: str, *, opens_links: bool = True) -> FrameLocator:
    """Call a tool, and show its result as the host does."""
    (contents,) = server.result("resources/read", {"uri": "ui://tfruns/review.html"})["contents"]
    result = server.call(tool, {"run_id": RUN})
    arguments = [contents["text"], contents["_meta"]["ui"]["csp"], result, opens_links]
    await page.evaluate("([html, csp, result, opens]) => window.showApp(html, csp, result, opens)", arguments)
    return page.frame_locator("iframe")


async def test_the_chat_shows_the_review_and_its_button_opens_the_page(page: Page, server: StdioServer) -> None:
    for tool in ("review_run", "wait_for_run"):
        await page.evaluate("document.body.replaceChildren(); window.opened.length = 0")
        frame = await show(page, server, tool)
        await expect(frame.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        await expect(frame.get_by_text("1 to add, 0 to change, 0 to destroy").first).to_be_visible()
        assert await frame.locator("form").evaluate_all("forms => forms.every(form => !form.checkVisibility())")
        await frame.get_by_role("button", name="Decide in the browser").click()
        await page.wait_for_function("window.opened.length === 1")
        (url,) = await page.evaluate("window.opened")
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith(f"/app/-/runs/{RUN}")
        assert await page.evaluate("window.requests") == [], "the chat calls no tool and sends no message"
        assert await page.evaluate("window.sizes.length") > 0
        assert await frame.locator("html").evaluate("html => html.style.colorScheme") == "dark"
    assert await page.title() == "Host"


async def test_a_host_that_opens_no_links_shows_the_address(page: Page, server: StdioServer) -> None:
    frame = await show(page, server, "review_run", opens_links=False)
    await frame.get_by_role("button", name="Decide in the browser").click()
    await expect(frame.get_by_role("status")).to_contain_text(f"/app/-/runs/{RUN}")
