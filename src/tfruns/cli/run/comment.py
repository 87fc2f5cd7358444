"""`tfruns run comment`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, NamedRun, Options
from tfruns.cli.session import Session, command
from tfruns.cli.terminal import say
from tfruns.errors import InvalidInput


def comment(
    run: NamedRun,
    text: Annotated[str, Parameter(help="What to say")],
    /,
    *,
    options: Options = DEFAULTS,
) -> None:
    """Write a comment on a run, for the people who read it.

    For example:
        tfruns run comment run-CZcmD7eagjhyX0vN "Waits for the change window."
    """

    async def work(session: Session) -> None:
        if not text.strip():
            raise InvalidInput("The comment is empty.", solution="Say something.")
        view = await session.call("comment_on_run", run_id=run, body=text)
        session.show(view, lambda view: say(f"Commented on {view['id']}."))

    command(work, options)
