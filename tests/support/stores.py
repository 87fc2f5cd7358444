"""The databases for tests of the local backend: SQLite, and PostgreSQL for tests that request both."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.postgresql import NoServer, Server, postgresql_server
from tfruns.local.store.database import Database

NewStore = Callable[[], AbstractContextManager[str]]

# For code that depends on the store: transactions, locks, the queue, searches. Other tests run on SQLite only.
on_both_stores = pytest.mark.parametrize(
    "store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.processes)], indirect=True
)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with empty tables, as a template."""
    path = tmp_path_factory.mktemp("migrated") / "tfruns.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def postgresql(processes: None) -> Iterator[Server]:
    """A PostgreSQL server. If none can be started, the test is skipped with the reason."""
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


@pytest.fixture(scope="session")
def new_sqlite(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> NewStore:
    """Creates an empty database. Each replaces the previous one in the same file, so that they share an engine."""
    file = tmp_path_factory.mktemp("sqlite") / "tfruns.db"

    @contextmanager
    def new() -> Iterator[str]:
        shutil.copyfile(migrated, file)
        try:
            yield f"sqlite:///{file}"
        finally:
            for path in file.parent.iterdir():
                path.unlink()

    return new


@pytest.fixture
def new_store(store: str, request: pytest.FixtureRequest) -> NewStore:
    """Creates a database with empty tables. Only one is used at a time."""
    if store == "postgresql":
        return request.getfixturevalue("postgresql").database  # type: ignore[no-any-return]
    return request.getfixturevalue("new_sqlite")  # type: ignore[no-any-return]


@pytest.fixture
def store_url(new_store: NewStore) -> Iterator[str]:
    """A database with empty tables, for this test only."""
    with new_store() as url:
        yield url
