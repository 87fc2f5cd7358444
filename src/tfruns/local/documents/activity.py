"""Comments and run events."""

from tfruns.local.store.schema import CommentRow, RunEventRow
from tfruns.wire.activity import Comment, RunEvent
from tfruns.wire.base import Related


def comment_resource(row: CommentRow) -> Comment:
    """A comment on a run."""
    return Comment(id=row.id, body=row.body)


def run_event_resource(row: RunEventRow) -> RunEvent:
    """Something that happened to a run."""
    return RunEvent(
        id=row.id,
        action=row.action,
        description=None,
        created_at=row.created_at,
        actor=Related(type="users", id=row.actor_id) if row.actor_id else None,
        comment=Related(type="comments", id=row.comment_id) if row.comment_id else None,
    )
