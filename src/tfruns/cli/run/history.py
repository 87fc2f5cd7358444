"""`tfruns run history`."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.paging import print_paging
from tfruns.cli.run.timeline import timeline_lines
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Column, print_fields, print_table, status_text
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import print_line, say
from tfruns.masking.text import sanitize
from tfruns.views.history import HistoryView

_COLUMNS = (
    Column("at", is_key=True),
    Column("by", is_key=True),
    Column("action", is_key=True),
    Column("comment", wraps=True),
)


def history(
    run: Run = None,
    /,
    *,
    page: Annotated[PositiveInt, Parameter(help="Show this page of events")] = 1,
    page_size: Annotated[PositiveInt, Parameter(help="Show this many on a page, at most 50")] = 30,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show the events and comments of a run.

    Also shows the timeline, with the duration of each status.

    For example:
        tfruns run history run-CZcmD7eagjhyX0vN
        tfruns run history --workspace network --json
    """

    async def work(session: Session) -> None:
        run_id = await resolve_run(session, run, workspace, organization)
        view = await session.call("get_run_history", HistoryView, run_id=run_id, page_number=page, page_size=page_size)
        session.show(view, _print)

    run_command(work, options)


def _print(view: HistoryView) -> None:
    print_fields(
        {
            "run": view.id,
            "status": status_text(view.status),
            "created by": view.created_by or None,
            "confirmed by": view.confirmed_by or None,
        }
    )
    if view.timeline:
        print_line()
        for line in timeline_lines(view.timeline):
            print_line(line)
    if view.events:
        print_line()
        rows = [(event.at, event.by, event.action, event.comment or event.description) for event in view.events]
        print_table(_COLUMNS, rows)
    for text in view.comments:
        print_line(f"comment: {sanitize(text)}")
    if view.note:
        say(view.note)
    print_paging(view.next_page)
