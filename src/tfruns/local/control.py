"""Reading the status of a data directory's server, and stopping it: from another process, with the standard library."""

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

STATUS_PATH = "/tfruns/server"

_ANSWER_WITHIN_S = 5.0
_POLL_S = 0.1
_DRAIN_POLL_S = 0.5
STOP_WITHIN_S = 90.0  # the server ends requests within 10 s, and kills Terraform after a minute


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The server of a data directory.

    Attributes:
        data_dir: the directory.
        running: whether a server runs.
        url: its address; None while it starts.
        pid: its process.
        answers: whether it answered; if not, the rest is unknown.
        since: when it started, in UTC.
        idle_exit_s: how long it stays without use; None if it stays until it is stopped.
        idle_exit_in_s: in how long it exits unless it is used; None while it is in use.
        runs_under_way: the ids of the runs that are executed or queued; None if that is unknown.
    """

    data_dir: str
    running: bool
    url: str | None = None
    pid: int | None = None
    answers: bool = False
    since: str | None = None
    idle_exit_s: float | None = None
    idle_exit_in_s: float | None = None
    runs_under_way: list[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_status(directory: DataDirectory) -> ServerStatus:
    """Whether a server runs, and what it says about itself."""
    where = str(directory.path)
    if not directory.is_owned():
        return ServerStatus(where, running=False)
    owner = directory.owner()
    if owner is None:
        return ServerStatus(where, running=True)
    said = _ask(directory, owner)
    if said is None:
        return ServerStatus(where, running=True, url=owner.url, pid=owner.pid)
    return ServerStatus(
        where,
        running=True,
        url=owner.url,
        pid=owner.pid,
        answers=True,
        since=said.get("since"),
        idle_exit_s=said.get("idle_exit_s"),
        idle_exit_in_s=said.get("idle_exit_in_s"),
        runs_under_way=said.get("runs_under_way"),
    )


def stop_server(
    directory: DataDirectory, *, is_forced: bool = False, drain_within_s: float | None = None
) -> tuple[ServerStatus, list[str]]:
    """Stop the server of a data directory, and wait until it has exited.

    Args:
        directory: the data directory.
        is_forced: interrupt the runs under way.
        drain_within_s: wait so long at most until no run is under way.

    Returns:
        The server as it was, and the runs that were interrupted.

    Raises:
        ConfirmationNeeded: runs are under way, and is_forced is not set; or they did not end in time.
        ConnectionFailed: it is not known whether runs are under way, or the server does not exit.
    """
    status = read_status(directory)
    deadline = time.monotonic() + (drain_within_s or 0)
    while drain_within_s is not None and status.running and status.runs_under_way:
        if time.monotonic() >= deadline:
            raise _under_way(status.runs_under_way, f"They did not end within {drain_within_s:g} s.")
        time.sleep(_DRAIN_POLL_S)
        status = read_status(directory)
    if not status.running:
        return status, []
    if not is_forced:
        _check_unused(status)
    _end(directory, status)
    return status, status.runs_under_way or []


def _check_unused(status: ServerStatus) -> None:
    if status.runs_under_way is None:
        raise ConnectionFailed(
            "The server was not stopped: it does not say whether runs are under way.",
            cause="It is starting, or it does not answer.",
            solution="Try again, or use --force, which interrupts the runs that are under way.",
        )
    if status.runs_under_way:
        raise _under_way(status.runs_under_way, "Stopping the server would interrupt them.")


def _under_way(runs: list[str], cause: str) -> TfrunsError:
    number = "1 run is" if len(runs) == 1 else f"{len(runs)} runs are"
    return ConfirmationNeeded(
        f"The server was not stopped: {number} under way ({', '.join(runs)}).",
        cause=cause,
        solution="Use --drain to wait until no run is under way, or --force to interrupt: an interrupted plan is "
        "repeated at the next start, and an interrupted apply ends as errored with its state kept.",
    )


def _end(directory: DataDirectory, status: ServerStatus) -> None:
    deadline = time.monotonic() + STOP_WITHIN_S
    signaled: int | None = None
    while directory.is_owned():
        owner = directory.owner()
        if owner is not None and signaled is None:
            signaled = owner.pid
            _terminate(owner)
        elif owner is not None and owner.pid != signaled:
            return  # another one was started meanwhile
        if time.monotonic() >= deadline:
            raise ConnectionFailed(
                f"The server did not exit within {STOP_WITHIN_S:.0f} s.",
                cause=f"It is process {status.pid}." if status.pid else "It has not published its process id.",
                solution="Its log is server.log in the data directory. Run the command again, or kill the process.",
            )
        time.sleep(_POLL_S)


def _terminate(owner: Owner) -> None:
    try:
        os.kill(owner.pid, signal.SIGTERM)
    except ProcessLookupError:
        return  # it has just exited
    except PermissionError:
        raise ConnectionFailed(
            f"The server was not stopped: process {owner.pid} belongs to another user.",
            solution="Run the command as that user.",
        ) from None


def _ask(directory: DataDirectory, owner: Owner) -> dict[str, Any] | None:
    address = urlsplit(owner.url)
    if address.hostname is None:
        return None
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        connection = http.client.HTTPSConnection(
            address.hostname, address.port, timeout=_ANSWER_WITHIN_S, context=_tls(directory)
        )
    else:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.request("GET", STATUS_PATH, headers={"authorization": f"Bearer {directory.token() or ''}"})
        response = connection.getresponse()
        said = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return said if response.status == 200 and isinstance(said, dict) else None


def _tls(directory: DataDirectory) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if directory.certificate.exists():
        context.load_verify_locations(directory.certificate)
    return context
