"""A person in Chromium. A page that runs foreign code, violates its policy or loads from elsewhere fails the test."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, expect

from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S
from tfruns.wire.runs import Run

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_STATUS_OF_A_RESPONSE = "Failed to load resource: the server responded with a status of"


@dataclass
class Chromium:
    """The browser, the server whose pages it opens, and the path of the browser's program."""

    browser: Browser
    server: LocalServer
    program: str

    async def link(self, path: str = "") -> str:
        """A link that begins a session, and leads to a page."""
        async with self.server.http() as http:
            answer = await http.post("/app/-/links")
        assert answer.status_code == 201, answer.text
        to = str(httpx2.QueryParams({"to": path})) if path else ""
        return f"{self.server.url}{answer.json()['path']}?{to}"

    @asynccontextmanager
    async def visitor(self, *, has_session: bool = True, **options: Any) -> AsyncIterator[Page]:
        """A page of a new person.

        Args:
            has_session: whether the person has opened a link.
            options: the options of the browser context: size, colors, whether scripts run.
        """
        context = await self.browser.new_context(base_url=self.server.url, **options)
        context.set_default_timeout(PATIENCE_S * 1000)
        complaints = Complaints(context, self.server.url)
        try:
            page = await context.new_page()
            if has_session:
                await sign_in(page, await self.link(), has_script=options.get("java_script_enabled", True))
            yield page
            assert complaints.found == []
        finally:
            await context.close()


async def sign_in(page: Page, link: str, *, has_script: bool = True) -> None:
    """Open a link. A script presses its button if scripts run."""
    await page.goto(link)
    if not has_script:
        await page.get_by_role("button", name="Continue").click()
    await page.wait_for_url(lambda url: "/-/" not in url)


@dataclass
class Complaints:
    """What a browser reports about the pages of a context: errors, violations of the policy, and foreign requests."""

    context: BrowserContext
    url: str
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.found.append(f"script: {error.error}"))
        self.context.on("dialog", self._dialog)
        self.context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_STATUS_OF_A_RESPONSE):
            self.found.append(f"console: {message.text}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.found.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: Request) -> None:
        own = self.url, self.url.replace("127.0.0.1", "localhost")
        if not request.url.startswith(own):
            self.found.append(f"request: {request.url}")


async def open_run(page: Page, run: Run) -> None:
    """Open the page of a run. Its URL with another workspace is redirected."""
    await page.goto(f"/app/default/workspaces/any/runs/{run.id}")


async def decide(page: Page, button: str, *, comment: str = "", workspace_name: str = "") -> None:
    """Press the button of a decision, after its form is unfolded and filled in."""
    form = page.locator("form", has=page.get_by_role("button", name=button, exact=True, include_hidden=True))
    fold = page.locator("details", has=form)
    if await fold.count() and await fold.get_attribute("open") is None:
        await fold.locator("summary").click()
    if comment:
        await form.get_by_label("Comment").fill(comment)
    if workspace_name:
        await form.get_by_label("Workspace name").fill(workspace_name)
    async with page.expect_navigation():
        await form.get_by_role("button", name=button, exact=True).click()


async def expect_no_problem(page: Page) -> None:
    """The page shows no error. It may load itself again meanwhile."""
    await expect(page.locator("h1")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_text([])


async def expect_problem(page: Page, text: str) -> None:
    """The page shows an error with this text."""
    await expect(page.get_by_role("alert").first).to_contain_text(text)


async def expect_status(page: Page, status: str) -> None:
    """The page of a run shows this status, or will. The symbol before it is for the eyes only."""
    await expect(page.locator(".badge").first).to_have_text(re.compile(rf"\b{status}$"))


async def violations(page: Page) -> list[str]:
    """The rules of axe-core that the page violates, in each theme."""
    found = []
    for theme in THEMES:
        await page.emulate_media(color_scheme=theme)
        report = await Axe().run(page)
        found += [
            f"{theme}: {violation['id']}: {node['target']} {node['html'][:120]}"
            for violation in report.response["violations"]
            for node in violation["nodes"]
        ]
    return found


async def overflow_px(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    found: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found
