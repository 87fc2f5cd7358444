"""What a server that was killed in mid-phase had started, and what may still run."""

import os
import signal
import sys
import time
from pathlib import Path

from tfruns.local.terraform.directory import RunDirectory
from tfruns.local.terraform.process import is_running, kill_running

_POLL_S = 0.1
_DYING_S = 10.0  # SIGKILL takes effect when the kernel gets to it


def end_leftovers(run_dir: RunDirectory, *, patience_s: float) -> None:
    """Return when nothing runs any more of what a server that was killed had started for a run.

    Terraform was told to stop when its server died, and may need time to let what it is doing come to an end.

    Args:
        run_dir: the run's directory.
        patience_s: seconds to wait for that before it is killed.
    """
    _wait(run_dir, patience_s)
    kill_running(run_dir.output, run_dir.is_state_whole)
    _kill_orphans(run_dir)
    _wait(run_dir, _DYING_S)


def _wait(run_dir: RunDirectory, at_most_s: float) -> None:
    deadline = time.monotonic() + at_most_s
    while is_running(run_dir.output) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _kill_orphans(run_dir: RunDirectory) -> None:
    """Kill what Terraform had started, and Terraform too; all are known by HOME, which is in the run's directory."""
    if sys.platform != "linux":
        return
    mark = b"HOME=" + os.fsencode(run_dir.home)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except (OSError, ValueError):  # it has ended, or is somebody else's
            continue
