"""Hostile archives are rejected within limits of memory and time, and reading processes exit with the server."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.local.terraform.test_slug import entry, packed
from tests.support.hostile_archives import HOSTILE, write_many_pax_records
from tfruns.local.terraform import slug
from tfruns.local.terraform.slug import BadArchive
from tfruns.local.terraform.slug_process import ArchiveInterrupted, ArchiveProcesses

pytestmark = pytest.mark.processes

PATIENCE_S = 30.0
# Checks archives and prints for each the reason, the duration in seconds, and the peak memory so far in MiB.
MEASURE = """
import json, resource, sys, time
from pathlib import Path
from tfruns.local.terraform.slug_process import ArchiveProcesses, BadArchive
for path in sys.argv[1:]:
    start, reason, archives = time.monotonic(), "", ArchiveProcesses()
    try:
        archives.check(Path(path))
    except BadArchive as error:
        reason = str(error)
    seconds = time.monotonic() - start
    archives.stop()  # the peak includes only processes that have exited
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(json.dumps([reason, seconds, peak]), flush=True)
"""


@contextmanager
def started(processes: ArchiveProcesses) -> Iterator[ArchiveProcesses]:
    try:
        yield processes
    finally:
        processes.stop()


@pytest.fixture
def archives() -> Iterator[ArchiveProcesses]:
    with started(ArchiveProcesses()) as processes:
        yield processes


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    paths = [tmp_path_factory.mktemp("hostile") / "archive" for _ in HOSTILE]
    for (make, _), path in zip(HOSTILE.values(), paths, strict=True):
        make(path)
    return paths


def test_hostile_archives_are_rejected_within_limits(hostile: list[Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *hostile], capture_output=True, text=True, check=True, timeout=300
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(HOSTILE), done.stderr
    for (name, (_, expected)), (reason, seconds, peak_mib) in zip(HOSTILE.items(), results, strict=True):
        assert expected in reason, f"{name}: {reason!r}"
        assert peak_mib < 150, f"{name}: {peak_mib} MiB"
        assert seconds < PATIENCE_S, f"{name}: {seconds} s"


def test_unpack_rejects_hostile_archives_and_leaves_nothing(archives: ArchiveProcesses, hostile: list[Path]) -> None:
    for archive, (name, (_, expected)) in zip(hostile, HOSTILE.items(), strict=True):
        with pytest.raises(BadArchive) as error:
            archives.unpack(archive, archive.parent / "into")
        assert expected in str(error.value), name
        assert [path.name for path in archive.parent.iterdir()] == ["archive"], name


def test_configuration_is_checked_and_unpacked(archives: ArchiveProcesses, tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", [entry("modules/a/main.tf", b"main")])
    archives.check(archive)
    archives.unpack(archive, tmp_path / "into")
    assert (tmp_path / "into/modules/a/main.tf").read_bytes() == b"main"


def test_missing_archive_is_rejected(archives: ArchiveProcesses, tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="its files were deleted"):
        archives.check(tmp_path / "none")


def test_unwritable_directory_raises_oserror(archives: ArchiveProcesses, tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", [entry("main.tf", b"main")])
    with pytest.raises(FileNotFoundError):
        archives.unpack(archive, tmp_path / "none" / "into")


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """An archive that cannot be read completely: a FIFO without a writer."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def test_archive_that_takes_too_long_is_rejected(endless: Path) -> None:
    with started(ArchiveProcesses(wall_s=0.5)) as archives, pytest.raises(BadArchive, match=r"takes more than 0\.5 s"):
        archives.check(endless)


def test_archive_that_takes_too_much_processor_time_is_rejected(tmp_path: Path) -> None:
    archive = tmp_path / "a"
    write_many_pax_records(archive)
    expected = pytest.raises(BadArchive, match="takes more than 1 s of processor time")
    with started(ArchiveProcesses(cpu_s=1)) as archives, expected:
        archives.check(archive)


def test_cancel_stops_the_reading_process(archives: ArchiveProcesses, endless: Path) -> None:
    start = time.monotonic()
    with pytest.raises(ArchiveInterrupted):
        archives.unpack(endless, endless.parent / "into", lambda: True)
    assert time.monotonic() - start < PATIENCE_S / 3


def test_stop_interrupts_a_check(archives: ArchiveProcesses, endless: Path) -> None:
    threading.Timer(0.3, archives.stop).start()
    with pytest.raises(ArchiveInterrupted):
        archives.check(endless)


def readers() -> set[int]:
    """The ids of the processes that read archives, and of those that fork them."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(slug.__file__) in (process / "cmdline").read_bytes().split(b"\0"):
                found.add(int(process.name))
    return found


def own_readers() -> set[int]:
    """Those that this process started: tests that run at the same time have others."""
    return readers() & descendants(os.getpid())


def descendants(pid: int) -> set[int]:
    """The ids of the processes that a process started, directly or not."""
    parents: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_reading_processes_exit_with_a_killed_server(endless: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", MEASURE, endless], stdout=subprocess.DEVNULL) as server:
        until(lambda: len(readers() & descendants(server.pid)) == 2)
        own = readers() & descendants(server.pid)
        server.send_signal(signal.SIGKILL)
        server.wait(PATIENCE_S)
        until(lambda: not readers() & own)


def test_killed_processes_are_replaced(archives: ArchiveProcesses, tmp_path: Path, endless: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", [entry("main.tf", b"main")])
    others = readers()  # of tests before
    archives.check(archive)
    until(lambda: len(own_readers() - others) == 1)
    (forker,) = own_readers() - others
    reasons: list[str] = []
    thread = threading.Thread(target=lambda: reasons.append(reason_of(archives, endless)))
    thread.start()
    until(lambda: len(own_readers() - others) == 2)
    (child,) = own_readers() - others - {forker}
    os.kill(child, signal.SIGKILL)
    thread.join(PATIENCE_S)
    assert reasons == ["the process that reads it exited unexpectedly"]
    until(lambda: readers() - others == {forker})
    os.kill(forker, signal.SIGKILL)
    until(lambda: has_ended(forker))
    archives.check(archive)


def reason_of(archives: ArchiveProcesses, archive: Path) -> str:
    try:
        archives.check(archive)
    except BadArchive as error:
        return str(error)
    return ""


def has_ended(pid: int) -> bool:
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
