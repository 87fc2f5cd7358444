"""`tfruns run discard`."""

from tfruns.cli.options import DEFAULTS, Comment, CommonOptions, Organization, Run, Workspace, Yes
from tfruns.cli.run.actions import discard_or_cancel
from tfruns.cli.run.bulk import All, DryRun
from tfruns.cli.run.filters import NO_FILTERS, Filters
from tfruns.cli.session import run_command


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
    options: CommonOptions = DEFAULTS,
) -> None:
    """Discard a run permanently.

    A discarded run can never be applied. The run must be waiting for confirmation or in the queue. Only --all asks for
    confirmation.

    For example:
        tfruns run discard run-CZcmD7eagjhyX0vN --comment "not needed"
        tfruns run discard --all --all-workspaces --search nightly --dry-run
    """

    work = discard_or_cancel(
        "discard", run, comment, filters, workspace, organization, is_all=all_runs, is_dry_run=dry_run
    )
    run_command(work, options, is_confirmed=yes)
