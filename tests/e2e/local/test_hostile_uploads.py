"""Hostile archives sent to the installed server: refused at upload with the reason, or the reason of the run."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.e2e.local.conftest import NewServer
from tests.local.support import archive
from tests.support.hostile_archives import HOSTILE
from tests.support.local_lab import Lab, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer

pytestmark = pytest.mark.anyio

SLOW_READER = "from tfruns.local.execution import slug; slug.__file__ = {!r}"


async def test_hostile_archives_are_refused_at_upload(lab: Lab, tmp_path: Path) -> None:
    workspace = await lab.workspace()
    for name, (make, expected) in HOSTILE.items():
        make(tmp_path / "archive")
        id_ = await lab.upload_bytes(workspace, (tmp_path / "archive").read_bytes(), status=422)
        attributes = (await lab.send("GET", f"/configuration-versions/{id_}"))["data"]["attributes"]
        assert attributes["status"] == "errored", name
        assert expected in attributes["error-message"], name


async def test_a_run_of_a_hostile_archive_ends_with_the_reason(server: LocalServer, lab: Lab, tmp_path: Path) -> None:
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


def readers(directory: Path) -> list[int]:
    """The processes that read an archive below a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(argument.startswith(os.fsencode(directory / "objects")) for argument in arguments):
            found.append(int(process.name))
    return found


async def test_a_stop_does_not_wait_for_an_archive(new_server: NewServer, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(600)")
    server = new_server(fault=SLOW_READER.format(str(slow))).start()
    async with lab_on(server) as lab:
        workspace = await lab.workspace()
        upload = asyncio.create_task(lab.upload_bytes(workspace, archive({"main.tf": ""}), status=503))
        await wait_until(lambda: readers(server.data_dir), "the archive is read")
        assert await asyncio.to_thread(server.stop) == 0
        await upload
    assert readers(server.data_dir) == []
    assert "Traceback" not in server.stderr
