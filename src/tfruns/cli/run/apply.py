"""`tfruns run apply`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, Comment, Options, Organization, Run, Timeout, Wait, Workspace, Yes
from tfruns.cli.plans import draw_review, read_review
from tfruns.cli.run.actions import print_accepted
from tfruns.cli.run.bulk import All, DryRun, bulk
from tfruns.cli.run.filters import NO_FILTERS, Filters
from tfruns.cli.session import Session, command
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import err, say
from tfruns.cli.watch import Watch, wait_and_end
from tfruns.errors import Forbidden, InvalidInput, NotFound, TooLarge

_FINGERPRINT = "Apply only the plan that `tfruns run review` showed with this fingerprint"


def apply(
    run: Run = None,
    /,
    *,
    comment: Comment = "",
    fingerprint: Annotated[str | None, Parameter(help=_FINGERPRINT)] = None,
    wait: Wait = False,
    timeout: Timeout = None,
    yes: Yes = False,
    all_runs: All = False,
    dry_run: DryRun = False,
    filters: Filters = NO_FILTERS,
    workspace: Workspace = None,
    organization: Organization = None,
    options: Options = DEFAULTS,
) -> None:
    """Apply a run that waits for it: shows its plan, and asks. What is applied is the plan that was shown.

    With --wait the exit code says how it went: 0 applied, 20 it failed or was ended, 30 the time is over.

    For example:
        tfruns run apply run-CZcmD7eagjhyX0vN --wait
        tfruns run apply --workspace network --yes --comment "CHG-1042"
        tfruns run apply --all --all-workspaces --search nightly --dry-run
    """

    async def work(session: Session) -> ExitCode | None:
        _check(is_all=all_runs, run=run, fingerprint=fingerprint, wait=wait, timeout=timeout)
        if all_runs:
            return await bulk(session, "apply", filters, workspace, organization, comment=comment, is_dry=dry_run)
        filters.refuse_without_all(dry_run=dry_run)
        session.require_person()
        run_id = await resolve_run(session, run, workspace, organization)
        shown = await _show_plan(session, run_id)
        view = await session.call(
            "apply_run", run_id=run_id, comment=comment, fingerprint=fingerprint.strip() if fingerprint else shown
        )
        if wait:
            return await wait_and_end(session, Watch(view["id"], "final", timeout, ("apply",)))
        session.show(view, print_accepted)
        return None

    command(work, options, is_agreed=yes)


async def _show_plan(session: Session, run_id: str) -> str | None:
    """Show the plan; its fingerprint. Where it cannot be read, the question says what is known of it."""
    try:
        view = await read_review(session, run_id)
    except (NotFound, Forbidden, TooLarge) as error:
        say(f"The plan cannot be shown: {error.message}")
        return None
    draw_review(view, err())
    err().print()
    return view.get("fingerprint")


def _check(*, is_all: bool, run: str | None, fingerprint: str | None, wait: bool, timeout: int | None) -> None:
    if is_all and (run or fingerprint or wait):
        raise InvalidInput(
            "--all goes with filters, and neither with a run, nor --fingerprint, nor --wait.",
            solution="Leave one of them out.",
        )
    if timeout is not None and not wait:
        raise InvalidInput("--timeout is for --wait.", solution="Add --wait, or leave --timeout out.")
