"""`tfruns run wait`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, NO_JOB, CommonOptions, JobOptions, Organization, Run, Timeout, Workspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_run
from tfruns.cli.watch import Watch, watch_and_report
from tfruns.client.run_wait import Until

_UNTIL = "Wait until the run needs a person, is planned, or is final"


def wait(
    run: Run = None,
    /,
    *,
    until: Annotated[Until, Parameter(help=_UNTIL)] = "attention",
    timeout: Timeout = None,
    job: JobOptions = NO_JOB,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Wait for a run, and follow its log.

    --until attention ends when the run needs a person or is final. Ctrl-C asks whether to cancel the run. The exit code
    is 0 if the run has finished, 10 if it needs a person, 20 if it failed or was canceled or discarded, and 30 if the
    timeout expired.

    For example:
        tfruns run wait run-CZcmD7eagjhyX0vN
        tfruns run wait --workspace network --until final --timeout 10m
    """

    async def work(session: Session) -> ExitCode:
        run_id = await resolve_run(session, run, workspace, organization)
        return await watch_and_report(session, Watch(run_id, until, timeout, job=job))

    run_command(work, options)
