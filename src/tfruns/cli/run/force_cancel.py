"""`tfruns run force-cancel`."""

from tfruns.cli.options import DEFAULTS, Comment, NamedRun, Options, Yes
from tfruns.cli.run.actions import print_accepted
from tfruns.cli.session import Session, command


def force_cancel(run: NamedRun, /, *, comment: Comment = "", yes: Yes = False, options: Options = DEFAULTS) -> None:
    """Kill a run that did not stop after a cancel, and unlock its workspace.

    What an apply is changing just then can be lost from the state.

    For example:
        tfruns run force-cancel run-CZcmD7eagjhyX0vN
    """

    async def work(session: Session) -> None:
        session.show(await session.call("force_cancel_run", run_id=run, comment=comment), print_accepted)

    command(work, options, is_agreed=yes)
