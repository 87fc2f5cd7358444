"""Recovery of a phase whose server was killed: stop its processes, complete the log of an apply and read its state.

An apply is never repeated.
"""

import os
import signal
import sys
import time
from pathlib import Path

from tfruns.local.terraform.directory import RunDirectory, state_after_failure
from tfruns.local.terraform.inputs import ApplyInputs, ApplyOutcome
from tfruns.local.terraform.log import HEADER_LINES, PhaseLog
from tfruns.local.terraform.output import LineSplitter, OutputSummary, Sink, masked
from tfruns.local.terraform.process import is_running, kill_running
from tfruns.vocabulary import PhaseStatus

_POLL_S = 0.1
_KILL_TIMEOUT_S = 10.0  # the kernel does not terminate a process immediately
_READ_BYTES = 1 << 16
APPLY_INTERRUPTED = "The apply was interrupted: the server stopped. The state contains the completed changes."


def recover_apply(inputs: ApplyInputs, *, log: PhaseLog, patience_s: float = 30.0) -> ApplyOutcome:
    """Stop the processes of an interrupted apply, complete its log, and read the state that it wrote.

    Args:
        inputs: the inputs of the apply.
        log: the log of the apply, which is continued; closed at the end.
        patience_s: the number of seconds that Terraform has to stop before it is killed (see `stop_leftovers`).

    Returns:
        An errored apply, with its counts and its state.

    Raises:
        OSError: the state cannot be read now. The caller may retry.
    """
    stop_leftovers(inputs.run_dir, patience_s=patience_s)
    state, state_error = state_after_failure(inputs.run_dir, None)
    summary = OutputSummary(_without_first(log.count_lines() - HEADER_LINES, log.write))
    log_error: str | None = None
    with log:
        try:
            _read_output(inputs, summary)
            log.write_error(APPLY_INTERRUPTED)
        except OSError as error:
            log_error = f"The log is incomplete: {error.strerror}."
    texts = filter(None, (APPLY_INTERRUPTED, summary.error, log_error, state_error))
    return ApplyOutcome(status=PhaseStatus.ERRORED, counts=summary.counts, state=state, error="\n\n".join(texts))


def stop_leftovers(run_dir: RunDirectory, *, patience_s: float) -> None:
    """Stop the processes that a killed server left running for a run, and wait until they have exited.

    Terraform received an interrupt when its server was killed, and may need time to complete its current operations.

    Args:
        run_dir: the directory of the run.
        patience_s: the number of seconds before the processes are killed.
    """
    _wait(run_dir, patience_s)
    kill_running(run_dir.output, run_dir.is_state_complete)
    _kill_orphans(run_dir)
    _wait(run_dir, _KILL_TIMEOUT_S)


def _wait(run_dir: RunDirectory, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while is_running(run_dir.output) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _kill_orphans(run_dir: RunDirectory) -> None:
    """Kill Terraform and its child processes. They are identified by HOME, which is in the directory of the run."""
    if sys.platform != "linux":
        return
    home = b"HOME=" + os.fsencode(run_dir.home)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if home in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except (OSError, ValueError):  # it has exited, or belongs to another user
            continue


def _read_output(inputs: ApplyInputs, summary: OutputSummary) -> None:
    secrets = inputs.secrets
    lines = LineSplitter(masked(summary, secrets), secrets)
    if inputs.run_dir.output.exists():
        with inputs.run_dir.output.open("rb") as output:
            while data := output.read(_READ_BYTES):
                lines(data)
        lines.finish()


def _without_first(count: int, sink: Sink) -> Sink:
    """A sink that omits the lines that the log already contains. Masking does not change the number of lines."""
    seen = 0

    def forward(line: bytes) -> None:
        nonlocal seen
        seen += 1
        if seen > count:
            sink(line)

    return forward
