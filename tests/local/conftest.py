"""Fixtures of the tests of the local backend: a separate backend for each test, in process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.local.serving import serving
from tests.local.support import Api


@pytest.fixture
async def empty(store_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A backend with the organization `default` and nothing else."""
    with serving(store_url, tmp_path) as served:
        async with served.client() as http:
            yield served.api(http)


@pytest.fixture
async def api(empty: Api) -> Api:
    """A backend with a workspace `network` that has a configuration."""
    empty.workspace_id = await empty.create_workspace()
    await empty.configured()
    return empty
