"""The status of a data directory's server, and stopping it, from another process. Uses only the standard library."""

import http.client
import json
import os
import signal
import ssl
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from tfruns.errors import ConfirmationNeeded, ConnectionFailed, TfrunsError
from tfruns.local.data_dir import DataDirectory, Owner
from tfruns.wording import counted

STATUS_PATH = "/tfruns/server"

_RESPONSE_TIMEOUT_S = 5.0
_POLL_S = 0.1
_DRAIN_POLL_S = 0.5
STOP_WITHIN_S = 90.0  # the server closes requests within 10 s, and kills Terraform after a minute


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The server of a data directory.

    Attributes:
        data_dir: the data directory.
        running: whether a server is running.
        url: its URL; None while it is starting.
        pid: its process id.
        responding: whether it responded; if not, the attributes below are unknown.
        since: when it started, in UTC.
        idle_exit_s: after how many seconds without use it exits; None if it runs until it is stopped.
        idle_exit_in_s: the seconds until it exits if it is not used; None while it is in use.
        active_runs: the ids of the running and queued runs; None if unknown.
    """

    data_dir: str
    running: bool
    url: str | None = None
    pid: int | None = None
    responding: bool = False
    since: str | None = None
    idle_exit_s: float | None = None
    idle_exit_in_s: float | None = None
    active_runs: list[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_status(directory: DataDirectory) -> ServerStatus:
    """The status of the server of a data directory."""
    path = str(directory.path)
    if not directory.is_owned():
        return ServerStatus(path, running=False)
    owner = directory.owner()
    if owner is None:
        return ServerStatus(path, running=True)
    status = _request_status(directory, owner)
    if status is None:
        return ServerStatus(path, running=True, url=owner.url, pid=owner.pid)
    return ServerStatus(
        path,
        running=True,
        url=owner.url,
        pid=owner.pid,
        responding=True,
        since=status.get("since"),
        idle_exit_s=status.get("idle_exit_s"),
        idle_exit_in_s=status.get("idle_exit_in_s"),
        active_runs=status.get("active_runs"),
    )


def stop_server(
    directory: DataDirectory, *, is_forced: bool = False, drain_within_s: float | None = None
) -> tuple[ServerStatus, list[str]]:
    """Stop the server of a data directory, and wait until it has exited.

    Args:
        directory: the data directory.
        is_forced: interrupt active runs.
        drain_within_s: wait at most this many seconds until no run is active.

    Returns:
        The status before the stop, and the ids of the interrupted runs.

    Raises:
        ConfirmationNeeded: runs are active and `is_forced` is not set, or they did not finish in time.
        ConnectionFailed: it is unknown whether runs are active, or the server does not exit.
    """
    status = read_status(directory)
    deadline = time.monotonic() + (drain_within_s or 0)
    while drain_within_s is not None and status.running and status.active_runs:
        if time.monotonic() >= deadline:
            raise _runs_are_active(status.active_runs, f"They did not finish within {drain_within_s:g} s.")
        time.sleep(_DRAIN_POLL_S)
        status = read_status(directory)
    if not status.running:
        return status, []
    if not is_forced:
        _check_unused(status)
    _terminate_and_wait(directory, status)
    return status, status.active_runs or []


def _check_unused(status: ServerStatus) -> None:
    if status.active_runs is None:
        raise ConnectionFailed(
            "The server was not stopped: it is unknown whether runs are active.",
            cause="The server is starting, or does not respond.",
            solution="Retry, or use --force, which interrupts active runs.",
        )
    if status.active_runs:
        raise _runs_are_active(status.active_runs, "Stopping the server would interrupt them.")


def _runs_are_active(runs: list[str], cause: str) -> TfrunsError:
    number = counted(len(runs), "run is", "runs are")
    return ConfirmationNeeded(
        f"The server was not stopped: {number} active ({', '.join(runs)}).",
        cause=cause,
        solution="Use --drain to wait for them, or --force to interrupt them: an interrupted plan "
        "is repeated at the next start, and an interrupted apply becomes errored, with its state kept.",
    )


def _terminate_and_wait(directory: DataDirectory, status: ServerStatus) -> None:
    deadline = time.monotonic() + STOP_WITHIN_S
    signaled: int | None = None
    while directory.is_owned():
        owner = directory.owner()
        if owner is not None and signaled is None:
            signaled = owner.pid
            _terminate(owner)
        elif owner is not None and owner.pid != signaled:
            return  # another server was started in the meantime
        if time.monotonic() >= deadline:
            raise ConnectionFailed(
                f"The server did not exit within {STOP_WITHIN_S:.0f} s.",
                cause=f"It is process {status.pid}." if status.pid else "It has not published its process id.",
                solution="See server.log in the data directory. Run the command again, or kill the process.",
            )
        time.sleep(_POLL_S)


def _terminate(owner: Owner) -> None:
    try:
        os.kill(owner.pid, signal.SIGTERM)
    except ProcessLookupError:
        return  # it has already exited
    except PermissionError:
        raise ConnectionFailed(
            f"The server was not stopped: process {owner.pid} belongs to another user.",
            solution="Run the command as that user.",
        ) from None


def _request_status(directory: DataDirectory, owner: Owner) -> dict[str, Any] | None:
    address = urlsplit(owner.url)
    if address.hostname is None:
        return None
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        connection = http.client.HTTPSConnection(
            address.hostname, address.port, timeout=_RESPONSE_TIMEOUT_S, context=_tls(directory)
        )
    else:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=_RESPONSE_TIMEOUT_S)
    try:
        connection.request("GET", STATUS_PATH, headers={"authorization": f"Bearer {directory.token() or ''}"})
        response = connection.getresponse()
        status = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return status if response.status == 200 and isinstance(status, dict) else None


def _tls(directory: DataDirectory) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if directory.certificate.exists():
        context.load_verify_locations(directory.certificate)
    return context
