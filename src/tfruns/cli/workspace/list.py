"""`tfruns workspace list`."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_table, status_text
from tfruns.cli.targets import resolve_organization
from tfruns.cli.terminal import say
from tfruns.views.workspaces import WorkspacePage


def list_workspaces(
    *,
    organization: Organization = None,
    search: Annotated[str, Parameter(help="List only names with this text")] = "",
    page: Annotated[PositiveInt, Parameter(help="Show this page")] = 1,
    page_size: Annotated[PositiveInt, Parameter(help="Show this many on a page, at most 100")] = 20,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List the workspaces of an organization.

    Shows the current run of each workspace, its status, and what locks the workspace.

    For example:
        tfruns workspace list --organization acme
        tfruns workspace list --search prod --json
    """

    async def work(session: Session) -> None:
        view = await session.call(
            "list_workspaces",
            WorkspacePage,
            organization=resolve_organization(session, organization),
            search=search,
            page_number=page,
            page_size=page_size,
        )
        session.show(view, _print)

    run_command(work, options)


def _print(view: WorkspacePage) -> None:
    rows = [
        (
            row.name,
            row.id,
            row.current_run,
            status_text(row.status) if row.status else None,
            row.locked_by,
            "yes" if row.auto_apply else None,
            row.terraform,
            None if row.resources is None else str(row.resources),
        )
        for row in view.workspaces
    ]
    columns = ["workspace", "id", "current run", "status", "locked by", "auto-apply", "terraform", "resources"]
    print_table(columns, rows)
    if not rows:
        say("No workspace matches." if view.page == 1 else "The page is empty.")
    if view.next_page:
        say(f"More: --page {view.next_page}")
