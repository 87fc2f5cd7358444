"""`tfruns run cancel`."""

from tfruns.cli.calling import Session, command
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, Comment, Options, Organization, Run, Workspace, Yes
from tfruns.cli.places import run_of
from tfruns.cli.run.actions import print_accepted
from tfruns.cli.run.bulk import All, DryRun, bulk
from tfruns.cli.run.filters import NO_FILTERS, Filters


def cancel(
    run: Run = None,
    /,
    *,
    comment: Comment = "",
    yes: Yes = False,
    all_runs: All = False,
    dry_run: DryRun = False,
    filters: Filters = NO_FILTERS,
    workspace: Workspace = None,
    organization: Organization = None,
    options: Options = DEFAULTS,
) -> None:
    """Cancel a run: interrupt its plan or apply, as Ctrl-C would, or take it out of the queue.

    Nothing is asked, unless with --all.

    For example:
        tfruns run cancel run-CZcmD7eagjhyX0vN --comment "not needed"
        tfruns run cancel --all --all-workspaces --status pending --dry-run
    """

    async def work(session: Session) -> ExitCode | None:
        if all_runs:
            filters.refuse_with_run(run)
            return await bulk(session, "cancel", filters, workspace, organization, comment=comment, is_dry=dry_run)
        filters.refuse_without_all(dry_run=dry_run)
        run_id = await run_of(session, run, workspace, organization)
        session.show(await session.call("cancel_run", run_id=run_id, comment=comment), print_accepted)
        return None

    command(work, options, is_agreed=yes)
