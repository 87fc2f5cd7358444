"""`tfruns run cancel`."""

from tfruns.cli.options import DEFAULTS, Comment, Options, Organization, Run, Workspace, Yes
from tfruns.cli.run.actions import discarding_or_canceling
from tfruns.cli.run.bulk import All, DryRun
from tfruns.cli.run.filters import NO_FILTERS, Filters
from tfruns.cli.session import command


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

    work = discarding_or_canceling(
        "cancel", run, comment, filters, workspace, organization, is_all=all_runs, is_dry=dry_run
    )
    command(work, options, is_agreed=yes)
