"""`tfruns run force-execute`."""

from tfruns.cli.options import DEFAULTS, NamedRun, Options, Yes
from tfruns.cli.run.actions import print_accepted
from tfruns.cli.session import Session, command


def force_execute(run: NamedRun, /, *, yes: Yes = False, options: Options = DEFAULTS) -> None:
    """Let a pending run go next: the run that holds the workspace is discarded, all earlier pending ones are canceled.

    For example:
        tfruns run force-execute run-CZcmD7eagjhyX0vN
    """

    async def work(session: Session) -> None:
        session.show(await session.call("force_execute_run", run_id=run), print_accepted)

    command(work, options, is_agreed=yes)
