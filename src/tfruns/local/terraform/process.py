"""A Terraform process and its children: starts them, reads their output, and stops them.

The output is written to a file, not to a pipe. A pipe breaks if the server dies, and the next line would kill Terraform
before it saves the state. Appending to a file also keeps the lines of stdout and stderr intact.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tfruns.local.cancel_level import CancelLevel
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.interrupt_guard import INTERRUPT_GUARD

_TICK_S = 0.1  # the maximum delay of a line
_CANCEL_POLL_S = 0.25  # a poll can be a database query
_GRACE_S = 30.0  # from the interrupt to the kill, if the server decides
_CHUNK_BYTES = 1 << 18
_SUSPEND_S = 0.005
_MAX_SUSPENSIONS = 100
_NOT_RUNNING = {"T", "t", "Z", "X"}  # states of a thread, proc(5): stopped or dead


@dataclass(frozen=True)
class CommandResult:
    """The result of a command.

    Attributes:
        exit_code: the exit code; the negative signal number if a signal terminated the command.
        was_interrupted: whether SIGINT was sent.
        was_killed: whether SIGKILL was sent.
        has_timed_out: whether the signal was sent because the command exceeded its time limit.
    """

    exit_code: int
    was_interrupted: bool = False
    was_killed: bool = False
    has_timed_out: bool = False

    @property
    def has_succeeded(self) -> bool:
        return self.exit_code == 0

    @property
    def was_canceled(self) -> bool:
        """Whether a cancel was requested. The command can still have succeeded; exit code 1 means any failure."""
        return (self.was_interrupted or self.was_killed) and not self.has_timed_out


class Process:
    """A command in a separate session and process group. `close` must be called.

    If the server is killed, the command receives SIGINT, so that Terraform stops gracefully.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdout: int, stderr: int
    ) -> None:
        INTERRUPT_GUARD.start()
        self._process = subprocess.Popen(  # noqa: S603
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        INTERRUPT_GUARD.add(self._process.pid)
        self._exit_watch = _exit_watch(self._process.pid)
        self._is_closed = False

    @property
    def pid(self) -> int:
        """The id of the process and of its group."""
        return self._process.pid

    def has_exited(self, *, within_s: float) -> bool:
        """Wait until the process has exited. Other processes of its group may still run."""
        if self._exit_watch is not None:  # returns immediately after the exit, and does not release the process id
            return self._exit_watch.poll(within_s * 1000)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        return self._process.returncode is not None

    def interrupt(self) -> None:
        """Send SIGINT to the process only; Terraform stops its providers."""
        self._process.send_signal(signal.SIGINT)

    def close(self) -> int:
        """Kill the remaining processes of the group, such as the children of a local-exec, and return the exit code."""
        if not self._is_closed:
            self._is_closed = True
            kill_group(self.pid)
            INTERRUPT_GUARD.remove(self.pid)
            self._process.wait()
            if self._exit_watch is not None:
                self._exit_watch.close()
        return self._process.wait()


class _ExitWatch:
    """Waits for the exit of a process. It uses `poll`: `select` does not support file descriptors above 1023."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._poll = select.poll()
        self._poll.register(handle, select.POLLIN)

    def poll(self, within_ms: float) -> bool:
        return bool(self._poll.poll(within_ms))

    def close(self) -> None:
        os.close(self._handle)


def _exit_watch(pid: int) -> _ExitWatch | None:
    """Watch a process; None on macOS, on Linux before 5.3, or if too many files are open."""
    if sys.platform == "linux":
        with suppress(OSError):
            return _ExitWatch(os.pidfd_open(pid))
    return None


def run(
    terraform: Terraform,
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    output: Path,
    on_output: Callable[[bytes], None],
    cancel_level: Callable[[], CancelLevel],
    is_complete: Callable[[], bool],
    limit_s: float | None = None,
) -> CommandResult:
    """Run Terraform until it exits.

    Args:
        terraform: the executable.
        arguments: the subcommand and its arguments.
        cwd: the working directory.
        environment: the complete environment.
        output: the file for the output. Its lock shows whether the process is still running (see `is_running`).
        on_output: receives the output at most 0.1 s after it was written. If it raises OSError, Terraform is
            interrupted, and the error is raised after Terraform has exited.
        cancel_level: returns the requested level; called four times a second.
        is_complete: returns whether the files that a kill must not truncate are complete (see `kill_group`).
        limit_s: the number of seconds after which Terraform is interrupted; it is killed 30 s later.
    """
    with _output_file(output) as file:
        _pid_file(output).unlink(missing_ok=True)  # of the previous command; its id may belong to another process now
        process = Process(
            terraform.command + tuple(arguments), cwd=cwd, environment=environment, stdout=file, stderr=file
        )
        pump = _Pump(file, on_output)
        stopper = _Stopper(process, cancel_level, is_complete, limit_s)
        try:
            _pid_file(output).write_text(str(process.pid))
            while not process.has_exited(within_s=_TICK_S):
                pump.pump()
                stopper.check(CancelLevel.INTERRUPT if pump.failure else CancelLevel.NONE)
        except BaseException:
            process.interrupt()
            process.has_exited(within_s=_GRACE_S)
            raise
        finally:
            exit_code = process.close()
        pump.pump()
    if pump.failure:
        raise pump.failure
    return CommandResult(
        exit_code, stopper.level >= CancelLevel.INTERRUPT, stopper.level >= CancelLevel.KILL, stopper.has_timed_out
    )


def is_running(output: Path) -> bool:
    """Whether a process that writes to this file is still running, including one that another server started."""
    try:
        with output.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def kill_running(output: Path, is_complete: Callable[[], bool]) -> None:
    """Kill the group of the process that writes to this file, if it is running and its id is recorded."""
    if is_running(output):
        with suppress(FileNotFoundError, ValueError):
            kill_group(int(_pid_file(output).read_text()), is_complete)


def kill_group(group: int, is_complete: Callable[[], bool] | None = None) -> None:
    """Kill a process group.

    Terraform writes its state in place, so a kill during the write leaves a truncated state. If `is_complete` is given,
    the group is suspended before the kill. While the state is incomplete, the group resumes for a moment, at most 100
    times. Then it is killed in any case.
    """
    with suppress(ProcessLookupError, PermissionError):  # all have exited; macOS raises PermissionError for zombies
        for _ in range(_MAX_SUSPENSIONS if is_complete else 0):
            os.killpg(group, signal.SIGSTOP)
            if _is_suspended(group) and (is_complete is None or is_complete()):
                break
            os.killpg(group, signal.SIGCONT)
            time.sleep(_SUSPEND_S)
        os.killpg(group, signal.SIGKILL)


def _is_suspended(pid: int) -> bool:
    """Wait until a process that received SIGSTOP is suspended. It first completes the current system call."""
    for _ in range(_MAX_SUSPENSIONS):
        time.sleep(_SUSPEND_S)
        try:
            threads = [(thread / "stat").read_text() for thread in Path(f"/proc/{pid}/task").iterdir()]
        except OSError:  # it has exited, or this is not Linux
            return True
        if all(stat.rpartition(")")[2].split()[0] in _NOT_RUNNING for stat in threads):
            return True
    return False


@contextmanager
def _output_file(path: Path) -> Iterator[int]:
    """A new file. It stays locked while a process uses it for its output, even if the server is gone."""
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    finally:
        os.close(file)


def _pid_file(output: Path) -> Path:
    return output.with_suffix(".pid")


class _Pump:
    """Forwards the output since the previous call."""

    def __init__(self, file: int, on_output: Callable[[bytes], None]) -> None:
        self._file = file
        self._on_output = on_output
        self._position = 0
        self.failure: OSError | None = None

    def pump(self) -> None:
        while not self.failure and (chunk := os.pread(self._file, _CHUNK_BYTES, self._position)):
            self._position += len(chunk)
            try:
                self._on_output(chunk)
            except OSError as error:
                self.failure = error


class _Stopper:
    """Sends the signals that the cancel level or the time limit requires, each one once."""

    def __init__(
        self,
        process: Process,
        cancel_level: Callable[[], CancelLevel],
        is_complete: Callable[[], bool],
        limit_s: float | None,
    ) -> None:
        self._process = process
        self._cancel_level = cancel_level
        self._is_complete = is_complete
        self._started = time.monotonic()
        self._limit_s = limit_s
        self._next_poll = self._started
        self.level = CancelLevel.NONE
        self.has_timed_out = False

    def check(self, at_least: CancelLevel) -> None:
        """Send the signals for the requested level, which is at least `at_least`."""
        level = max(at_least, self._requested(), self._timeout_level())
        if level >= CancelLevel.INTERRUPT > self.level:
            self._process.interrupt()
        if level >= CancelLevel.KILL > self.level:
            kill_group(self._process.pid, self._is_complete)
        self.level = max(self.level, level)

    def _requested(self) -> CancelLevel:
        now = time.monotonic()
        if now < self._next_poll:
            return CancelLevel.NONE
        self._next_poll = now + _CANCEL_POLL_S
        return self._cancel_level()

    def _timeout_level(self) -> CancelLevel:
        over_s = time.monotonic() - self._started - self._limit_s if self._limit_s is not None else -1.0
        if over_s < 0:
            return CancelLevel.NONE
        self.has_timed_out = self.has_timed_out or self.level == CancelLevel.NONE
        return CancelLevel.KILL if over_s > _GRACE_S else CancelLevel.INTERRUPT
