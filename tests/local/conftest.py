"""What the tests of the local backend's API share: a backend of its own for each test, reached in process."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.local.support import BASE_URL, TERRAFORM_VERSION, Api, Clock, Dispatches
from tfruns.local.app import build_app
from tfruns.local.authentication import create_admin
from tfruns.local.backend import Backend, Options
from tfruns.local.documents.signing import Signer
from tfruns.local.rate_limiting import RateLimiter
from tfruns.local.service.workspaces import create_organization
from tfruns.local.store.database import Database
from tfruns.local.store.objects import Objects


@pytest.fixture
async def empty(store_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A backend with the organization `default` and nothing else."""
    database = Database(store_url)
    clock, dispatches = Clock(), Dispatches()
    backend = Backend(database, Objects(tmp_path / "objects"), dispatches, Options(TERRAFORM_VERSION), clock.now)
    token = create_admin(backend)
    with database.write() as write:
        create_organization(backend, write, "default", None)
    app = build_app(backend, Signer(b"k" * 32), RateLimiter(is_limited=False))
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as http:
        yield Api(http, backend, clock, dispatches)
    database.close()


@pytest.fixture
async def api(empty: Api) -> Api:
    """A backend with a workspace `network` that has a configuration."""
    empty.workspace_id = await empty.create_workspace()
    await empty.configured()
    return empty
