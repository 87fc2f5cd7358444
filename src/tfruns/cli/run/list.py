"""`tfruns run list`."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace
from tfruns.cli.run.filters import NO_FILTERS, Filters
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_table, status_text
from tfruns.cli.targets import resolve_organization, resolve_workspace
from tfruns.cli.terminal import in_options, say
from tfruns.tool import View


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
            owner = resolve_organization(session, organization)
            view = await session.call("list_runs_in_organization", organization=owner, **arguments)
        else:
            name = resolve_workspace(session, workspace, organization)
            view = await session.call("list_runs_in_workspace", workspace_id=name, **arguments)
        session.show(view, _print)

    run_command(work, options)


def _print(view: View) -> None:
    rows = [
        (
            run["id"],
            status_text(run["status"], needs_attention=run.get("needs_person", False)),
            run.get("operation"),
            run.get("workspace_name") or run.get("workspace_id"),
            run.get("created_at"),
            run.get("message"),
        )
        for run in view["runs"]
    ]
    print_table(["run", "status", "operation", "workspace", "created", "message"], rows)
    if view.get("note"):
        say(in_options(view["note"]))
    if view.get("next_page"):
        say(f"More: --page {view['next_page']}")
