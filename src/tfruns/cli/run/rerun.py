"""`tfruns run rerun`."""

from functools import partial
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import (
    DEFAULTS,
    NO_JOB,
    CommonOptions,
    JobOptions,
    Organization,
    Run,
    Timeout,
    Wait,
    Workspace,
    Yes,
)
from tfruns.cli.run.create import print_created
from tfruns.cli.session import Session, run_command
from tfruns.cli.step_summary import write_ci_outputs
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import say
from tfruns.cli.watch import Watch, watch_and_report
from tfruns.errors import InvalidInput
from tfruns.views.runs import RunView

_MESSAGE = 'Describe the purpose (default: "Rerun of" and its message)'
_AUTO_APPLY = "Apply automatically after a successful plan"


def rerun(
    run: Run = None,
    /,
    *,
    message: Annotated[str, Parameter(name=["--message", "-m"], help=_MESSAGE)] = "",
    auto_apply: Annotated[bool, Parameter(help=_AUTO_APPLY)] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    job: JobOptions = NO_JOB,
    yes: Yes = False,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Create a run like an earlier one.

    It has the same configuration version, options and variables. It waits for confirmation, even if the earlier run
    applied automatically. --auto-apply, and a run that destroys everything, ask for confirmation. With --wait, the exit
    codes are those of `tfruns run create`.

    For example:
        tfruns run rerun run-CZcmD7eagjhyX0vN --message "The registry is back"
        tfruns run rerun --workspace network --wait
    """

    async def work(session: Session) -> ExitCode | None:
        if timeout is not None and not wait:
            raise InvalidInput("--timeout requires --wait.", solution="Add --wait, or omit --timeout.")
        job.require_wait(is_waiting=wait)
        run_id = await resolve_run(session, run, workspace, organization)
        view = await session.call("rerun", RunView, run_id=run_id, message=message, auto_apply=auto_apply)
        if not wait:
            write_ci_outputs(view)
            session.show(view, partial(print_created, session))
            return None
        say(f"Created {view.id}. {view.url}")
        return await watch_and_report(session, Watch(view.id, "attention", timeout, ("plan", "apply"), job=job))

    run_command(work, options, is_confirmed=yes)
