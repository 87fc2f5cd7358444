"""`tfruns run comment`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, RequiredRun
from tfruns.cli.session import Session, run_command
from tfruns.cli.terminal import say
from tfruns.errors import InvalidInput
from tfruns.views.comments import CommentView


def comment(
    run: RequiredRun,
    text: Annotated[str, Parameter(help="Text of the comment")],
    /,
    *,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Add a comment to a run.

    For example:
        tfruns run comment run-CZcmD7eagjhyX0vN "Waits for the change window."
    """

    async def work(session: Session) -> None:
        if not text.strip():
            raise InvalidInput("The comment is empty.", solution="Give a text.")
        view = await session.call("comment_on_run", CommentView, run_id=run, body=text)
        session.show(view, lambda view: say(f"Added a comment to {view.id}."))

    run_command(work, options)
