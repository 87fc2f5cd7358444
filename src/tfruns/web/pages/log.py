"""The page of a whole log: its lines with numbers, page by page, or the lines that contain a text."""

from starlette.responses import Response

from tfruns.errors import NotFound
from tfruns.web.log_lines import LogTextView, log_page
from tfruns.web.pages.run_parts import names, read_run, run_path
from tfruns.web.visit import Visit

_PHASES = ("plan", "apply")
_MAX_LINE = 12  # digits of the number of a line


async def log_page_of(visit: Visit) -> Response:
    """A page of the log of a phase. `line` is a line of it, or `end`."""
    phase = visit.path("phase")
    if phase not in _PHASES:
        raise NotFound("This log does not exist: a run has the logs plan and apply.")
    line, search = visit.query("line"), visit.query("search")
    number = int(line) if line.isdecimal() and len(line) <= _MAX_LINE else 0 if line == "end" else 1
    run = await read_run(visit)
    found = await visit.call_tool(log_page, LogTextView, run_id=run.id, phase=phase, line=number, search=search)
    path = run_path(visit, run)
    return visit.page(
        "log",
        f"{phase.capitalize()} log",
        **names(visit, run),
        run=run,
        path=path,
        phase=phase,
        phases=_PHASES,
        log=found,
        search=search,
        log_path=f"{path}/logs/{phase}",
    )
