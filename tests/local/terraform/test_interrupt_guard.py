"""The guard, which interrupts each process of a killed server once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local.terraform.conftest import TIMEOUT_S, Gate

# A server with many threads, which become the parent of the processes one after the other when it is killed.
SERVER = """
import os, signal, subprocess, sys, threading
from pathlib import Path
from tfruns.local.terraform.interrupt_guard import INTERRUPT_GUARD
from tfruns.local.terraform.process import Process

def children():
    return [int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]

for _ in range(50):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
signals, never, *names = sys.argv[1:]
processes = [
    Process(
        ["sh", "-c", f"trap 'echo {name} > {signals}' INT; echo up > {signals}; while :; do read x < {never}; done"],
        cwd=Path.cwd(), environment={"PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    for name in names
]
if "guard-killed" in names:
    (guard,) = [pid for pid in children() if b"-S" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\\0")]
    os.kill(guard, signal.SIGKILL)
    os.waitid(os.P_PID, guard, os.WEXITED | os.WNOWAIT)
    INTERRUPT_GUARD.add(processes[0].pid)
print(*[process.pid for process in processes], flush=True)
threading.Event().wait()
"""  # fmt: skip


def interrupts_after_kill(tmp_path: Path, gate: Callable[[str], Gate], *names: str) -> str:
    """The output of processes with these names after their server was killed: the name for each interrupt."""
    signals, never = gate("signals"), gate("never")
    arguments = [str(signals.path), str(never.path), *names]
    server = subprocess.Popen([sys.executable, "-c", SERVER, *arguments], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    pids = [int(pid) for pid in server.stdout.readline().split()]
    server.stdout.close()
    text = ""
    while text.count("up\n") < len(names):
        text += signals.wait()
    server.kill()
    server.wait(TIMEOUT_S)
    interrupts = text.replace("up\n", "")
    while "first" not in interrupts:
        interrupts += signals.wait()
    deadline = time.monotonic() + 0.5  # a second interrupt would follow within milliseconds
    while (left := deadline - time.monotonic()) > 0:
        interrupts += signals.wait_at_most(left)
    for pid in pids:
        kill_process_group(pid)
    return interrupts


def kill_process_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.processes
def test_killed_server_interrupts_each_process_once(tmp_path: Path, gate: Callable[[str], Gate]) -> None:
    assert sorted(interrupts_after_kill(tmp_path, gate, "first", "second").split()) == ["first", "second"]


@pytest.mark.processes
def test_killed_guard_is_replaced(tmp_path: Path, gate: Callable[[str], Gate]) -> None:
    assert sorted(interrupts_after_kill(tmp_path, gate, "first", "guard-killed").split()) == ["first", "guard-killed"]
