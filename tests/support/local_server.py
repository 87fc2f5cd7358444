"""`tfruns server` as a process that tests start, kill and restart."""

import os
import select
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from tests.support.command_process import Process, start
from tests.support.stdio import PATIENCE_S, environment, tfruns
from tfruns import Client

_POLL_S = 0.02


def until(condition: Callable[[], object], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(_POLL_S)


class LocalServer:
    """A server with a data directory of the test. `start` or the `with` block starts it.

    Args:
        data_dir: the data directory. Its parent contains the log, unless `log` is given.
        arguments: further arguments of `tfruns server`.
        env: further environment variables.
        log: the file for its standard error.
        fault: Python code that runs before the command, in the same process.
    """

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        fault: str = "",
    ) -> None:
        self.data_dir = data_dir
        self.fault = fault
        self.arguments = arguments
        self.url = ""
        self._log = log or data_dir.parent / f"{data_dir.name}.log"
        self._env = {**environment(self._log.parent), **(env or {})}
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None, "it was not started"
        return self._process

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def stderr(self) -> str:
        """Everything that it has written to standard error since its first start."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def token(self) -> str:
        return (self.data_dir / "token").read_text().strip()

    @property
    def certificate(self) -> Path | None:
        """The certificate to trust, if it is self-signed."""
        path = self.data_dir / "tls" / "certificate.pem"
        return path if path.exists() else None

    def start(self) -> Self:
        """Start it, and return when it prints its address."""
        self.launch()
        line = self.read_line()
        assert line.startswith("listening on http"), f"{line!r}; standard error:\n{self.stderr}"
        self.url = line.removeprefix("listening on ").strip()
        return self

    def launch(self) -> None:
        """Start it, and return immediately."""
        assert not self.is_running
        self._close()
        port = () if "--port" in self.arguments else ("--port", "0")
        command = [tfruns(), "server", "--data-dir", str(self.data_dir), *port, *self.arguments]
        with self._log.open("ab") as stderr:
            self._process = start(command, env=self._env, fault=self.fault, stderr=stderr)

    def read_line(self) -> str:
        """The next line of its output; empty if it exited without one."""
        assert self.process.stdout is not None
        text, deadline = b"", time.monotonic() + PATIENCE_S
        while not text.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            assert select.select([self.process.stdout], [], [], left)[0], f"silent; standard error:\n{self.stderr}"
            part = os.read(self.process.stdout.fileno(), 1)
            if not part:
                break
            text += part
        return text.decode()

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """Wait for its exit code."""
        return self.process.wait(within_s)

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def pause(self, seconds: float) -> None:
        """Let it run for this many seconds, or until it exits."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def stop(self) -> int:
        """Stop it with SIGTERM, and return its exit code."""
        self.send_signal(signal.SIGTERM)
        return self.wait(within_s=120)

    def restart(self) -> Self:
        """Start it again after it has exited."""
        return self.start()

    def client(self) -> Client:
        """A client for this server and its organization."""
        return Client(self.url, self.token, organization="default", ca_file=self.certificate)

    def http(self) -> httpx2.AsyncClient:
        """A plain HTTP client, with the token."""
        headers = {"authorization": f"Bearer {self.token}"}
        verify = ssl.create_default_context(cafile=self.certificate) if self.certificate else True
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE_S, verify=verify)

    def terraforms(self, run_id: str = "") -> list[int]:
        """The processes of its runs, or of one run: Terraform and its children."""
        return processes_below(self.data_dir / "work" / run_id)

    def connects(self) -> bool:
        """Whether a process listens on its port."""
        host, _, port = self.url.partition("://")[2].rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Kill it, and all processes that use its data directory."""
        if self.is_running:
            self.kill()
        for pid in self.terraforms():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


def processes_below(directory: Path) -> list[int]:
    """The processes whose HOME is below a directory, as for every Terraform of a run."""
    mark = b"HOME=" + os.fsencode(directory) + b"/"
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environ = (process / "environ").read_bytes().split(b"\0")
        except OSError:  # it has exited, or belongs to another user
            continue
        if any(entry.startswith(mark) for entry in environ):
            found.append(int(process.name))
    return found
