"""The command `tfruns` as a process that starts quickly.

Loading the modules takes most of a second of processor time for each process. `start` asks a process that has loaded
them (`fork_server`, one for each session of tests) to fork. Tests of the installed command and of its start use
`subprocess` instead.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

TFRUNS = str(Path(sys.executable).parent / "tfruns")  # the installed command
_PROGRAM = "import sys\nfrom tfruns.cli import main\nsys.exit(main())"

Stream = int | IO[Any]
_FORK_SERVER_FILE = Path(__file__).with_name("fork_server.py")
# The interpreter reads these at its start, so a process with other values is not forked.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "TZ")


class CommandProcess:
    """A started process, with the part of `subprocess.Popen` that the tests use."""

    def __init__(self, pid: int, report: int, streams: Sequence[IO[bytes] | None]) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = streams
        self.returncode: int | None = None
        self._report = report
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code; None while the process runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has finished."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, sent: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        """Write to standard input, and read both outputs until the process has finished."""
        assert self.stdout is not None
        assert self.stderr is not None
        with ThreadPoolExecutor(3) as threads:
            threads.submit(self._send, sent)
            outputs = [threads.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        for stream in (self.stdout, self.stderr):
            stream.close()
        return outputs[0].result(), outputs[1].result()

    def _send(self, sent: bytes) -> None:
        assert self.stdin is not None
        with suppress(BrokenPipeError):
            self.stdin.write(sent)
        with suppress(BrokenPipeError):
            self.stdin.close()

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], timeout)[0]:
            with self._lock:
                if self.returncode is None:
                    code = _read_number(self._report)
                    self.returncode = -signal.SIGKILL if code is None else code  # None: the fork server has stopped
                    os.close(self._report)
        return self.returncode


Process = CommandProcess | subprocess.Popen[bytes]


class _ForkServer:
    """The fork server of this test session. It starts with the first request and stops with the session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self.env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}

    def send(self, document: dict[str, Any], streams: Sequence[int], report: int) -> None:
        """Start a process."""
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(document).encode())
            file.flush()
            with self._lock:
                socket.send_fds(self._started(), [b"."], [file.fileno(), *streams, report])

    def fileno(self) -> int:
        """The descriptor of the control socket, for a process that sends its own requests."""
        with self._lock:
            return self._started().fileno()

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, other = socket.socketpair()
            process = subprocess.Popen(
                [sys.executable, "-P", str(_FORK_SERVER_FILE), str(other.fileno())],
                env=self.env,
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                start_new_session=True,
            )
            other.close()
            atexit.register(_stop, process, self._control)
        return self._control


def _stop(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    control.close()
    process.wait()


_FORK_SERVER = _ForkServer()


def start(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    fault: str = "",
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = subprocess.PIPE,
    stderr: Stream = subprocess.PIPE,
    is_new_session: bool = False,
) -> Process:
    """Start a command as `subprocess.Popen` does, with a fork if it is `tfruns`.

    Args:
        arguments: the command line; the first is the name of the command.
        env: its environment.
        cwd: its directory.
        fault: Python code that runs first, in the same process.
        stdin: a file, its descriptor, `PIPE` or `DEVNULL`; the same for both outputs.
        is_new_session: whether the process gets its own session and process group.
    """
    program = f"{fault}\n{_PROGRAM}"
    if arguments[0] != TFRUNS or _interpreter_settings(env) != _interpreter_settings(_FORK_SERVER.env):
        command = [sys.executable, "-c", program, *arguments[1:]] if fault else [*arguments]
        return subprocess.Popen(
            command, env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=is_new_session
        )
    sys.audit("subprocess.Popen", arguments[0], list(arguments), str(cwd), dict(env))
    document = {
        "arguments": list(arguments), "env": dict(env), "cwd": str(cwd or Path.cwd()), "program": program,
        "is_new_session": is_new_session, "has_fault": bool(fault),
    }  # fmt: skip
    received, report = os.pipe()
    with ExitStack() as given:
        given.callback(os.close, report)
        streams = enumerate((stdin, stdout, stderr))
        ends = [_ends(stream, is_input=number == 0, given=given) for number, stream in streams]
        _FORK_SERVER.send(document, [theirs for theirs, _ in ends], report)
    pid = _read_number(received)
    assert pid is not None, "the fork server has stopped"
    return CommandProcess(pid, received, [ours for _, ours in ends])


# Runs as a command: it forwards its arguments, environment and streams, and exits with the code of the forked process.
_FORWARDING = """#!{python} -IS
import json, os, socket, sys, tempfile
received, report = os.pipe()
with tempfile.TemporaryFile() as file:
    document = {{
        "arguments": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "program": {program!r},
        "is_new_session": False, "has_fault": False,
    }}
    file.write(json.dumps(document).encode())
    file.flush()
    socket.send_fds(socket.socket(fileno={control}), [b"."], [file.fileno(), 0, 1, 2, report])
os.close(report)
with os.fdopen(received) as lines:
    pid, code = map(int, lines)
os._exit(code if code >= 0 else 128 - code)
"""


def forwarding_command(directory: Path) -> int:
    """Create a command `tfruns` for shell scripts, which starts as quickly as `start`.

    Returns:
        A descriptor that the shell has to inherit (`pass_fds`).
    """
    control = _FORK_SERVER.fileno()
    directory.mkdir(parents=True, exist_ok=True)
    command = directory / "tfruns"
    command.write_text(_FORWARDING.format(python=sys.executable, program=_PROGRAM, control=control))
    command.chmod(0o755)
    return control


def _interpreter_settings(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_READ_AT_START)}


def _ends(stream: Stream, *, is_input: bool, given: ExitStack) -> tuple[int, IO[bytes] | None]:
    """The descriptor for the process, which `given` closes here, and the other end if it is a pipe."""
    if stream == subprocess.DEVNULL:
        file = os.open(os.devnull, os.O_RDWR)
        given.callback(os.close, file)
        return file, None
    if stream == subprocess.PIPE:
        reading, writing = os.pipe()
        theirs, ours = (reading, writing) if is_input else (writing, reading)
        given.callback(os.close, theirs)
        return theirs, os.fdopen(ours, "wb" if is_input else "rb")
    return (stream if isinstance(stream, int) else stream.fileno()), None


def _read_number(file: int) -> int | None:
    """The next line of a pipe as a number; None at its end."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(file, 1)
        if not part:
            return None
        line += part
    return int(line)
