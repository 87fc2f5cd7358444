"""`tfruns run discard`."""

from tfruns.cli.calling import Session, command
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, Comment, Options, Organization, Run, Workspace, Yes
from tfruns.cli.places import run_of
from tfruns.cli.run.actions import print_accepted
from tfruns.cli.run.bulk import All, DryRun, bulk
from tfruns.cli.run.filters import NO_FILTERS, Filters


def discard(
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
    """Discard a run that waits for confirmation or in the queue: it can never be applied then.

    Nothing is asked, unless with --all.

    For example:
        tfruns run discard run-CZcmD7eagjhyX0vN --comment "not needed"
        tfruns run discard --all --all-workspaces --search nightly --dry-run
    """

    async def work(session: Session) -> ExitCode | None:
        if all_runs:
            filters.refuse_with_run(run)
            return await bulk(session, "discard", filters, workspace, organization, comment=comment, is_dry=dry_run)
        filters.refuse_without_all(dry_run=dry_run)
        run_id = await run_of(session, run, workspace, organization)
        session.show(await session.call("discard_run", run_id=run_id, comment=comment), print_accepted)
        return None

    command(work, options, is_agreed=yes)
