"""The database and the objects."""

import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Column, inspect, select, text
from sqlalchemy.exc import DBAPIError

from tests.local.support import Clock
from tests.support.stores import on_both_stores
from tfruns.local.store.database import Database
from tfruns.local.store.migrations.upgrade import DatabaseTooNew
from tfruns.local.store.objects import Objects
from tfruns.local.store.schema import REVISION, Base, OrganizationRow, RunRow


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    database = Database(store_url)
    yield database
    database.close()


def _organization(name: str, email: str | None = None) -> OrganizationRow:
    return OrganizationRow(name=name, email=email, default_project_id=f"prj-{name}", created_at=Clock().now())


def _names(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(OrganizationRow.name).order_by(OrganizationRow.name)))


def _is_another_default(
    _: object, __: object, column: Column[Any], found: str | None, ___: object, expected: str | None
) -> bool | None:
    """PostgreSQL cannot compare JSON, so the texts are compared; None leaves the comparison to Alembic."""
    if not isinstance(column.type, JSON):
        return None
    return (found or "").partition("::")[0].strip("'") != (expected or "").strip("'")


@on_both_stores
def test_migrations_create_the_tables_of_the_schema(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": _is_another_default})
        assert compare_metadata(context, Base.metadata) == []


def test_revision_of_the_schema_is_that_of_the_last_migration() -> None:
    assert ScriptDirectory(str(files("tfruns.local.store") / "migrations")).get_current_head() == REVISION


@on_both_stores
def test_current_database_is_opened_without_alembic(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tfruns.local.store.migrations.upgrade", None)  # an import of it fails
    database.migrate()
    assert _names(database) == []


@on_both_stores
def test_active_run_index_covers_only_held_workspaces(database: Database) -> None:
    # compare_metadata does not check the condition of an index.
    found = next(index for index in inspect(database.engine).get_indexes("runs") if index["name"] == "one_active_run")
    assert found["unique"]
    expected = {"sqlite": "holds_workspace = 1", "postgresql": "holds_workspace"}
    kind = database.engine.dialect.name
    assert str(found["dialect_options"][f"{kind}_where"]) == expected[kind]


def test_active_run_is_found_by_its_index(database: Database) -> None:
    held = select(RunRow.id).where(RunRow.workspace_id == "ws-1", RunRow.holds_workspace)
    text_of_it = held.compile(database.engine, compile_kwargs={"literal_binds": True})
    with database.read() as session:
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {text_of_it}")).all()
    assert "USING INDEX one_active_run" in plan[0].detail


@on_both_stores
def test_second_migration_changes_nothing(database: Database) -> None:
    with database.write() as write:
        write.session.add(_organization("default"))
    database.migrate()
    assert _names(database) == ["default"]


@on_both_stores
def test_database_of_a_newer_version_is_refused_unchanged(database: Database) -> None:
    with database.write() as write:
        write.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="newer version of tfruns"):
        database.migrate()
    with database.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


@on_both_stores
def test_write_is_atomic_and_after_commit_runs_only_then(database: Database) -> None:
    done: list[str] = []

    def fail() -> None:
        with database.write() as write:
            write.session.add(_organization("half"))
            write.session.flush()
            write.after_commit.append(lambda: done.append("half"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.write() as write:
        write.session.add(_organization("whole"))
        write.after_commit.append(lambda: done.append(",".join(_names(database))))
        write.after_commit.append(lambda: done.append("second"))
    assert done == ["whole", "second"]


@on_both_stores
def test_concurrent_writes_wait_for_each_other(database: Database) -> None:
    # On SQLite, without BEGIN IMMEDIATE, a read that becomes a write fails immediately ("database is locked").
    with database.write() as write:
        write.session.add(
            OrganizationRow(name="default", email="0", default_project_id="prj-1", created_at=Clock().now())
        )

    def count() -> None:
        for _ in range(10):
            with database.write() as write:
                row = write.session.scalars(select(OrganizationRow).with_for_update()).one()
                row.email = str(int(row.email or "0") + 1)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with database.read() as session:
        assert session.scalars(select(OrganizationRow.email)).one() == "80"


@on_both_stores
def test_read_does_not_wait_for_a_write(database: Database) -> None:
    with database.write() as write:
        write.session.add(_organization("unfinished"))
        write.session.flush()
        assert _names(database) == []
    assert _names(database) == ["unfinished"]


@on_both_stores
def test_times_are_returned_in_utc(database: Database) -> None:
    with database.write() as write:
        write.session.add(_organization("default"))
    with database.read() as session:
        assert session.scalars(select(OrganizationRow.created_at)).one() == Clock().now()


@on_both_stores
def test_read_returns_rows_with_the_values_of_entities(database: Database) -> None:
    with database.write() as write:
        write.session.add(_organization("default", "a@example.com"))
    names = [column.key for column in inspect(OrganizationRow).column_attrs]
    with database.write() as write:
        entity = write.session.scalars(select(OrganizationRow)).one()
        expected = [getattr(entity, name) for name in names]
    with database.read() as session:
        row = session.scalars(select(OrganizationRow)).one()
        assert session.scalar(select(OrganizationRow.email)) == "a@example.com"
        assert session.scalar(select(OrganizationRow.email).where(OrganizationRow.name == "other")) is None
    assert [getattr(row, name) for name in names] == expected
    with pytest.raises(AttributeError):
        row.email = "b@example.com"


def test_every_table_has_several_columns() -> None:
    # `ReadSession.scalars` distinguishes a table from a column by their number of columns.
    assert [table.name for table in Base.metadata.sorted_tables if len(table.columns) < 2] == []


@on_both_stores
def test_database_error_does_not_contain_the_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as error, database.write() as write:
        write.session.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": "my-secret"})
    assert "nowhere" in str(error.value)
    assert "my-secret" not in str(error.value)


def test_committed_data_is_synced_to_disk(database: Database) -> None:
    with database.read() as session:
        assert session.execute(text("PRAGMA synchronous")).scalar() == 2, "FULL"


# -- objects ----------------------------------------------------------------------------------------------------------


def test_object_is_written_read_replaced_and_deleted(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects")
    assert objects.read("state", "sv-1") is None
    assert objects.write("state", "sv-1", b"one") == 3
    assert objects.write("state", "sv-1", iter([b"tw", b"o"])) == 3
    assert objects.read("state", "sv-1") == b"two"
    objects.delete("state", "sv-1")
    objects.delete("state", "sv-1")
    assert objects.read("state", "sv-1") is None


def test_object_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects")
    objects.write("state", "sv-1", b"one")
    assert stat.S_IMODE(objects.path("state", "sv-1").stat().st_mode) == 0o600


def test_failed_write_keeps_the_old_object(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects")
    objects.write("state", "sv-1", b"old")

    def full() -> Iterator[bytes]:
        yield b"ne"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        objects.write("state", "sv-1", full())
    assert objects.read("state", "sv-1") == b"old"
    assert [path.name for path in objects.path("state", "x").parent.iterdir()] == ["sv-1"]


def test_file_is_adopted_as_an_object(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects")
    (tmp_path / "upload").write_bytes(b"files")
    objects.adopt("configuration", "cv-1", tmp_path / "upload")
    assert objects.read("configuration", "cv-1") == b"files"
    assert not (tmp_path / "upload").exists()


def test_object_and_its_name_are_synced_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, int]] = []
    fsync = os.fsync

    def remember(file: int) -> None:
        found = os.fstat(file)
        synced.append((found.st_dev, found.st_ino))
        fsync(file)

    monkeypatch.setattr(os, "fsync", remember)
    objects = Objects(tmp_path / "objects")
    (tmp_path / "upload").write_bytes(b"files")
    objects.adopt("configuration", "cv-1", tmp_path / "upload")
    objects.write("state", "sv-1", b"state")
    for path in (objects.path("configuration", "cv-1"), objects.path("state", "sv-1")):
        for needed in (path.stat(), path.parent.stat()):
            assert (needed.st_dev, needed.st_ino) in synced


_FIRST_ROWS = """
INSERT INTO organizations (name, default_project_id, created_at) VALUES ('default', 'prj-1', :now);
INSERT INTO workspaces (id, organization, name, auto_apply, terraform_version, settings, tags, created_at, updated_at)
    VALUES ('ws-1', 'default', 'network', false, '1', '{}', '{}', :now, :now);
INSERT INTO variables (id, workspace_id, key, value, category, hcl, sensitive, created_at)
    VALUES ('var-1', 'ws-1', 'a', 'b', 'env', false, false, :now);
INSERT INTO state_versions
    (id, workspace_id, status, serial, is_forced, size, resources, resource_count, created_at)
    VALUES ('sv-1', 'ws-1', 'finalized', 1, false, 2, '[]', 0, :now);
INSERT INTO state_outputs (id, state_version_id, name, value, detailed_type, sensitive)
    VALUES ('wsout-1', 'sv-1', 'a', '1', '1', false)
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.processes)])
def test_migration_of_the_first_revision_keeps_its_rows(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'old.db'}"
        if kind == "postgresql":
            server = request.getfixturevalue("postgresql")
            url = stack.enter_context(server.database(is_migrated=False))
        database = Database(url)
        stack.callback(database.close)
        database.migrate("0001")
        with database.write() as write:
            now = {"now": "2026-01-02 03:04:05"}
            for statement in _FIRST_ROWS.strip().split(";\n"):
                write.session.execute(text(statement), now)
        database.migrate()
        with database.read() as session:
            for table in ("organizations", "workspaces", "variables", "state_versions", "state_outputs"):
                assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 1, table
            assert session.execute(text("SELECT version_id FROM variables")).scalar() == "var-1"
            assert session.scalars(select(OrganizationRow.settings)).one() == {}
