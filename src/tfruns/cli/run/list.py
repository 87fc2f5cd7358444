"""`tfruns run list`."""

from functools import partial
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace
from tfruns.cli.run.filters import NO_FILTERS, Filters
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Column, print_paging, print_table, status_text
from tfruns.cli.targets import resolve_organization, resolve_workspace
from tfruns.cli.terminal import say
from tfruns.views.runs import RunPage

_COLUMNS = (
    Column("run", is_key=True),
    Column("status", is_key=True),
    Column("operation", hides=1),
    Column("workspace"),
    Column("created"),
    Column("message", shrinks=True),
)


def list_runs(
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    filters: Filters = NO_FILTERS,
    page: Annotated[PositiveInt, Parameter(help="Show this page")] = 1,
    page_size: Annotated[PositiveInt, Parameter(help="Show this many on a page, at most 100")] = 20,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List runs, newest first.

    Runs that need a person are marked with "!".

    For example:
        tfruns run list --workspace network
        tfruns run list --all-workspaces --group discardable
        tfruns run list --status errored --json
    """

    async def work(session: Session) -> None:
        arguments = {"page_number": page, "page_size": page_size, **filters.arguments(workspace)}
        if filters.all_workspaces:
            owner = await resolve_organization(session, organization)
            view = await session.call("list_runs_in_organization", RunPage, organization=owner, **arguments)
        else:
            name = await resolve_workspace(session, workspace, organization)
            view = await session.call("list_runs_in_workspace", RunPage, workspace_id=name, **arguments)
        session.show(view, partial(_print, session))

    run_command(work, options)


def _print(session: Session, view: RunPage) -> None:
    rows = [
        (
            run.id,
            status_text(run.status, needs_attention=bool(run.needs_person)),
            run.operation,
            run.workspace_name or run.workspace_id,
            run.created_at,
            run.message,
        )
        for run in view.runs
    ]
    print_table(_COLUMNS, rows)
    if note := session.next_text(view.note, view.next_actions):
        say(note)
    print_paging(view.next_page, view.total_pages)
