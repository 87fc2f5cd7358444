"""Processes: what they leave when they are ended."""

import json
import os
import subprocess
from pathlib import Path

from tests.local.execution.conftest import Gate
from tfruns.local.execution.process import Process, kill_group


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
    assert process.has_ended(within_s=10)
    assert process.close() == -9
