"""`tfruns run force-execute`."""

from tfruns.cli.options import DEFAULTS, CommonOptions, RequiredRun, Yes
from tfruns.cli.run.actions import show_accepted
from tfruns.cli.run.force import refuse_if_impossible
from tfruns.cli.session import Session, run_command
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction


def force_execute(run: RequiredRun, /, *, yes: Yes = False, options: CommonOptions = DEFAULTS) -> None:
    """Execute a pending run next, ahead of all others.

    The current run of the workspace is discarded, and all earlier pending runs are canceled.

    For example:
        tfruns run force-execute run-CZcmD7eagjhyX0vN
    """

    async def work(session: Session) -> None:
        await refuse_if_impossible(session, run, RunAction.FORCE_EXECUTE)
        show_accepted(session, await session.call("force_execute_run", ActionView, run_id=run))

    run_command(work, options, is_confirmed=yes)
