"""A server whose database is really damaged: it does not start, and one that runs says so and loses nothing."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.local.conftest import NewServer
from tests.support.gates import ApplyGate
from tests.support.local_lab import lab as lab_on
from tests.support.local_lab import wait_until
from tests.support.local_server import LocalServer, until
from tfruns.local.store.schema import ClaimRow
from tfruns.vocabulary import RunStatus

_PAGE = 4096
FIRST = 'resource "terraform_data" "first" {}'


def overwrite_middle(file: Path, content: Callable[[int], bytes]) -> None:
    size = file.stat().st_size // 3 // _PAGE * _PAGE
    with file.open("r+b") as opened:
        opened.seek(size)
        opened.write(content(size))


def cut_off(file: Path, size: int) -> None:
    with file.open("r+b") as opened:
        opened.truncate(size)


# How the file is damaged, and what the server says is wrong.
_DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "zeros in the middle": (lambda file: overwrite_middle(file, bytes), ""),
    "garbage in the middle": (lambda file: overwrite_middle(file, random.Random(1).randbytes), ""),
    "half of the file": (lambda file: cut_off(file, file.stat().st_size // 2), ""),
    "ten bytes of the file": (lambda file: cut_off(file, 10), "file is not a database"),
    "an empty file": (lambda file: cut_off(file, 0), "the file is empty, although states exist"),
    "another file": (lambda file: file.write_bytes(b"this is no database " * 500), "file is not a database"),
    "a log that is garbage": (
        lambda file: file.with_name("tfruns.db-wal").write_bytes(b"garbage" * 1000),
        "tfruns.db-wal is damaged",
    ),
    "garbage in a row": (
        lambda file: execute(file, "UPDATE runs SET status = 'planning', options = '{'"),
        "it contains an invalid value",
    ),
}


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def refusal(server: LocalServer) -> str:
    """The one line that a server prints which does not start."""
    before = server.stderr
    server.launch()
    assert server.wait(60) == 1, server.stderr
    said = server.stderr.removeprefix(before)
    assert said.startswith("tfruns server: "), said
    assert said.count("\n") == 1, said
    return said


@pytest.mark.anyio
async def test_a_server_with_a_damaged_database_does_not_start_and_says_what_to_do(
    new_server: NewServer, tmp_path: Path
) -> None:
    server = new_server().start()
    async with lab_on(server) as lab:
        await lab.applied(await lab.workspace(FIRST))
    assert server.stop() == 0
    for number, (name, (damage, what)) in enumerate(_DAMAGE.items()):
        directory = tmp_path / f"data-{number}"
        shutil.copytree(server.data_dir, directory)
        file = directory / "tfruns.db"
        damage(file)
        content = file.read_bytes()
        said = refusal(new_server(data_dir=directory))
        assert f"The database cannot be used: {what}" in said, (name, said)
        assert f"Restore {file} from a backup" in said, (name, said)
        assert file.read_bytes() == content, name
        assert list((directory / "objects" / "state").iterdir()), name


def damage_while_in_use(file: Path) -> None:
    """Zero all pages but the first, and have every connection read them again."""
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        table = ClaimRow.__tablename__
        connection.execute(f"SELECT * FROM {table}").fetchall()  # so that this connection has the page
        with file.open("r+b") as opened:
            opened.seek(_PAGE)
            opened.write(bytes(file.stat().st_size - _PAGE))
        connection.execute(f"UPDATE {table} SET probes = probes + 1")
        connection.commit()


@pytest.mark.anyio
async def test_a_running_server_reports_the_damage_and_its_apply_is_not_lost(
    new_server: NewServer, apply_gate: ApplyGate, tmp_path: Path
) -> None:
    server = new_server().start()
    file, backup = server.data_dir / "tfruns.db", tmp_path / "backup.db"
    async with lab_on(server) as lab:
        workspace = await lab.workspace(FIRST + apply_gate.configuration(depends_on="terraform_data.first"))
        run = await lab.run(workspace, auto_apply=True)
        await wait_until(apply_gate.has_begun, "the apply waits in the gate")
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        damage_while_in_use(file)
        answer = await lab.http.get(f"/api/v2/runs/{run.id}")
        assert answer.status_code == 500, answer.text
        assert answer.headers["content-type"] == "application/vnd.api+json"
        [error] = answer.json()["errors"]
        assert "database is damaged. Stop the server and restore the database from a backup." in error["detail"]
    apply_gate.open()
    until(lambda: "DatabaseError, the database is damaged" in server.stderr, "the end of the apply is logged")
    assert server.stop() == 0
    assert "The database cannot be used: " in refusal(server)
    for name in ("tfruns.db-wal", "tfruns.db-shm"):
        (server.data_dir / name).unlink(missing_ok=True)
    shutil.copyfile(backup, file)
    async with lab_on(server.restart()) as lab:
        await lab.until(run, RunStatus.APPLIED, RunStatus.ERRORED)
        assert await lab.resources(workspace) == {"first", apply_gate.name}
        await wait_until(lambda: lab.is_free(workspace), "the workspace is free")
