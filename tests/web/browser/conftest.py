"""Debian's Chromium and a server with real Terraform, one of each for the tests of a module."""

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Page, async_playwright

from tests.support.gates import PlanGate
from tests.support.local_lab import Lab
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tests.web.browser.support import Chromium


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the tests of a module, which share a browser."""
    return "asyncio"


@pytest.fixture(scope="module")
def server(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("server") / "data", "--force-cancel-after", "0") as server:
        yield server


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str, server: LocalServer) -> AsyncIterator[Chromium]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        yield Chromium(browser, server, program)
        await browser.close()


@pytest.fixture(scope="module")
async def lab(anyio_backend: str, server: LocalServer) -> AsyncIterator[Lab]:
    """Workspaces and runs on the server."""
    async with lab_on(server) as lab:
        yield lab


@pytest.fixture
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    """A page of a person with a session."""
    async with chromium.visitor() as page:
        yield page


@pytest.fixture(scope="module")
def plan_gate() -> Iterator[PlanGate]:
    with PlanGate().serving() as gate:
        yield gate
