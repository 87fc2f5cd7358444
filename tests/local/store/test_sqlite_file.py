"""Damage of a SQLite file: of single pages and of the whole file."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from psycopg.errors import DiskFull, TooManyConnections
from sqlalchemy.exc import OperationalError

from tests.local.support import Api, run_body
from tfruns.local.files import is_disk_full
from tfruns.local.store.database import Database
from tfruns.local.store.sqlite_file import is_damage, visible_damage

_PAGE = 4096


def damage_of(file: Path) -> str | None:
    database = Database(f"sqlite:///{file}")
    try:
        return database.damage()
    finally:
        database.close()


def test_every_zeroed_or_garbled_page_is_found(migrated: Path, tmp_path: Path) -> None:
    content, garbage = migrated.read_bytes(), random.Random(1).randbytes(_PAGE)
    assert damage_of(migrated) is None
    file = tmp_path / "tfruns.db"
    for page in range(len(content) // _PAGE):
        for replaced in (bytes(_PAGE), garbage):
            file.write_bytes(content[: page * _PAGE] + replaced + content[(page + 1) * _PAGE :])
            assert damage_of(file), f"page {page + 1}"
            assert file.stat().st_size == len(content)


def test_truncated_file_is_damaged(migrated: Path, tmp_path: Path) -> None:
    content = migrated.read_bytes()
    file = tmp_path / "tfruns.db"
    for size in (10, 100, _PAGE, len(content) // 2, len(content) - _PAGE):
        file.write_bytes(content[:size])
        assert damage_of(file), f"{size} of {len(content)} bytes"


def test_invalid_log_and_empty_file_are_damage(migrated: Path, tmp_path: Path) -> None:
    file, states = tmp_path / "tfruns.db", tmp_path / "state"
    log = tmp_path / "tfruns.db-wal"
    assert visible_damage(file, states) is None, "the first start"
    shutil.copyfile(migrated, file)
    for content, damage in (
        (b"", None),
        (bytes(100), None),  # as after a power failure
        (b"garbage" * 100, "tfruns.db-wal is damaged"),
        (b"\x37\x7f\x06\x82" + bytes(28), None),
    ):
        log.write_bytes(content)
        assert visible_damage(file, states) == damage, content
    log.unlink()
    file.write_bytes(b"")
    states.mkdir()
    assert visible_damage(file, states) is None, "a first start that was killed"
    (states / "sv-1").write_text("{}")
    assert visible_damage(file, states) == "the file is empty, although states exist"


def test_busy_database_is_not_damaged(migrated: Path) -> None:
    assert not is_damage(OperationalError("", {}, sqlite3.OperationalError("database is locked")))
    assert not is_damage(ValueError("database disk image is malformed"))


def _zero_all_but_the_first_page(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:_PAGE] + bytes(len(content) - _PAGE))


@pytest.mark.anyio
async def test_request_that_reads_a_damaged_page_is_500_with_advice(api: Api) -> None:
    run, body = await api.create_run(), run_body(api.workspace_id)
    engine = api.backend.database.engine
    path = engine.url.database
    assert path is not None
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    _zero_all_but_the_first_page(Path(path))
    for method, path in (
        ("GET", f"/runs/{run['id']}"),
        ("GET", "/organizations/default/workspaces"),
        ("POST", "/runs"),
    ):
        answer = await api.http.request(method, f"/api/v2{path}", json=body if method == "POST" else None)
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/vnd.api+json"
        [error] = answer.json()["errors"]
        assert (error["status"], error["title"]) == ("500", "internal server error")
        assert "database is damaged. Stop the server and restore the database from a backup." in error["detail"]


def test_full_disk_is_recognized_in_files_and_databases(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "full.sqlite")) as database:
        database.execute("CREATE TABLE content (bytes BLOB)")
        database.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as full:
            database.execute("INSERT INTO content VALUES (zeroblob(100000))")
    assert is_disk_full(OperationalError("", {}, full.value))
    assert is_disk_full(OperationalError("", {}, DiskFull("could not extend file")))
    assert is_disk_full(OSError(28, "No space left on device"))
    for other in (
        OperationalError("", {}, sqlite3.OperationalError("database is locked")),
        OperationalError("", {}, TooManyConnections("too many clients")),
        OSError(13, "Permission denied"),
    ):
        assert not is_disk_full(other), other
