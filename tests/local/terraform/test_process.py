"""Processes: what they leave when they are ended."""

import errno
import fcntl
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.local.terraform.conftest import Gate, not_canceled
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.process import Process, is_running, kill_group, kill_running, run

pytestmark = pytest.mark.processes


def test_a_group_is_not_killed_in_the_middle_of_a_write(tmp_path: Path) -> None:
    state, started = tmp_path / "state", Gate(tmp_path / "started")
    half, rest = f"printf '{{\"serial\":' > {state}", f"printf '1}}' >> {state}"
    process = Process(
        ["sh", "-c", f"{half}; echo up > {started.path}; sleep 0.2; {rest}; tail -f /dev/null"],
        cwd=tmp_path,
        environment={"PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started.wait()
    started.close()
    assert not is_json(state)
    kill_group(process.pid, lambda: is_json(state))
    assert process.close() == -9
    assert is_json(state)


def is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


def test_what_is_never_whole_does_not_save_a_group_from_being_killed(tmp_path: Path) -> None:
    process = Process(
        ["tail", "-f", "/dev/null"],
        cwd=tmp_path,
        environment={"PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kill_group(process.pid, lambda: False)
    assert process.has_exited(within_s=10)
    assert process.close() == -9


def a_process(tmp_path: Path, *command: str) -> Process:
    return Process(
        command,
        cwd=tmp_path,
        environment={"PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def many_open_files(number: int) -> Iterator[None]:
    """As a server has them whose clients are many; `select` takes no file above 1023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < number + 100:
        pytest.skip("so many files cannot be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (number + 100, hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(number)]
    try:
        yield
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_is_waited_for_however_many_files_are_open(tmp_path: Path) -> None:
    with many_open_files(1100):
        process = a_process(tmp_path, "tail", "-f", "/dev/null")
        assert not process.has_exited(within_s=0)
        kill_group(process.pid)
        assert process.has_exited(within_s=10)
        assert process.close() == -9


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is always so")
def test_a_process_is_waited_for_where_the_kernel_gives_no_handle_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(pid: int) -> int:
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr(os, "pidfd_open", none)
    process = a_process(tmp_path, "tail", "-f", "/dev/null")
    assert not process.has_exited(within_s=0)
    kill_group(process.pid)
    assert process.has_exited(within_s=10)
    assert process.close() == -9


def test_no_process_goes_on_whose_id_could_not_be_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "terraform.out"
    monkeypatch.setattr(Path, "write_text", _no_room)
    with pytest.raises(OSError, match="No space"):
        run(
            Terraform(("tail",), "terraform", "1.11.4", "linux_amd64"),
            ("-f", "/dev/null"),
            cwd=tmp_path,
            environment={"PATH": os.environ["PATH"]},
            output=output,
            on_output=lambda _: None,
            cancel_level=not_canceled,
            is_complete=lambda: True,
        )
    assert not is_running(output)


def _no_room(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("content", [None, ""])
def test_a_process_whose_id_is_not_known_is_not_killed_by_it(tmp_path: Path, content: str | None) -> None:
    output = tmp_path / "terraform.out"
    if content is not None:
        output.with_suffix(".pid").write_text(content)
    with output.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kill_running(output, lambda: True)
        assert is_running(output)
