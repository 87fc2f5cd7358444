"""`tfruns run force-cancel` and `tfruns run force-execute`: for emergencies, and always asked about."""

from tfruns.cli.calling import Session, command
from tfruns.cli.options import DEFAULTS, Comment, NamedRun, Options, Yes
from tfruns.cli.run.actions import print_accepted


def force_cancel(run: NamedRun, /, *, comment: Comment = "", yes: Yes = False, options: Options = DEFAULTS) -> None:
    """Kill a run that did not stop after a cancel, and unlock its workspace.

    What an apply is changing just then can be lost from the state.

    For example:
        tfruns run force-cancel run-CZcmD7eagjhyX0vN
    """

    async def work(session: Session) -> None:
        session.show(await session.call("force_cancel_run", run_id=run, comment=comment), print_accepted)

    command(work, options, is_agreed=yes)


def force_execute(run: NamedRun, /, *, yes: Yes = False, options: Options = DEFAULTS) -> None:
    """Let a pending run go next: the run that holds the workspace is discarded, all earlier pending ones are canceled.

    For example:
        tfruns run force-execute run-CZcmD7eagjhyX0vN
    """

    async def work(session: Session) -> None:
        session.show(await session.call("force_execute_run", run_id=run), print_accepted)

    command(work, options, is_agreed=yes)
