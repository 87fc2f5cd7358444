"""Comments, run events, and what no run has here: policy checks and task stages. And who is asking."""

from sqlalchemy import select

from tfruns.errors import UnprocessableEntity
from tfruns.local.documents.activity import comment_resource, run_event_resource
from tfruns.local.documents.workspaces import user_resource
from tfruns.local.routes.call import Attributes, Call, PageRequest, Reply, list_reply, resource_reply
from tfruns.local.service.find import find, find_run
from tfruns.local.service.transitions import record_event
from tfruns.local.store.schema import CommentRow, RunEventRow, UserRow
from tfruns.wire.base import Resource

_EVENT_INCLUDES = ("actor", "comment", "run")


class _Comment(Attributes):
    body: str | None = None


def list_comments(call: Call) -> Reply:
    """GET /runs/:run_id/comments -> 200."""
    with call.backend.database.read() as session:
        run = find_run(session, call.path["run_id"])
        rows = session.scalars(
            select(CommentRow).where(CommentRow.run_id == run.id).order_by(CommentRow.sequence)
        ).all()
        return _whole_list([comment_resource(row) for row in rows])


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
        return resource_reply(comment_resource(row), 201)


def read_comment(call: Call) -> Reply:
    """GET /comments/:id -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(comment_resource(find(session, CommentRow, CommentRow.id == call.path["id"])))


def list_run_events(call: Call) -> Reply:
    """GET /runs/:run_id/run-events -> 200, the oldest first."""
    include = call.include(_EVENT_INCLUDES)
    with call.backend.database.read() as session:
        run = find_run(session, call.path["run_id"])
        rows = session.scalars(
            select(RunEventRow).where(RunEventRow.run_id == run.id).order_by(RunEventRow.sequence)
        ).all()
        included: list[Resource] = []
        if "actor" in include:
            actors = {row.actor_id for row in rows if row.actor_id}
            included += [user_resource(row) for row in session.scalars(select(UserRow).where(UserRow.id.in_(actors)))]
        if "comment" in include:
            comments = select(CommentRow).where(CommentRow.run_id == run.id)
            included += [comment_resource(row) for row in session.scalars(comments)]
        return _whole_list([run_event_resource(row) for row in rows], included)


def list_nothing(call: Call) -> Reply:
    """GET /runs/:run_id/policy-checks, GET /runs/:run_id/task-stages -> 200, empty."""
    with call.backend.database.read() as session:
        find_run(session, call.path["run_id"])
    return _whole_list([])


def read_account(call: Call) -> Reply:
    """GET /account/details -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(user_resource(find(session, UserRow, UserRow.id == call.user_id)))


def ping(_: Call) -> Reply:
    """GET /ping -> 204."""
    return Reply(204)


def _whole_list(resources: list[Resource], included: list[Resource] | None = None) -> Reply:
    page = PageRequest(1, max(20, len(resources)))
    return list_reply(resources, page, total=len(resources), included=included or [])
