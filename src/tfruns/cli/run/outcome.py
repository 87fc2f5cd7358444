"""`tfruns run outcome`."""

from functools import partial
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Column, print_table
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import say
from tfruns.views.review import ApplyStepsView

_FILTER = "Show only this outcome, or addresses with this text"
_COLUMNS = (Column("outcome", is_key=True), Column("action", is_key=True), Column("resource", is_key=True))


def outcome(
    run: Run = None,
    /,
    *,
    filter: Annotated[str, Parameter(help=_FILTER)] = "",  # noqa: A002  # as in `run review`
    paging: Paging = FIRST_PAGE,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show what an apply did to each resource.

    Failed steps are first. An outcome is done, failed, unknown (it started, and its end is not in the log),
    not_started, or not_in_log (it is unknown whether it started).

    For example:
        tfruns run outcome run-CZcmD7eagjhyX0vN
        tfruns run outcome --workspace network --filter not_started
    """

    async def work(session: Session) -> None:
        run_id = await resolve_run(session, run, workspace, organization)

        async def page(number: int, size: int) -> ApplyStepsView:
            selected = {"filter": filter, "page_number": number, "page_size": size}
            return await session.call("review_run", ApplyStepsView, run_id=run_id, applied=True, **selected)

        session.show(await paging.read(page), partial(_print, paging))

    run_command(work, options)


def _print(paging: Paging, view: ApplyStepsView) -> None:
    print_table(_COLUMNS, ((row.outcome, row.action, row.address) for row in view.rows))
    if view.counts:
        say(", ".join(f"{number} {name.replace('_', ' ')}" for name, number in view.counts.items()))
    if view.note:
        say(view.note)
    paging.print_more(view.next_page)
