"""A backend for a test, with nothing in it but the organization `default`, and the ways to reach it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import event
from starlette.types import ASGIApp

from tests.local.support import BASE_URL, TERRAFORM_VERSION, Api, Clock, Dispatches
from tfruns.local.api.app import build_app
from tfruns.local.api.authentication import create_admin
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.signer import Signer
from tfruns.local.backend import Backend
from tfruns.local.service.workspaces import create_organization
from tfruns.local.store.database import Database
from tfruns.local.store.objects import Objects
from tfruns.local.terraform import slug
from tfruns.local.terraform.slug_process import ArchiveProcesses
from tfruns.local.token_cache import TokenCache


@dataclass(frozen=True, slots=True)
class Served:
    """A backend and its application."""

    app: ASGIApp
    backend: Backend
    clock: Clock
    dispatches: Dispatches

    def client(self, username: str = "admin", address: str | None = None) -> httpx2.AsyncClient:
        """A separate client for a user: in process, unless the application has an address."""
        headers = {"authorization": f"Bearer {create_admin(self.backend, username)}"}
        if address is not None:
            return httpx2.AsyncClient(base_url=address, headers=headers, trust_env=False)
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url=BASE_URL, headers=headers)

    def api(self, http: httpx2.AsyncClient) -> Api:
        """What tests use, by way of a client."""
        return Api(http, self.app, self.backend, self.clock, self.dispatches)


class _ArchivesInProcess(ArchiveProcesses):
    """Checks archives with the same code, without a process for each: the processes have tests of their own."""

    def check(self, archive: Path) -> None:
        slug.check(archive)


@contextmanager
def serving(url: str, directory: Path) -> Iterator[Served]:
    """A backend on a database that is empty, with its objects below a directory."""
    database = _database(url)
    try:
        with _served(database, directory) as served:
            yield served
    finally:
        database.close()


@cache
def _database(url: str) -> Database:
    """The same for all tests, although its content differs: SQLAlchemy compiles each statement once for an engine."""
    database = Database(url)
    if url.startswith("sqlite"):
        event.listen(database.engine, "connect", _without_waiting_for_the_disk)
    return database


def _without_waiting_for_the_disk(connection: Any, _: Any) -> None:
    """No test of a backend in process cuts the power; the setting itself has a test in `test_store`."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def _served(database: Database, directory: Path) -> Iterator[Served]:
    clock, dispatches = Clock(), Dispatches()
    tokens = TokenCache(lambda: clock.now().timestamp())
    objects = Objects(directory / "objects")
    backend = Backend(database, objects, dispatches, TERRAFORM_VERSION, now=clock.now, tokens=tokens)
    with database.write() as write:
        create_organization(backend, write, "default", None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tfruns.local.api.objects.ARCHIVES", _ArchivesInProcess())
        yield Served(build_app(backend, Signer(b"k" * 32), RateLimiter(is_limited=False)), backend, clock, dispatches)
