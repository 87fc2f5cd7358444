"""A command started by the fork server behaves like a separate process."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.command_process import TFRUNS, start
from tests.support.stdio import environment

pytestmark = pytest.mark.processes

_WITHIN_S = 60.0


def run(program: str, tmp_path: Path, *arguments: str, sent: str = "", **variables: str) -> tuple[int, str, str]:
    """The exit code and both outputs of `tfruns` with a program that runs before it."""
    env = environment(tmp_path, **variables)
    process = start([TFRUNS, *arguments], env=env, cwd=tmp_path, fault=program, stdin=subprocess.PIPE)
    out, err = process.communicate(sent.encode(), timeout=_WITHIN_S)
    return process.wait(), out.decode(), err.decode()


def test_it_ends_as_the_installed_command_does(tmp_path: Path) -> None:
    for arguments in (["--version"], ["run", "list", "--help"], ["run", "list"], ["run", "no-command"]):
        env = environment(tmp_path)
        installed = subprocess.run(
            [TFRUNS, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
        assert run("", tmp_path, *arguments) == (installed.returncode, installed.stdout, installed.stderr)


def test_it_has_the_streams_variables_directory_and_arguments_that_are_given(tmp_path: Path) -> None:
    program = "import os, sys; print(sys.stdin.read(), os.environ['A'], os.getcwd(), sys.argv[1:]); sys.exit(3)"
    assert run(program, tmp_path, "x", sent="hello", A="b") == (3, f"hello b {tmp_path} ['x']\n", "")


def test_it_has_imported_nothing_of_tfruns_and_has_no_other_files_open(tmp_path: Path) -> None:
    modules = "import sys; print([name for name in sys.modules if name.startswith('tfruns')]); sys.exit()"
    assert run(modules, tmp_path)[1] == "[]\n"
    files = "import os, sys; print(sorted(os.listdir('/dev/fd'))[:3], len(os.listdir('/dev/fd'))); sys.exit()"
    assert run(files, tmp_path)[1] == "['0', '1', '2'] 4\n"


def test_it_fails_and_ends_by_signals_like_any_program(tmp_path: Path) -> None:
    code, _, err = run("import atexit; atexit.register(print, 'bye'); 1 / 0", tmp_path)
    assert code == 1
    assert err.endswith("ZeroDivisionError: division by zero\n")
    assert run("raise KeyboardInterrupt", tmp_path)[0] == -signal.SIGINT
    assert run("import os; os.kill(os.getpid(), 9)", tmp_path)[0] == -signal.SIGKILL


def test_wait_ends_in_time_and_a_kill_is_seen(tmp_path: Path) -> None:
    program = "import time; time.sleep(600)"
    process = start(
        [TFRUNS], env=environment(tmp_path), fault=program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.kill()
    assert process.wait(_WITHIN_S) == -signal.SIGKILL


def test_settings_of_the_interpreter_are_respected(tmp_path: Path) -> None:
    program = "import os, sys; print(sys.flags.dev_mode); sys.exit()"
    assert run(program, tmp_path, PYTHONDEVMODE="1")[1] == "True\n"
