"""`tfruns run list`."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tfruns.cli.live import WatchOption, show_or_watch
from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.run.filters import NO_FILTERS, Filters
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Column, print_table, status_text
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
    paging: Paging = FIRST_PAGE,
    watch: WatchOption = False,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List runs, newest first.

    Without a workspace, the runs of all workspaces of the organization are listed. Runs that need a person are marked
    with "!". An unknown status is rejected; to select a status that tfruns does not know yet, use --jq.

    For example:
        tfruns run list --workspace network
        tfruns run list --all-workspaces --group discardable
        tfruns run list --workspace 'prod-*' --since 24h
        tfruns run list --status errored --limit 100 --json id,message
        tfruns run list --watch
    """

    async def work(session: Session) -> None:
        tool, given = await filters.call(session, workspace, organization, is_all_by_default=True)

        async def page(number: int, size: int) -> RunPage:
            return await session.call(tool, RunPage, **given, page_number=number, page_size=size)

        await show_or_watch(
            session, lambda: paging.read(page), partial(_print, session, paging, _name_in(given)), is_watched=watch
        )

    run_command(work, options)


def _name_in(given: Mapping[str, Any]) -> str | None:
    """The name of the listed workspace, which a list of one workspace does not repeat; None for an id or a URL."""
    owner, _, name = str(given.get("workspace_id", "")).partition("/")
    return name if owner and name and "/" not in name else None


def _print(session: Session, paging: Paging, workspace: str | None, view: RunPage) -> None:
    rows = [
        (
            run.id,
            status_text(run.status, needs_attention=bool(run.needs_person)),
            run.operation,
            run.workspace_name or workspace or run.workspace_id,
            run.created_at,
            run.message,
        )
        for run in view.runs
    ]
    print_table(_COLUMNS, rows)
    if note := session.next_text(view.note, view.next_actions):
        say(note)
    paging.print_more(view.next_page, view.total_pages)
