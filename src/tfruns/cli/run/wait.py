"""`tfruns run wait`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, Options, Organization, Run, Timeout, Workspace
from tfruns.cli.session import Session, command
from tfruns.cli.targets import resolve_run
from tfruns.cli.watch import Watch, wait_and_end
from tfruns.tools.wait_for_run import Until

_UNTIL = "attention: until it needs a person or is final; planned: until there is a plan; final: until it is over"


def wait(
    run: Run = None,
    /,
    *,
    until: Annotated[Until, Parameter(help=_UNTIL)] = "attention",
    timeout: Timeout = None,
    workspace: Workspace = None,
    organization: Organization = None,
    options: Options = DEFAULTS,
) -> None:
    """Wait for a run, and show its log as it grows.

    Ctrl-C asks whether to cancel the run. The exit code says how it ended: 0 done, 10 a person is needed, 20 it failed
    or was ended, 30 the time is over.

    For example:
        tfruns run wait run-CZcmD7eagjhyX0vN
        tfruns run wait --workspace network --until final --timeout 600
    """

    async def work(session: Session) -> ExitCode:
        run_id = await resolve_run(session, run, workspace, organization)
        return await wait_and_end(session, Watch(run_id, until, timeout))

    command(work, options)
