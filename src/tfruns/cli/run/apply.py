"""`tfruns run apply`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import (
    DEFAULTS,
    NO_JOB,
    Comment,
    CommonOptions,
    JobOptions,
    Organization,
    Run,
    Timeout,
    Wait,
    Workspace,
    Yes,
)
from tfruns.cli.plans import draw_review, read_review
from tfruns.cli.run.actions import show_accepted
from tfruns.cli.run.bulk import All, DryRun, act_on_all
from tfruns.cli.run.filters import NO_FILTERS, Filters
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import err, say
from tfruns.cli.watch import Watch, watch_and_report
from tfruns.errors import Forbidden, InvalidInput, NotFound, TooLarge
from tfruns.lifecycle import is_final
from tfruns.views.review import PlanReviewView
from tfruns.views.runs import ActionView

_FINGERPRINT = "Apply only the reviewed plan with this fingerprint"


def apply(
    run: Run = None,
    /,
    *,
    comment: Comment = "",
    fingerprint: Annotated[str | None, Parameter(help=_FINGERPRINT)] = None,
    wait: Wait = False,
    timeout: Timeout = None,
    job: JobOptions = NO_JOB,
    yes: Yes = False,
    all_runs: All = False,
    dry_run: DryRun = False,
    filters: Filters = NO_FILTERS,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Apply a run after you confirm its plan.

    Only the plan that is shown is applied. With --wait, the exit code is 0 if the run was applied, 20 if it failed or
    was canceled or discarded, and 30 if the timeout expired.

    For example:
        tfruns run apply run-CZcmD7eagjhyX0vN --wait
        tfruns run apply --workspace network --yes --comment "CHG-1042"
        tfruns run apply --all --all-workspaces --search nightly --dry-run
    """

    async def work(session: Session) -> ExitCode | None:
        _check_options(is_all=all_runs, run=run, fingerprint=fingerprint, wait=wait, timeout=timeout)
        job.require_wait(is_waiting=wait)
        if all_runs:
            return await act_on_all(
                session, "apply", filters, workspace, organization, comment=comment, is_dry_run=dry_run
            )
        filters.refuse_without_all(is_dry_run=dry_run)
        run_id = await resolve_run(session, run, workspace, organization)
        shown = await _show_plan(session, run_id) if session.can_confirm else None
        view = await session.call(
            "apply_run",
            ActionView,
            run_id=run_id,
            comment=comment,
            fingerprint=fingerprint.strip() if fingerprint else shown,
        )
        if wait:
            return await watch_and_report(session, Watch(view.id, "final", timeout, ("apply",), job=job))
        show_accepted(session, view)
        return None

    run_command(work, options, is_confirmed=yes)


async def _show_plan(session: Session, run_id: str) -> str | None:
    """Show the plan, and return its fingerprint. Without a readable plan, the question contains what is known.

    The plan of a final run is not shown: the API refuses its apply.
    """
    try:
        view = await read_review(session, run_id)
    except (NotFound, Forbidden, TooLarge) as error:
        say(f"The plan cannot be shown: {error.message}")
        return None
    if not is_final(view.status):
        draw_review(view, err())
        err().print()
    return view.fingerprint or None if isinstance(view, PlanReviewView) else None


def _check_options(*, is_all: bool, run: str | None, fingerprint: str | None, wait: bool, timeout: int | None) -> None:
    if is_all and (run or fingerprint or wait):
        raise InvalidInput(
            "--all cannot be combined with a run, --fingerprint or --wait.",
            solution="Omit --all, or select the runs with filters.",
        )
    if timeout is not None and not wait:
        raise InvalidInput("--timeout requires --wait.", solution="Add --wait, or omit --timeout.")
