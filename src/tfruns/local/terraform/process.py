"""One Terraform process and everything it started: how it is begun, read, stopped and ended.

Output goes to a file and is read from there, not through a pipe. A reader that dies would break a pipe, and Terraform
would die of its next line instead of saving the state. Appending to a file also keeps lines of stdout and stderr whole.
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

_TICK_S = 0.1  # how late a line may be seen
_CANCEL_POLL_S = 0.25  # asking may cost a query
_GRACE_S = 30.0  # from the interrupt to the kill, where nobody is there to decide
_CHUNK_BYTES = 1 << 18
_FREEZE_S = 0.005
_MAX_FREEZES = 100
_STILL = {"T", "t", "Z", "X"}  # states of a thread, proc(5): stopped, or ended


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    Attributes:
        exit_code: as the shell counts; negative for the signal that ended it.
        was_interrupted: whether it was sent SIGINT.
        was_killed: whether it was sent SIGKILL.
        was_overtime: whether that was because it took longer than allowed.
    """

    exit_code: int
    was_interrupted: bool = False
    was_killed: bool = False
    was_overtime: bool = False

    @property
    def has_succeeded(self) -> bool:
        return self.exit_code == 0

    @property
    def was_canceled(self) -> bool:
        """Whether somebody asked for its end. It may have succeeded before it noticed; exit code 1 is any failure."""
        return (self.was_interrupted or self.was_killed) and not self.was_overtime


class Process:
    """A command in a session and process group of its own.

    Should this process be killed, it gets SIGINT, so that a Terraform whose server was killed stops gracefully. `close`
    has to be called.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdout: int, stderr: int
    ) -> None:
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
        self._ending = _ending_of(self._process.pid)
        self._is_closed = False

    @property
    def pid(self) -> int:
        """The id of the process, and of its group."""
        return self._process.pid

    def has_ended(self, *, within_s: float) -> bool:
        """Wait for the process itself; others of its group may still run."""
        if self._ending is not None:  # neither busy nor late, and the id stays ours until `close`
            return self._ending.poll(within_s * 1000)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        return self._process.returncode is not None

    def interrupt(self) -> None:
        """Ask the process alone to stop; Terraform passes it on to its providers as it sees fit."""
        self._process.send_signal(signal.SIGINT)

    def close(self) -> int:
        """Kill what is left of the group (an interrupted local-exec leaves its children) and return the exit code."""
        if not self._is_closed:
            self._is_closed = True
            kill_group(self.pid)
            INTERRUPT_GUARD.remove(self.pid)
            self._process.wait()
            if self._ending is not None:
                self._ending.close()
        return self._process.wait()


class _Ending:
    """The end of a process, to be waited for. Not with `select`, which takes no file above 1023."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._poll = select.poll()
        self._poll.register(handle, select.POLLIN)

    def poll(self, within_ms: float) -> bool:
        return bool(self._poll.poll(within_ms))

    def close(self) -> None:
        os.close(self._handle)


def _ending_of(pid: int) -> _Ending | None:
    """None on macOS, on a Linux before 5.3, and where no more files can be open: there, one asks for the process."""
    if sys.platform == "linux":
        with suppress(OSError):
            return _Ending(os.pidfd_open(pid))
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
    is_whole: Callable[[], bool],
    limit_s: float | None = None,
) -> CommandResult:
    """Run Terraform to its end, whatever that end is.

    Args:
        terraform: which one.
        arguments: the subcommand and what follows it.
        cwd: where to run it.
        environment: all of its environment.
        output: a file for its output; others see by it whether the process still runs (`is_running`).
        on_output: gets the output at most 0.1 s after it was written. Should it raise OSError, Terraform is
            interrupted, waited for, and the error raised then.
        cancel_level: the level that is wanted; called four times a second.
        is_whole: whether the files that a kill must not cut off are whole at the moment (see `kill_group`).
        limit_s: seconds after which it is interrupted, and 30 s later killed.
    """
    with _output_file(output) as file:
        _pid_file(output).unlink(missing_ok=True)  # that of the command before, whose id may be somebody else's by now
        process = Process(
            terraform.command + tuple(arguments), cwd=cwd, environment=environment, stdout=file, stderr=file
        )
        pump = _Pump(file, on_output)
        stopping = _Stopping(process, cancel_level, is_whole, limit_s)
        try:
            _pid_file(output).write_text(str(process.pid))
            while not process.has_ended(within_s=_TICK_S):
                pump.pump()
                stopping.check(CancelLevel.INTERRUPT if pump.failure else CancelLevel.NONE)
        except BaseException:
            process.interrupt()
            process.has_ended(within_s=_GRACE_S)
            raise
        finally:
            exit_code = process.close()
        pump.pump()
    if pump.failure:
        raise pump.failure
    level = stopping.level
    return CommandResult(exit_code, level >= CancelLevel.INTERRUPT, level >= CancelLevel.KILL, stopping.is_overtime)


def is_running(output: Path) -> bool:
    """Whether a process that writes to this file is still alive, whoever started it."""
    try:
        with output.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def kill_running(output: Path, is_whole: Callable[[], bool]) -> None:
    """Kill the group of the process that writes to this file, if there is one, and if its id could be written down."""
    if is_running(output):
        with suppress(FileNotFoundError, ValueError):
            kill_group(int(_pid_file(output).read_text()), is_whole)


def kill_group(group: int, is_whole: Callable[[], bool] | None = None) -> None:
    """Kill a process group; should that be asked for, not while it writes something that would be lost.

    Terraform writes its state in place: killed in the middle, it leaves half of one. So the group is frozen, and if
    the state is not whole, it may go on for a moment. It is killed in the end, whole or not.
    """
    with suppress(ProcessLookupError, PermissionError):  # all have ended; macOS says the latter of zombies
        for _ in range(_MAX_FREEZES if is_whole else 0):
            os.killpg(group, signal.SIGSTOP)
            if _is_frozen(group) and (is_whole is None or is_whole()):
                break
            os.killpg(group, signal.SIGCONT)
            time.sleep(_FREEZE_S)
        os.killpg(group, signal.SIGKILL)


def _is_frozen(pid: int) -> bool:
    """Wait until a process that was sent SIGSTOP does nothing any more; what it is doing in the kernel it finishes."""
    for _ in range(_MAX_FREEZES):
        time.sleep(_FREEZE_S)
        try:
            threads = [(thread / "stat").read_text() for thread in Path(f"/proc/{pid}/task").iterdir()]
        except OSError:  # it has ended, or this is not Linux
            return True
        if all(stat.rpartition(")")[2].split()[0] in _STILL for stat in threads):
            return True
    return False


@contextmanager
def _output_file(path: Path) -> Iterator[int]:
    """A new file, locked for as long as a process has it for its output, even if this process is gone."""
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
    """Passes on what has been written to the output file since the last time."""

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


class _Stopping:
    """Carries out what the cancel level, or the limit, asks for: each signal once."""

    def __init__(
        self,
        process: Process,
        cancel_level: Callable[[], CancelLevel],
        is_whole: Callable[[], bool],
        limit_s: float | None,
    ) -> None:
        self._process = process
        self._cancel_level = cancel_level
        self._is_whole = is_whole
        self._started = time.monotonic()
        self._limit_s = limit_s
        self._next_poll = self._started
        self.level = CancelLevel.NONE
        self.is_overtime = False

    def check(self, at_least: CancelLevel) -> None:
        """Stop the process as far as is asked for by now."""
        asked = max(at_least, self._asked(), self._overtime())
        if asked >= CancelLevel.INTERRUPT > self.level:
            self._process.interrupt()
        if asked >= CancelLevel.KILL > self.level:
            kill_group(self._process.pid, self._is_whole)
        self.level = max(self.level, asked)

    def _asked(self) -> CancelLevel:
        now = time.monotonic()
        if now < self._next_poll:
            return CancelLevel.NONE
        self._next_poll = now + _CANCEL_POLL_S
        return self._cancel_level()

    def _overtime(self) -> CancelLevel:
        over_s = time.monotonic() - self._started - self._limit_s if self._limit_s is not None else -1.0
        if over_s < 0:
            return CancelLevel.NONE
        self.is_overtime = self.is_overtime or self.level == CancelLevel.NONE
        return CancelLevel.KILL if over_s > _GRACE_S else CancelLevel.INTERRUPT
