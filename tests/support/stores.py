"""The databases that tests of the local backend run on: SQLite always, PostgreSQL for those that ask for both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import NoServer, Server, postgresql_server
from tfruns.local.store.database import Database

# For what depends on the store: transactions, locks, the queue, searches. The rest need not be run twice.
on_both_stores = pytest.mark.parametrize(
    "store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.processes)], indirect=True
)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "tfruns.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def postgresql(processes: None) -> Iterator[Server]:
    """A PostgreSQL server; where none can be started the test is skipped, and says why."""
    try:
        with postgresql_server() as server:
            yield server
    except NoServer as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def own_postgresql(processes: None) -> Iterator[Server]:
    """A PostgreSQL server that a test may restart; no other test uses it at the same time."""
    try:
        with postgresql_server() as server:
            yield server
    except NoServer as reason:
        pytest.skip(str(reason))


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """The kind of the store."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def store_url(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database for this test alone, with all tables and nothing in them."""
    if store == "postgresql":
        with request.getfixturevalue("postgresql").database() as url:
            yield url
    else:
        shutil.copyfile(request.getfixturevalue("migrated"), tmp_path / "tfruns.db")
        yield f"sqlite:///{tmp_path / 'tfruns.db'}"
