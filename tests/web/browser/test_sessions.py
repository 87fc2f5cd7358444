"""Sessions in a browser, and what another website can do with them: nothing."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.support.local_lab import Lab
from tests.support.local_server import LocalServer
from tests.web.browser.support import Chromium, expect_problem, open_run, sign_in

ONE = 'resource "terraform_data" "one" { input = "1" }'


async def _asks_to_sign_in(page: Page, path: str = "/app/default") -> None:
    response = await page.goto(path)
    assert response is not None
    assert response.status == 401
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_link_works_once_and_a_copy_of_it_never(chromium: Chromium) -> None:
    link = await chromium.link("/app/default/workspaces")
    async with chromium.visitor(has_session=False) as owner, chromium.visitor(has_session=False) as thief:
        await sign_in(owner, link)
        await expect(owner.get_by_role("heading", name="Workspaces")).to_be_visible()
        await thief.goto(link)
        await expect_problem(thief, "This link has expired or was already used")
        await _asks_to_sign_in(thief)
        await owner.goto(link)  # the person's own second use
        await expect_problem(owner, "This link has expired or was already used")


async def test_a_preview_of_a_link_does_not_use_it(chromium: Chromium) -> None:
    link = await chromium.link()
    async with chromium.visitor(has_session=False, java_script_enabled=False) as preview:
        await preview.goto(link)
        await expect(preview.get_by_role("button", name="Continue")).to_be_visible()
    async with chromium.visitor(has_session=False) as person:
        await sign_in(person, link)
        await expect(person.get_by_role("button", name="Sign out")).to_be_visible()


async def test_the_token_typed_begins_a_session_and_signing_out_ends_it(chromium: Chromium) -> None:
    async with chromium.visitor(has_session=False, java_script_enabled=False) as page:
        await _asks_to_sign_in(page, "/app/default/workspaces")
        await page.get_by_label("API token").fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await expect_problem(page, "The API token is not valid")
        await page.get_by_label("API token").fill(chromium.server.token)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await page.go_back()  # nothing is cached
        await _asks_to_sign_in(page)


async def test_scripts_cannot_read_the_cookie(page: Page) -> None:
    assert await page.evaluate("document.cookie") == ""
    [cookie] = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/app")


@contextmanager
def _foreign_site(html: str) -> Iterator[int]:
    """The port of another website."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])  # the second is the same site: its cookies are sent
async def test_another_website_can_neither_decide_nor_frame_nor_read(chromium: Chromium, lab: Lab, host: str) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    async with chromium.visitor() as page:
        await open_run(page, run)
        target = page.url
        form = page.locator("form", has=page.get_by_role("button", name="Discard", include_hidden=True))
        inputs = [await field.evaluate("field => field.outerHTML") for field in await form.locator("input").all()]
        # The attacker even knows the CSRF token.
        html = f'<iframe src="{target}"></iframe><form method="post" action="{target}">{"".join(inputs)}<button>Win'
        with _foreign_site(html) as port:
            foreign = await page.context.browser.new_page() if page.context.browser else page
            await foreign.context.add_cookies(await page.context.cookies())  # type: ignore[arg-type]  # its own type
            await _attack(foreign, f"http://{host}:{port}", target)
            await foreign.context.close()
    assert await lab.status(run) == "planned"


async def _attack(page: Page, site: str, target: str) -> None:
    await page.goto(site)
    assert "workspaces" not in await page.frames[-1].content()
    read = "url => fetch(url, {credentials: 'include'}).then(() => 'read', () => 'refused')"
    assert await page.evaluate(read, target) == "refused"
    async with page.expect_navigation() as navigation:
        await page.get_by_role("button", name="Win").click()
    response = await (await navigation.value).request.response()
    assert response is not None
    assert response.status in {401, 403}


async def test_a_foreign_host_name_that_resolves_to_the_server_shows_nothing(chromium: Chromium) -> None:
    """DNS rebinding: the page of an attacker's host name is served by this server."""
    async with async_playwright() as playwright:
        program = chromium.program
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--host-resolver-rules=MAP attacker.example 127.0.0.1"]
        )
        page = await browser.new_page()
        port = chromium.server.url.rpartition(":")[2]
        response = await page.goto(f"http://attacker.example:{port}/app")
        assert response is not None
        assert response.status == 421
        assert await page.locator("a, form, input").count() == 0
        await browser.close()


@pytest.fixture
def short_lived(processes: None, tmp_path: Path) -> Iterator[LocalServer]:
    """A server whose sessions last two seconds."""
    fault = "import tfruns.web.sessions\ntfruns.web.sessions.SESSION_LIFETIME_S = 2.0"
    with LocalServer(tmp_path / "data", fault=fault) as server:
        yield server


async def test_an_expired_session_asks_to_sign_in(chromium: Chromium, short_lived: LocalServer) -> None:
    async with Chromium(chromium.browser, short_lived, chromium.program).visitor() as page:
        async with asyncio.timeout(30):
            while (response := await page.reload()) is None or response.status != 401:
                await page.wait_for_timeout(200)
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_session_of_an_earlier_start_of_the_server_is_over(
    chromium: Chromium, processes: None, tmp_path: Path
) -> None:
    with LocalServer(tmp_path / "data") as server:
        async with Chromium(chromium.browser, server, chromium.program).visitor() as page:
            await page.goto("/app/default/workspaces")
            await expect(page.get_by_role("heading", name="Workspaces")).to_be_visible()
            cookies = await page.context.cookies()
            server.stop()
            url = server.url
            server.restart()
            assert server.url == url  # the same port, so the browser sends the cookie again
            await _asks_to_sign_in(page)
            assert await page.context.cookies() == cookies
