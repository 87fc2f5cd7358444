"""The view of a comment."""

from dataclasses import dataclass

from tfruns.views.base import View


@dataclass(frozen=True, slots=True)
class CommentView(View):
    """A comment that was recorded with a run.

    Attributes:
        id: the run's id.
    """

    id: str
    comment_id: str
    recorded: bool = True
