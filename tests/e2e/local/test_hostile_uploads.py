"""Hostile archives sent to the installed server: refused at upload with the reason, or the reason of the run."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.local.conftest import NewServer
from tests.local.support import archive
from tests.support.hostile_archives import HOSTILE
from tests.support.local_lab import Lab, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tfruns.local.terraform import slug

pytestmark = pytest.mark.anyio

USE_PROGRAM = "from tfruns.local.terraform import slug; slug.__file__ = {!r}"
SLOW_PROGRAM = """\
import gzip, runpy, time
gzip.open = lambda *_: time.sleep(600)
runpy.run_path({!r}, run_name="__main__")
"""


async def test_hostile_archives_are_rejected_at_upload(lab: Lab, tmp_path: Path) -> None:
    workspace = await lab.workspace()
    for name, (make, expected) in HOSTILE.items():
        make(tmp_path / "archive")
        id_ = await lab.upload_bytes(workspace, (tmp_path / "archive").read_bytes(), status=422)
        attributes = (await lab.send("GET", f"/configuration-versions/{id_}"))["data"]["attributes"]
        assert attributes["status"] == "errored", name
        assert expected in attributes["error-message"], name


async def test_run_of_a_hostile_archive_shows_the_reason(server: LocalServer, lab: Lab, tmp_path: Path) -> None:
    # An earlier version accepted such archives, and keeps them.
    workspace = await lab.workspace()
    for name in ("a negative size in PAX records", "a NUL in PAX records", "2,000 nested directories"):
        make, expected = HOSTILE[name]
        make(tmp_path / "archive")
        id_ = await lab.upload(workspace, 'output "a" { value = 1 }')
        (stored,) = [path for path in server.data_dir.rglob(f"*{id_}*") if path.is_file()]
        stored.write_bytes((tmp_path / "archive").read_bytes())
        run = await lab.until(await lab.run(workspace), "errored")
        assert expected in await lab.log(run), name
        assert await lab.is_free(workspace), name


def processes_of(program: Path) -> list[int]:
    """The processes that run a program of Python."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(program) in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


async def test_stop_does_not_wait_for_an_archive(new_server: NewServer, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW_PROGRAM.format(slug.__file__))
    server = new_server(fault=USE_PROGRAM.format(str(slow))).start()
    async with lab_on(server) as lab:
        workspace = await lab.workspace()
        upload = asyncio.create_task(lab.upload_bytes(workspace, archive({"main.tf": ""}), status=503))
        await wait_until(lambda: len(processes_of(slow)) == 2, "the archive is read by a child")
        assert await asyncio.to_thread(server.stop) == 0
        await upload
    assert processes_of(slow) == []
    assert "Traceback" not in server.stderr
