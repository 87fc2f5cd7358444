"""The log of a phase, written and read."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.terraform.conftest import Bench, Gate, local_exec
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.log import PhaseLog, read_log


def test_a_log_begins_with_three_lines_that_the_cli_drops(tmp_path: Path) -> None:
    with PhaseLog(tmp_path / "logs" / "log") as log:
        log.header(Terraform(("x",), "terraform", "1.11.4", "linux_amd64"))
        log.write(b"more\n")
    assert read_log(tmp_path / "logs" / "log", is_ended=True) == (
        b"\x02Terraform v1.11.4\non linux_amd64\nInitializing plugins and modules...\nmore\n\x03"
    )


def test_there_is_nothing_to_read_before_something_was_written(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log", is_ended=False) == b""
    with PhaseLog(tmp_path / "log"):
        assert read_log(tmp_path / "log", is_ended=False) == b""
    assert read_log(tmp_path / "log", is_ended=True) == b"\x02\x03"


@given(st.binary(max_size=20), st.integers(0, 25), st.none() | st.integers(0, 25), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_part_of_a_log_is_that_part_of_the_whole(
    tmp_path: Path, content: bytes, offset: int, limit: int | None, is_ended: bool
) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    whole = b"\x02" + content + (b"\x03" if is_ended else b"") if content or is_ended else b""
    expected = whole[offset:] if limit is None else whole[offset : offset + limit]
    assert read_log(path, offset, limit, is_ended=is_ended) == expected


def test_a_log_that_a_crash_cut_off_is_continued_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"half a li")
    with PhaseLog(path) as log:
        log.write(b"next\n")
    with PhaseLog(path) as log:
        log.write(b"last\n")
    assert path.read_bytes() == b"half a li\nnext\nlast\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_a_crash_cut_off_can_be_opened_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_bytes(b"half a li")
    with Path("/dev/full").open("wb", buffering=0) as full, monkeypatch.context() as patch:
        write = os.write
        patch.setattr("tfruns.local.terraform.log.os.write", lambda _, data: write(full.fileno(), data))
        with PhaseLog(tmp_path / "log") as log, pytest.raises(OSError, match="No space"):
            log.write(b"next\n")
    assert (tmp_path / "log").read_bytes() == b"half a li"


def test_an_error_of_ours_has_the_form_of_terraforms(tmp_path: Path) -> None:
    with PhaseLog(tmp_path / "log") as log:
        log.write_error("It failed.", "Badly.")
    message = json.loads((tmp_path / "log").read_text())
    assert (message["@level"], message["@message"], message["type"]) == ("error", "Error: It failed.", "diagnostic")
    assert message["diagnostic"] == {"severity": "error", "summary": "It failed.", "detail": "Badly."}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_every_write(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    with PhaseLog(tmp_path / "log") as log, pytest.raises(OSError, match="No space") as error:
        log.write(b"x")
    assert error.value.errno == errno.ENOSPC


def test_a_line_can_be_read_while_terraform_still_runs(bench: Bench, gate: Callable[[str], Gate]) -> None:
    import time

    start, stop = gate("start"), gate("stop")
    bench.given(local_exec(f"echo first; echo up > {start.path}; read go < {stop.path}"))
    bench.planned()
    running = bench.start_apply()
    start.wait()
    written = time.monotonic()
    while b"(local-exec): first" not in read_log(bench.apply_log, is_ended=False):
        assert time.monotonic() - written < 5
    seen_after_s = time.monotonic() - written
    assert not running.done()
    stop.open()
    assert running.result(60).error is None
    assert seen_after_s < 0.5  # 0.2 s on a machine that has nothing else to do
