"""`tfruns server status` and `tfruns server stop`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.types import NonNegativeFloat

from tfruns.cli.options import JSON
from tfruns.cli.progress_line import ProgressLine
from tfruns.cli.tables import print_fields
from tfruns.cli.terminal import elapsed, exit_on_error, print_json, say
from tfruns.errors import InvalidInput

if TYPE_CHECKING:
    from tfruns.local.control import ServerStatus
    from tfruns.local.data_dir import DataDirectory

_DATA_DIR = "Select the data directory (default: TFRUNS_DATA_DIR)"
_FORCE = "Interrupt unfinished runs"
_DRAIN = "Wait until all runs have finished"
_TIMEOUT = "With --drain: wait at most this many seconds"


def status(
    *,
    data_dir: Annotated[Path | None, Parameter(help=_DATA_DIR)] = None,
    json: Annotated[bool, Parameter(help=JSON)] = False,
) -> None:
    """Show the server of a data directory.

    Shows its address, its unfinished runs, and when it exits. The exit code is 0 whether or not a server is running.
    Reading the status does not count as use.

    For example:
        tfruns server status
        tfruns server status --json
    """
    with exit_on_error(is_json=json):
        from tfruns.local.control import read_status  # noqa: PLC0415

        found = read_status(_directory(data_dir))
    if json:
        print_json(found.as_dict())
    else:
        print_fields(_fields(found))


def stop(
    *,
    force: Annotated[bool, Parameter(help=_FORCE)] = False,
    drain: Annotated[bool, Parameter(help=_DRAIN)] = False,
    timeout: Annotated[NonNegativeFloat | None, Parameter(help=_TIMEOUT)] = None,
    data_dir: Annotated[Path | None, Parameter(help=_DATA_DIR)] = None,
    json: Annotated[bool, Parameter(help=JSON)] = False,
) -> None:
    """Stop the server of a data directory.

    Waits until the server has exited. If there are unfinished runs, the command is refused with exit code 10. With
    --force they are interrupted: a plan is repeated at the next start, and an apply is errored with its state saved.

    For example:
        tfruns server stop
        tfruns server stop --drain
    """
    with exit_on_error(is_json=json):
        if force and drain:
            raise InvalidInput("--force and --drain exclude each other.", solution="Use one of them.")
        if timeout is not None and not drain:
            raise InvalidInput("--timeout requires --drain.", solution="Add --drain, or omit --timeout.")
        within_s = (math.inf if timeout is None else timeout) if drain else None
        directory = _directory(data_dir)
        from tfruns.local.control import stop_server  # noqa: PLC0415

        with ProgressLine(is_quiet=json).shown("Waiting for the runs" if drain else "Stopping the server"):
            before, interrupted = stop_server(directory, is_forced=force, drain_within_s=within_s)
    if json:
        print_json({"stopped": before.running, "pid": before.pid, "interrupted": interrupted})
    elif not before.running:
        say(f"No server is running on {before.data_dir}.")
    else:
        say(f"Stopped the server at {before.url}." if before.url else "Stopped the server.")
        if interrupted:
            say(f"Interrupted: {', '.join(interrupted)}.")


def _directory(data_dir: Path | None) -> "DataDirectory":
    from tfruns.errors import ConnectionFailed  # noqa: PLC0415
    from tfruns.local.cannot_start import CannotStart, check_platform  # noqa: PLC0415

    try:
        check_platform()
    except CannotStart as error:
        raise ConnectionFailed("The local backend is not available.", cause=str(error)) from None
    from tfruns.local.data_dir import DataDirectory  # noqa: PLC0415

    return DataDirectory(data_dir)


def _fields(status: "ServerStatus") -> dict[str, Any]:
    fields: dict[str, Any] = {"server": _state(status), "data": status.data_dir}
    if not status.running:
        return fields
    fields |= {"address": status.url, "pid": status.pid}
    if not status.answers:
        return fields
    runs = status.runs_under_way or []
    return fields | {
        "since": status.since,
        "runs": ", ".join(runs) or "none unfinished",
        "exits": _idle_exit(status),
    }


def _state(status: "ServerStatus") -> str:
    if not status.running:
        return "not running"
    if status.url is None:
        return "starting or stopping"
    return "running" if status.answers else "running, but not responding"


def _idle_exit(status: "ServerStatus") -> str:
    if status.idle_exit_s is None:
        return "when it is stopped"
    if status.idle_exit_in_s is None:
        return f"{elapsed(status.idle_exit_s)} after its last use (it is in use)"
    return f"in {elapsed(status.idle_exit_in_s)} unless it is used"
