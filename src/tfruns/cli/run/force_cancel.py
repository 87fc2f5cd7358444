"""`tfruns run force-cancel`."""

from tfruns.cli.options import DEFAULTS, Comment, CommonOptions, RequiredRun, Yes
from tfruns.cli.run.actions import show_accepted
from tfruns.cli.session import Session, run_command
from tfruns.views.runs import ActionView


def force_cancel(
    run: RequiredRun, /, *, comment: Comment = "", yes: Yes = False, options: CommonOptions = DEFAULTS
) -> None:
    """Kill a run after an unsuccessful cancel.

    Unlocks its workspace. If an apply is killed, the state may lack the changes that were in progress.

    For example:
        tfruns run force-cancel run-CZcmD7eagjhyX0vN
    """

    async def work(session: Session) -> None:
        show_accepted(session, await session.call("force_cancel_run", ActionView, run_id=run, comment=comment))

    run_command(work, options, is_confirmed=yes)
