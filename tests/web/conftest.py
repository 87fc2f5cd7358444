"""Fixtures of the tests of the pages: the pages beside the API of a local backend, in process, and a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.local.serving import serving
from tests.web.support import Browser, Pages, sign_in
from tfruns.web.beside_api import add_pages


@pytest.fixture
async def pages(store_url: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """The pages of a backend with a workspace `network` that has a configuration."""
    with serving(store_url, tmp_path) as served:
        async with served.client() as http:
            api = served.api(http)
            api.workspace_id = await api.create_workspace()
            await api.configured()
            token = http.headers["authorization"].removeprefix("Bearer ")
            yield Pages(add_pages(served.app, "http://127.0.0.1:8088"), api, token)


@pytest.fixture
async def browser(pages: Pages) -> AsyncIterator[Browser]:
    """A browser with a session."""
    async with pages.browser() as browser:
        await sign_in(browser, pages.token)
        yield browser
