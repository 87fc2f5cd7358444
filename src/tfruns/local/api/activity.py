"""Comments and run events."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.errors import UnprocessableEntity
from tfruns.local.api.links import WireResource
from tfruns.local.api.request import Attributes, Call
from tfruns.local.api.response import Reply, list_reply, resource_reply
from tfruns.local.service.find import find, find_run
from tfruns.local.service.transitions import record_event
from tfruns.local.store.schema import CommentRow, RunEventRow
from tfruns.wire.activity import Comment, RunEvent
from tfruns.wire.base import Related


class _Comment(Attributes):
    wire_type = "comments"

    body: str | None = None


def list_comments(call: Call) -> Reply:
    """GET /runs/:run_id/comments -> 200."""
    with call.backend.database.read() as session:
        run = find_run(session, call.path["run_id"])
        rows = session.scalars(
            select(CommentRow).where(CommentRow.run_id == run.id).order_by(CommentRow.sequence)
        ).all()
        return _whole_list(call, comment_resources(session, rows))


def create_comment(call: Call) -> Reply:
    """POST /runs/:run_id/comments -> 201.

    Raises:
        UnprocessableEntity: 422, it is empty.
    """
    body = (call.attributes(_Comment).body or "").strip()
    if not body:
        raise UnprocessableEntity("Body can't be blank")
    with call.backend.database.write() as write:
        run = find_run(write.session, call.path["run_id"])
        comment_id = record_event(call.backend, write.session, run.id, "commented", actor_id=call.user_id, comment=body)
        row = find(write.session, CommentRow, CommentRow.id == comment_id)
        return resource_reply(comment_resources(write.session, [row])[0], 201)


def read_comment(call: Call) -> Reply:
    """GET /comments/:id -> 200."""
    with call.backend.database.read() as session:
        row = find(session, CommentRow, CommentRow.id == call.path["id"])
        return resource_reply(comment_resources(session, [row])[0])


def list_run_events(call: Call) -> Reply:
    """GET /runs/:run_id/run-events -> 200, the oldest first."""
    with call.backend.database.read() as session:
        run = find_run(session, call.path["run_id"])
        rows = session.scalars(
            select(RunEventRow).where(RunEventRow.run_id == run.id).order_by(RunEventRow.sequence)
        ).all()
        included = call.included(session, rows)
        return _whole_list(call, [run_event_resource(row) for row in rows], included)


def read_run_event(call: Call) -> Reply:
    """GET /run-events/:id -> 200."""
    with call.backend.database.read() as session:
        row = find(session, RunEventRow, RunEventRow.id == call.path["id"])
        included = call.included(session, [row])
        return resource_reply(run_event_resource(row), included=included)


def _whole_list(call: Call, resources: Sequence[WireResource], included: Sequence[WireResource] = ()) -> Reply:
    return list_reply(resources, call.whole_page(len(resources)), total=len(resources), included=included)


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
