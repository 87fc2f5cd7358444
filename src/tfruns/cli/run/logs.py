"""`tfruns run logs`."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import print_lines, say
from tfruns.client.log_stream import LogStream
from tfruns.client.phase_logs import PhaseName, may_have_applied
from tfruns.errors import InvalidInput
from tfruns.next_actions import DIAGNOSE_RUN, NextAction
from tfruns.runs.masks import masker
from tfruns.tools.get_run_logs import no_log_note
from tfruns.views.logs import LogView

if TYPE_CHECKING:
    from tfruns.client.run_wait import Until

Phase = Literal["auto", "plan", "apply"]

_PHASE = "Select the phase; auto is the apply once it has started"
_FOLLOW = "Follow the log until the run needs a person or is final"
_UNTIL: dict[Phase, "Until"] = {"auto": "attention", "plan": "planned", "apply": "final"}


def logs(
    run: Run = None,
    /,
    *,
    phase: Annotated[Phase, Parameter(help=_PHASE)] = "auto",
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], help=_FOLLOW)] = False,
    tail: Annotated[PositiveInt | None, Parameter(help="Print only the last lines, at most 1000")] = None,
    search: Annotated[str, Parameter(help="Print only lines with this text")] = "",
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Print the log of a plan or apply.

    The log is plain text, with sensitive values masked. With --json, the result is one page: the last 100 lines, and
    the errors of a failed phase.

    For example:
        tfruns run logs run-CZcmD7eagjhyX0vN --follow
        tfruns run logs --workspace network --phase plan --search warning
    """

    async def work(session: Session) -> None:
        if follow and (tail or search or options.json):
            raise InvalidInput(
                "--follow cannot be combined with --tail, --search or --json.", solution="Omit one of them."
            )
        run_id = await resolve_run(session, run, workspace, organization)
        if follow:
            from tfruns.cli.watch import Watch, watch  # noqa: PLC0415  # imports rich

            await watch(session, Watch(run_id, _UNTIL[phase], None, await _phases(session, run_id, phase), True))
        elif options.json or tail or search:
            view = await session.call(
                "get_run_logs", LogView, run_id=run_id, phase=phase, tail_lines=tail, search=search
            )
            session.show(view, partial(_print, session))
        else:
            await _print_all(session, run_id, phase)

    run_command(work, options)


async def _phases(session: Session, run_id: str, phase: Phase) -> tuple[PhaseName, ...]:
    if phase != "auto":
        return (phase,)
    run = await session.gate.client.runs.read(run_id)
    return ("apply",) if may_have_applied(run) else ("plan", "apply")


def _print(session: Session, view: LogView) -> None:
    for error in view.errors:
        say(error, "red")
    if view.log:
        print_lines(view.log.split("\n"))
    if note := session.next_text(view.note, view.next_actions):
        say(note)


async def _print_all(session: Session, run_id: str, phase: Phase) -> None:
    """Print the log from its beginning to its current end."""
    client = session.gate.client
    log = LogStream(client, run_id, phase, partial(masker, client))
    while lines := await log.more():
        print_lines(lines)
    if not log.has_begun:
        diagnose = NextAction.for_run(DIAGNOSE_RUN, run_id, "covers the configuration, run tasks and policies")
        say(session.next_text(no_log_note(phase), [diagnose]))
