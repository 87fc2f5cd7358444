"""A person in Chromium. A page that runs foreign code, violates its policy or loads from elsewhere fails the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S

_STATUS_OF_A_RESPONSE = "Failed to load resource: the server responded with a status of"


@dataclass
class Chromium:
    """The browser, and the server whose pages it opens."""

    browser: Browser
    server: LocalServer

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
        if not request.url.startswith(self.url):
            self.found.append(f"request: {request.url}")


async def problems(page: Page) -> list[str]:
    """The errors that the page shows."""
    return [text.strip() for text in await page.get_by_role("alert").all_inner_texts()]


async def overflow_px(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    found: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found
