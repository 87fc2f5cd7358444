"""Comments and run events."""

from collections.abc import Sequence

from sqlalchemy import select

from tfruns.errors import UnprocessableEntity
from tfruns.local.api.links import WireResource
from tfruns.local.api.request import ApiRequest, RequestAttributes
from tfruns.local.api.response import ApiResponse, list_response, resource_response
from tfruns.local.service.find import find, find_run
from tfruns.local.service.transitions import record_event
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import CommentRow, RunEventRow
from tfruns.wire.activity import Comment, RunEvent
from tfruns.wire.base import Related


class _CommentAttributes(RequestAttributes):
    wire_type = "comments"

    body: str | None = None


def list_comments(request: ApiRequest) -> ApiResponse:
    """GET /runs/:run_id/comments -> 200."""
    with request.backend.database.read() as session:
        run = find_run(session, request.path["run_id"])
        rows = session.scalars(
            select(CommentRow).where(CommentRow.run_id == run.id).order_by(CommentRow.sequence)
        ).all()
        return _whole_list(request, comment_resources(session, rows))


def create_comment(request: ApiRequest) -> ApiResponse:
    """POST /runs/:run_id/comments -> 201.

    Raises:
        UnprocessableEntity: 422, the comment is empty.
    """
    body = (request.attributes(_CommentAttributes).body or "").strip()
    if not body:
        raise UnprocessableEntity("Body can't be blank")
    with request.backend.database.write() as write:
        run = find_run(write.session, request.path["run_id"])
        comment_id = record_event(
            request.backend, write.session, run.id, "commented", actor_id=request.user_id, comment=body
        )
        row = find(write.session, CommentRow, id=comment_id)
        return resource_response(comment_resources(write.session, [row])[0], 201)


def read_comment(request: ApiRequest) -> ApiResponse:
    """GET /comments/:id -> 200."""
    with request.backend.database.read() as session:
        row = find(session, CommentRow, id=request.path["id"])
        return resource_response(comment_resources(session, [row])[0])


def list_run_events(request: ApiRequest) -> ApiResponse:
    """GET /runs/:run_id/run-events -> 200, oldest first."""
    with request.backend.database.read() as session:
        run = find_run(session, request.path["run_id"])
        rows = session.scalars(
            select(RunEventRow).where(RunEventRow.run_id == run.id).order_by(RunEventRow.sequence)
        ).all()
        included = request.included(session, rows)
        return _whole_list(request, [run_event_resource(row) for row in rows], included)


def read_run_event(request: ApiRequest) -> ApiResponse:
    """GET /run-events/:id -> 200."""
    with request.backend.database.read() as session:
        row = find(session, RunEventRow, id=request.path["id"])
        included = request.included(session, [row])
        return resource_response(run_event_resource(row), included=included)


def _whole_list(
    request: ApiRequest, resources: Sequence[WireResource], included: Sequence[WireResource] = ()
) -> ApiResponse:
    return list_response(resources, request.whole_page(len(resources)), total=len(resources), included=included)


def comment_resources(session: AnySession, rows: Sequence[CommentRow]) -> list[Comment]:
    """Comments on runs, with their run events."""
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
    """A run event."""
    return RunEvent(
        id=row.id,
        action=row.action,
        description=None,
        created_at=row.created_at,
        actor=Related(type="users", id=row.actor_id) if row.actor_id else None,
        comment=Related(type="comments", id=row.comment_id) if row.comment_id else None,
        run=Related(type="runs", id=row.run_id),
    )
