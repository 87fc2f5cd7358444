"""`tfruns server status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tfruns.cli.options import OUTPUT_DEFAULTS, OutputOptions
from tfruns.cli.output import print_document
from tfruns.cli.server.data_directory import DATA_DIR, data_directory
from tfruns.cli.tables import print_fields
from tfruns.cli.terminal import elapsed

if TYPE_CHECKING:
    from tfruns.local.control import ServerStatus


def status(
    *,
    data_dir: Annotated[Path | None, Parameter(help=DATA_DIR)] = None,
    output: OutputOptions = OUTPUT_DEFAULTS,
) -> None:
    """Show the server of a data directory.

    Shows its address, its active runs, and when it exits. The exit code is 0 whether or not a server is running.
    Reading the status does not count as use.

    For example:
        tfruns server status
        tfruns server status --json
    """
    with output.active():
        from tfruns.local.control import read_status  # noqa: PLC0415

        found = read_status(data_directory(data_dir))
        if output.json:
            print_document(found.as_dict())
        else:
            print_fields(_fields(found))


def _fields(status: "ServerStatus") -> dict[str, Any]:
    fields: dict[str, Any] = {"server": _state(status), "data": status.data_dir}
    if not status.running:
        return fields
    fields |= {"address": status.url, "pid": status.pid}
    if not status.responding:
        return fields
    runs = status.active_runs or []
    return fields | {
        "since": status.since,
        "runs": ", ".join(runs) or "none active",
        "exits": _idle_exit(status),
    }


def _state(status: "ServerStatus") -> str:
    if not status.running:
        return "not running"
    if status.url is None:
        return "starting or stopping"
    return "running" if status.responding else "running, but not responding"


def _idle_exit(status: "ServerStatus") -> str:
    if status.idle_exit_s is None:
        return "when it is stopped"
    if status.idle_exit_in_s is None:
        return f"{elapsed(status.idle_exit_s)} after its last use (it is in use)"
    return f"in {elapsed(status.idle_exit_in_s)} unless it is used"
