"""A damaged database: the server does not start; a running server reports the damage and loses nothing."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.local.conftest import NewServer
from tests.support.gates import ApplyGate, PlanGate
from tests.support.local_lab import Lab, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer, until
from tfruns.local.store.schema import ClaimRow
from tfruns.vocabulary import RunStatus
from tfruns.wire.runs import Run

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


# The damage to the file, and the reason that the server reports.
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
    """The only line that a server prints if it does not start."""
    before = server.stderr
    server.launch()
    assert server.wait(60) == 1, server.stderr
    printed = server.stderr.removeprefix(before)
    assert printed.startswith("tfruns server: "), printed
    assert printed.count("\n") == 1, printed
    return printed


@pytest.mark.anyio
async def test_server_with_a_damaged_database_does_not_start(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server().start()
    async with lab_on(server) as lab:
        await lab.applied(await lab.workspace(FIRST))
    assert server.stop() == 0
    for number, (name, (damage, reason)) in enumerate(_DAMAGE.items()):
        directory = tmp_path / f"data-{number}"
        shutil.copytree(server.data_dir, directory)
        file = directory / "tfruns.db"
        damage(file)
        content = file.read_bytes()
        printed = refusal(new_server(data_dir=directory))
        assert f"The database cannot be used: {reason}" in printed, (name, printed)
        assert f"Restore {file} from a backup" in printed, (name, printed)
        assert file.read_bytes() == content, name
        assert list((directory / "objects" / "state").iterdir()), name


def damage_while_in_use(file: Path) -> None:
    """Zero all pages but the first, and have every connection read them again."""
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        table = ClaimRow.__tablename__
        connection.execute(f"SELECT * FROM {table}").fetchall()  # caches the page in this connection
        with file.open("r+b") as opened:
            opened.seek(_PAGE)
            opened.write(bytes(file.stat().st_size - _PAGE))
        connection.execute(f"UPDATE {table} SET probes = probes + 1")
        connection.commit()


@dataclass(frozen=True)
class Gated:
    """A run that waits in the middle of a phase, and continues when the test opens its gate."""

    workspace: str
    run: Run
    open: Callable[[], None]


async def in_plan(lab: Lab, plans: PlanGate, _: ApplyGate) -> Gated:
    workspace = await lab.workspace(FIRST + plans.configuration())
    run = await lab.run(workspace, auto_apply=True)
    await wait_until(plans.requests, "the plan waits in the gate")
    return Gated(workspace, run, plans.open)


async def in_apply(lab: Lab, _: PlanGate, applies: ApplyGate) -> Gated:
    workspace = await lab.workspace(FIRST + applies.configuration(depends_on="terraform_data.first"))
    run = await lab.run(workspace, auto_apply=True)
    await wait_until(applies.has_begun, "the apply waits in the gate")
    return Gated(workspace, run, applies.open)


PHASES = {"plan": (in_plan, {"first"}), "apply": (in_apply, {"first", "a"})}


@pytest.mark.anyio
@pytest.mark.parametrize("phase", PHASES)
async def test_running_server_reports_the_damage_and_loses_no_phase(
    new_server: NewServer, plan_gate: PlanGate, apply_gate: ApplyGate, tmp_path: Path, phase: str
) -> None:
    start, resources = PHASES[phase]
    server = new_server().start()
    file, backup = server.data_dir / "tfruns.db", tmp_path / "backup.db"
    async with lab_on(server) as lab:
        gated = await start(lab, plan_gate, apply_gate)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        damage_while_in_use(file)
        response = await lab.http.get(f"/api/v2/runs/{gated.run.id}")
        assert response.status_code == 500, response.text
        assert response.headers["content-type"] == "application/vnd.api+json"
        [error] = response.json()["errors"]
        assert "database is damaged. Stop the server and restore the database from a backup." in error["detail"]
    gated.open()
    until(lambda: "DatabaseError, the database is damaged" in server.stderr, "the damage is logged")
    assert server.stop() == 0
    assert "The database cannot be used: " in refusal(server)
    for name in ("tfruns.db-wal", "tfruns.db-shm"):
        (server.data_dir / name).unlink(missing_ok=True)
    shutil.copyfile(backup, file)
    async with lab_on(server.restart()) as lab:
        # The plan is repeated; the interrupted apply is not.
        finished = await lab.until(gated.run, RunStatus.APPLIED, RunStatus.ERRORED)
        assert phase == "apply" or finished.status == RunStatus.APPLIED
        assert await lab.resources(gated.workspace) == resources
        await wait_until(lambda: lab.is_free(gated.workspace), "the workspace is free")
