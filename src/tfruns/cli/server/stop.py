"""`tfruns server stop`."""

import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import OUTPUT_DEFAULTS, OutputOptions, seconds
from tfruns.cli.output import print_document
from tfruns.cli.progress_line import ProgressLine
from tfruns.cli.server.data_directory import DATA_DIR, data_directory
from tfruns.cli.terminal import say
from tfruns.errors import InvalidInput

_FORCE = "Interrupt active runs"
_DRAIN = "Wait until no run is active"
_TIMEOUT = "With --drain: wait at most this long, e.g. 5m"


def stop(
    *,
    force: Annotated[bool, Parameter(help=_FORCE)] = False,
    drain: Annotated[bool, Parameter(help=_DRAIN)] = False,
    timeout: Annotated[int | None, seconds(_TIMEOUT)] = None,
    data_dir: Annotated[Path | None, Parameter(help=DATA_DIR)] = None,
    output: OutputOptions = OUTPUT_DEFAULTS,
) -> None:
    """Stop the server of a data directory.

    Waits until the server has exited. If runs are active, the command is refused with exit code 10. With
    --force they are interrupted: a plan is repeated at the next start, and an apply is errored with its state saved.

    For example:
        tfruns server stop
        tfruns server stop --drain
    """
    with output.active():
        if force and drain:
            raise InvalidInput("--force and --drain cannot be used together.", solution="Use one of them.")
        if timeout is not None and not drain:
            raise InvalidInput("--timeout requires --drain.", solution="Add --drain, or omit --timeout.")
        within_s = (math.inf if timeout is None else timeout) if drain else None
        directory = data_directory(data_dir)
        from tfruns.local.control import stop_server  # noqa: PLC0415

        with ProgressLine(is_quiet=output.json).shown("Waiting for the runs" if drain else "Stopping the server"):
            before, interrupted = stop_server(directory, is_forced=force, drain_within_s=within_s)
    if output.json:
        print_document({"stopped": before.running, "pid": before.pid, "interrupted": interrupted})
    elif not before.running:
        say(f"No server is running on {before.data_dir}.")
    else:
        say(f"Stopped the server at {before.url}." if before.url else "Stopped the server.")
        if interrupted:
            say(f"Interrupted: {', '.join(interrupted)}.")
