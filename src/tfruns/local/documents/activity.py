"""Comments and run events."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.local.store.schema import CommentRow, RunEventRow
from tfruns.wire.activity import Comment, RunEvent
from tfruns.wire.base import Related


def comment_resources(session: Session, rows: Sequence[CommentRow]) -> list[Comment]:
    """Comments on runs, with the events that they belong to."""
    ids = [row.id for row in rows]
    events = select(RunEventRow.comment_id, RunEventRow.id).where(RunEventRow.comment_id.in_(ids))
    event_of = dict(session.execute(events).all())
    return [
        Comment(
            id=row.id,
            body=row.body,
            run_event=Related(type="run-events", id=event_of[row.id]) if row.id in event_of else None,
        )
        for row in rows
    ]


def run_event_resource(row: RunEventRow) -> RunEvent:
    """Something that happened to a run."""
    return RunEvent(
        id=row.id,
        action=row.action,
        description=None,
        created_at=row.created_at,
        actor=Related(type="users", id=row.actor_id) if row.actor_id else None,
        comment=Related(type="comments", id=row.comment_id) if row.comment_id else None,
        run=Related(type="runs", id=row.run_id),
    )
