"""The start, the output and the stop of processes."""

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


def test_group_is_not_killed_during_a_write(tmp_path: Path) -> None:
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


def test_group_with_an_incomplete_state_is_killed_in_the_end(tmp_path: Path) -> None:
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
    """Open many files, like a server with many clients. `select` does not support descriptors above 1023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < number + 100:
        pytest.skip("the limit of open files is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (number + 100, hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(number)]
    try:
        yield
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_has_exited_works_with_many_open_files(tmp_path: Path) -> None:
    with many_open_files(1100):
        process = a_process(tmp_path, "tail", "-f", "/dev/null")
        assert not process.has_exited(within_s=0)
        kill_group(process.pid)
        assert process.has_exited(within_s=10)
        assert process.close() == -9


@pytest.mark.skipif(sys.platform != "linux", reason="other systems never have pidfd")
def test_has_exited_works_without_pidfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(pid: int) -> int:
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr(os, "pidfd_open", none)
    process = a_process(tmp_path, "tail", "-f", "/dev/null")
    assert not process.has_exited(within_s=0)
    kill_group(process.pid)
    assert process.has_exited(within_s=10)
    assert process.close() == -9


def test_process_whose_id_cannot_be_recorded_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_kill_running_ignores_an_unknown_id(tmp_path: Path, content: str | None) -> None:
    output = tmp_path / "terraform.out"
    if content is not None:
        output.with_suffix(".pid").write_text(content)
    with output.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kill_running(output, lambda: True)
        assert is_running(output)
