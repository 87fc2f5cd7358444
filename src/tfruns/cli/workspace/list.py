"""`tfruns workspace list`."""

from functools import partial
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.live import WatchOption, show_or_watch
from tfruns.cli.options import DEFAULTS, CommonOptions, Organization
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Column, print_table, status_text
from tfruns.cli.targets import resolve_organization
from tfruns.cli.terminal import say
from tfruns.views.workspaces import WorkspacePage

_COLUMNS = (
    Column("workspace", is_key=True),
    Column("id", hides=2),
    Column("current run", is_key=True),
    Column("status", is_key=True),
    Column("locked by", hides=5),
    Column("auto-apply", hides=4),
    Column("terraform", hides=1),
    Column("resources", hides=3),
)


def list_workspaces(
    *,
    organization: Organization = None,
    search: Annotated[str, Parameter(help="List only names with this text")] = "",
    paging: Paging = FIRST_PAGE,
    watch: WatchOption = False,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List the workspaces of an organization.

    Shows the current run of each workspace, its status, and what locks the workspace. Runs that need a person are
    marked with "!".

    For example:
        tfruns workspace list --organization acme
        tfruns workspace list --search prod --limit 100 --json name,status
    """

    async def work(session: Session) -> None:
        owner = await resolve_organization(session, organization)

        async def page(number: int, size: int) -> WorkspacePage:
            return await session.call(
                "list_workspaces", WorkspacePage, organization=owner, search=search, page_number=number, page_size=size
            )

        await show_or_watch(session, lambda: paging.read(page), partial(_print, paging), is_watched=watch)

    run_command(work, options)


def _print(paging: Paging, view: WorkspacePage) -> None:
    rows = [
        (
            row.name,
            row.id,
            row.current_run,
            status_text(row.status, needs_attention=bool(row.needs_person)) if row.status else None,
            row.locked_by,
            row.auto_apply,
            row.terraform,
            row.resources,
        )
        for row in view.workspaces
    ]
    print_table(_COLUMNS, rows)
    if view.note or not rows:
        say(view.note or "No workspace matches.")
    paging.print_more(view.next_page)
