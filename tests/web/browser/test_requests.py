"""The page of an assistant's request, beside `tfruns mcp`, on a real run."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, expect

from tests.architecture.source import ROOT
from tests.support.local_lab import Lab
from tests.web.browser.support import Chromium, decide, overflow_px
from tfruns.errors import ConfirmationNeeded, Declined
from tfruns.gate.audit import AuditLog
from tfruns.gate.pipeline import Gate
from tfruns.gate.registry import find_tool
from tfruns.policy import Confirm, Policy
from tfruns.web.loopback import LoopbackPages
from tfruns.wire.runs import Run

_PICTURES = ROOT / ".cache" / "pictures"
_TWO = 'resource "terraform_data" "one" {\n  input = "1"\n}\nresource "terraform_data" "two" {\n  input = "2"\n}\n'


class Assistant:
    """An assistant whose calls need a decision on a page."""

    def __init__(self, lab: Lab, chromium: Chromium, audit: AuditLog) -> None:
        async def connect() -> Any:
            return lab.client

        self.pages = LoopbackPages(connect, Policy(), command="tfruns mcp")
        self.gate = Gate(
            lab.client,
            Policy(confirm=Confirm.PAGE),
            caller="Claude Code",
            caller_version="2.1.332",
            pages=self.pages,
            audit=audit,
        )
        self._chromium = chromium

    async def call(self, tool: str, run: Run) -> Any:
        return await self.gate.call(find_tool(tool), {"run_id": run.id, "comment": "as agreed"})

    async def link(self, tool: str, run: Run) -> str:
        """The link in the refusal of a call."""
        with pytest.raises(ConfirmationNeeded) as refused:
            await self.call(tool, run)
        return str(refused.value.facts["link"])

    async def person(self) -> "Beside":
        """A person in the browser, with a session of these pages."""
        url = (await self.pages.started()).url
        return Beside(self._chromium.browser, SimpleNamespace(url=url), self._chromium.program, self.pages)


class Beside(Chromium):
    """The browser of a person whose session is one of the pages of an assistant."""

    def __init__(self, browser: Any, server: Any, program: str, pages: LoopbackPages) -> None:
        super().__init__(browser, server, program)
        self._pages = pages

    async def link(self, path: str = "") -> str:
        return await self._pages.link(path or "/app/default")


@pytest.fixture
async def assistant(lab: Lab, chromium: Chromium, tmp_path: Any) -> AsyncIterator[Assistant]:
    assistant = Assistant(lab, chromium, AuditLog(tmp_path / "audit.jsonl"))
    yield assistant
    await assistant.pages.aclose()


async def destroying(lab: Lab, name: str) -> Run:
    workspace = await lab.workspace(_TWO, name=name)
    await lab.applied(workspace)
    return await lab.planned(workspace, is_destroy=True)


async def _check(page: Page, name: str) -> None:
    """The page is accessible in both themes, and fits every window; keep its pictures."""
    found = []
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        report = await Axe().run(page)
        violations = report.response["violations"]
        found += [f"{theme}: {rule['id']}: {rule['nodes'][0]['html']}" for rule in violations]
        for width in (360, 390, 1440, 3840):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await overflow_px(page) <= 0, f"{name} at {width} px"
            if width in {390, 1440}:
                await page.screenshot(path=_PICTURES / f"{name}-{width}-{theme}.png", full_page=True)
    assert found == []


async def test_person_confirms_and_the_waiting_call_applies(assistant: Assistant, lab: Lab) -> None:
    run = await destroying(lab, "asked-for")
    link = await assistant.link("apply_run", run)
    person = await assistant.person()
    async with person.visitor() as page, anyio.create_task_group() as tasks:
        tasks.start_soon(assistant.call, "apply_run", run)
        await page.goto(link)
        text = await page.locator("main").inner_text()
        for shown in ("An assistant asks: Apply a run", "Claude Code 2.1.332", "terraform_data.one", "2 to destroy"):
            assert shown in text
        await _check(page, "request-open")
        await decide(page, "Apply", workspace_name="asked-fur")
        await expect(page.get_by_role("alert")).to_contain_text("workspace name does not match")
        await decide(page, "Apply", workspace_name="asked-for")
        await expect(page.get_by_role("status").first).to_contain_text("confirmed this call")
        await _check(page, "request-confirmed")
    await lab.until(run, "applied")


async def test_person_refuses_without_scripts(assistant: Assistant, lab: Lab) -> None:
    run = await destroying(lab, "refused")
    link = await assistant.link("apply_run", run)
    person = await assistant.person()
    async with person.visitor(java_script_enabled=False) as page:
        await page.goto(link)
        await page.get_by_role("button", name="Decline").click()
        assert "declined this call. Nothing was sent." in await page.locator("main").inner_text()
    with pytest.raises(Declined):
        await assistant.call("apply_run", run)
    assert await lab.status(run) == "planned"


async def test_changed_run_takes_no_decision(assistant: Assistant, lab: Lab) -> None:
    run = await destroying(lab, "changed-run")
    link = await assistant.link("apply_run", run)
    person = await assistant.person()
    async with person.visitor() as page:
        await page.goto(link)
        await lab.client.runs.discard(run.id)
        await decide(page, "Apply", workspace_name="changed-run")
        await expect(page.get_by_role("alert").last).to_contain_text("has changed since the assistant asked")
        assert await page.get_by_role("button", name="Apply", exact=True).count() == 0
        await _check(page, "request-changed")
    assert await lab.status(run) == "discarded"


async def test_page_without_a_session_is_accessible(assistant: Assistant, lab: Lab, monkeypatch: Any) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    link = await assistant.link("discard_run", await destroying(lab, "stranger"))
    person = await assistant.person()
    async with person.visitor(has_session=False) as page:
        await page.goto(link)
        await expect(page.get_by_role("button", name="Open in my browser")).to_be_visible()
        await _check(page, "request-sign-in")
