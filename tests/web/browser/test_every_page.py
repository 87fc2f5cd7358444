"""Every page: accessible in both themes, without a horizontal scroll bar, with and without scripts."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from tests.architecture.source import ROOT
from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab
from tests.web.browser.support import THEMES, Chromium, overflow_px, violations
from tests.web.browser.world import PAGES, PageCase, World, seeded

_PICTURES = ROOT / ".cache" / "pictures"
_WIDTHS = (360, 390, 1440, 3840)
_PICTURED = (390, 1440)
_HEIGHT = 900


@pytest.fixture(scope="module")
async def world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    gate = ApplyGate(tmp_path_factory.mktemp("gate"))
    yield await seeded(lab, gate)
    gate.open()
    gate.close()


async def _open(page: Page, world: World, case: PageCase) -> None:
    response = await page.goto(world.path(case))
    assert response is not None
    assert response.status == case.status
    assert case.text in await page.locator("main").inner_text()


async def _opened(chromium: Chromium, world: World) -> AsyncIterator[tuple[str, Page]]:
    """Each page by its name, open in a browser of a visitor with or without a session."""
    for has_session in (True, False):
        async with chromium.visitor(has_session=has_session) as page:
            for name, case in PAGES.items():
                if case.has_session is has_session:
                    await _open(page, world, case)
                    yield name, page


async def test_no_page_violates_a_rule_of_axe(chromium: Chromium, world: World) -> None:
    found = []
    async for name, page in _opened(chromium, world):
        found += [f"{name}, {violation}" for violation in await violations(page)]
    assert "\n".join(found) == ""


async def test_every_page_fits_every_window_and_is_pictured(chromium: Chromium, world: World) -> None:
    _PICTURES.mkdir(parents=True, exist_ok=True)
    too_wide = []
    async for name, page in _opened(chromium, world):
        for width in _WIDTHS:
            await page.set_viewport_size({"width": width, "height": _HEIGHT})
            if (wider := await overflow_px(page)) > 0:
                too_wide.append(f"{name} at {width} px: {wider} px too wide")
            if width in _PICTURED:
                await _take_pictures(page, f"{name}-{width}")
    assert "\n".join(too_wide) == ""


async def _take_pictures(page: Page, name: str) -> None:
    for theme in THEMES:
        await page.emulate_media(color_scheme=theme)
        await page.screenshot(path=_PICTURES / f"{name}-{theme}.png", full_page=True, animations="disabled")


async def test_every_page_shows_the_same_without_scripts(chromium: Chromium, world: World) -> None:
    for has_session in (True, False):
        async with chromium.visitor(has_session=has_session, java_script_enabled=False) as page:
            for case in PAGES.values():
                if case.has_session is has_session:
                    await _open(page, world, case)
