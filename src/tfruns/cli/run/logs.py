"""`tfruns run logs`."""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.options import DEFAULTS, Options, Organization, Run, Workspace
from tfruns.cli.session import Session, command
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import in_commands, in_options, print_lines, say
from tfruns.errors import InvalidInput
from tfruns.runs.log_stream import LogStream
from tfruns.runs.logs import PhaseName, may_have_applied
from tfruns.tool import View
from tfruns.tools.get_run_logs import no_log_note

if TYPE_CHECKING:
    from tfruns.tools.wait_for_run import Until

Phase = Literal["auto", "plan", "apply"]

_PHASE = "auto: of the apply if it began, else of the plan"
_FOLLOW = "Go on as the log grows, until the run waits for a person or is over"
_UNTIL: dict[Phase, "Until"] = {"auto": "attention", "plan": "planned", "apply": "final"}


def logs(
    run: Run = None,
    /,
    *,
    phase: Annotated[Phase, Parameter(help=_PHASE)] = "auto",
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], help=_FOLLOW)] = False,
    tail: Annotated[PositiveInt | None, Parameter(help="Only so many last lines, at most 1,000")] = None,
    search: Annotated[str, Parameter(help="Only lines with this text")] = "",
    workspace: Workspace = None,
    organization: Organization = None,
    options: Options = DEFAULTS,
) -> None:
    """Print the log of a run's plan or apply as clean text, without sensitive values.

    With --json it is one page: the last 100 lines, and the errors of a phase that failed.

    For example:
        tfruns run logs run-CZcmD7eagjhyX0vN --follow
        tfruns run logs --workspace network --phase plan --search warning
    """

    async def work(session: Session) -> None:
        if follow and (tail or search or options.json):
            raise InvalidInput(
                "--follow goes with neither --tail, nor --search, nor --json.", solution="Leave one out."
            )
        run_id = await resolve_run(session, run, workspace, organization)
        if follow:
            from tfruns.cli.watch import Watch, watch  # noqa: PLC0415  # which draws, with rich

            await watch(session, Watch(run_id, _UNTIL[phase], None, await _phases(session, run_id, phase), True))
        elif options.json or tail or search:
            view = await session.call("get_run_logs", run_id=run_id, phase=phase, tail_lines=tail, search=search)
            session.show(view, _print)
        else:
            await _print_all(session, run_id, phase)

    command(work, options)


async def _phases(session: Session, run_id: str, phase: Phase) -> tuple[PhaseName, ...]:
    if phase != "auto":
        return (phase,)
    run = await session.gate.client.runs.read(run_id)
    return ("apply",) if may_have_applied(run) else ("plan", "apply")


def _print(view: View) -> None:
    for error in view.get("errors", ()):
        say(error, "red")
    if view["log"]:
        print_lines(view["log"].split("\n"))
    if view.get("note"):
        say(in_options(view["note"]))


async def _print_all(session: Session, run_id: str, phase: Phase) -> None:
    """Print the log from its beginning to its present end."""
    log = LogStream(session.gate.client, run_id, phase)
    while lines := await log.more():
        print_lines(lines)
    if not log.has_begun:
        say(in_commands(no_log_note(phase)))
