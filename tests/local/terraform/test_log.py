"""The log of a phase."""

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


def test_log_starts_with_three_header_lines(tmp_path: Path) -> None:
    with PhaseLog(tmp_path / "logs" / "log") as log:
        log.header(Terraform(("x",), "terraform", "1.11.4", "linux_amd64"))
        log.write(b"more\n")
    assert read_log(tmp_path / "logs" / "log", is_finished=True) == (
        b"\x02Terraform v1.11.4\non linux_amd64\nInitializing plugins and modules...\nmore\n\x03"
    )


def test_empty_log_is_readable(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log", is_finished=False) == b""
    with PhaseLog(tmp_path / "log"):
        assert read_log(tmp_path / "log", is_finished=False) == b""
    assert read_log(tmp_path / "log", is_finished=True) == b"\x02\x03"


@given(st.binary(max_size=20), st.integers(0, 25), st.none() | st.integers(0, 25), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_range_of_a_log_is_a_slice_of_the_log(
    tmp_path: Path, content: bytes, offset: int, limit: int | None, is_finished: bool
) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    whole = b"\x02" + content + (b"\x03" if is_finished else b"") if content or is_finished else b""
    expected = whole[offset:] if limit is None else whole[offset : offset + limit]
    assert read_log(path, offset, limit, is_finished=is_finished) == expected


def test_truncated_log_continues_on_a_new_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"half a li")
    with PhaseLog(path) as log:
        log.write(b"next\n")
    with PhaseLog(path) as log:
        log.write(b"last\n")
    assert path.read_bytes() == b"half a li\nnext\nlast\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_truncated_log_opens_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_bytes(b"half a li")
    with Path("/dev/full").open("wb", buffering=0) as full, monkeypatch.context() as patch:
        write = os.write
        patch.setattr("tfruns.local.terraform.log.os.write", lambda _, data: write(full.fileno(), data))
        with PhaseLog(tmp_path / "log") as log, pytest.raises(OSError, match="No space"):
            log.write(b"next\n")
    assert (tmp_path / "log").read_bytes() == b"half a li"


def test_server_errors_use_terraforms_format(tmp_path: Path) -> None:
    with PhaseLog(tmp_path / "log") as log:
        log.write_error("It failed.", "Badly.")
    message = json.loads((tmp_path / "log").read_text())
    assert (message["@level"], message["@message"], message["type"]) == ("error", "Error: It failed.", "diagnostic")
    assert message["diagnostic"] == {"severity": "error", "summary": "It failed.", "detail": "Badly."}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_write_on_a_full_disk_raises(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    with PhaseLog(tmp_path / "log") as log, pytest.raises(OSError, match="No space") as error:
        log.write(b"x")
    assert error.value.errno == errno.ENOSPC


def test_line_is_readable_while_terraform_is_running(bench: Bench, gate: Callable[[str], Gate]) -> None:
    import time

    start, stop = gate("start"), gate("stop")
    bench.given(local_exec(f"echo first; echo up > {start.path}; read go < {stop.path}"))
    bench.planned()
    running = bench.start_apply()
    start.wait()
    written = time.monotonic()
    while b"(local-exec): first" not in read_log(bench.apply_log, is_finished=False):
        assert time.monotonic() - written < 5
    seen_after_s = time.monotonic() - written
    assert not running.done()
    stop.open()
    assert running.result(60).error is None
    assert seen_after_s < 0.5  # 0.2 s on an idle machine
