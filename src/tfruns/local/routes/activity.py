"""Comments, run events, and users."""

from collections.abc import Sequence

from sqlalchemy import select

from tfruns.errors import UnprocessableEntity
from tfruns.local.documents.activity import comment_resources, run_event_resource
from tfruns.local.documents.links import WireResource
from tfruns.local.documents.workspaces import account_resource, user_resource
from tfruns.local.routes.call import Attributes, Call, Reply, list_reply, resource_reply
from tfruns.local.routes.included import RUN_EVENT_INCLUDES, included_with_run_events
from tfruns.local.service.find import find, find_run
from tfruns.local.service.transitions import record_event
from tfruns.local.store.schema import CommentRow, RunEventRow, UserRow


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
    include = call.include(RUN_EVENT_INCLUDES)
    with call.backend.database.read() as session:
        run = find_run(session, call.path["run_id"])
        rows = session.scalars(
            select(RunEventRow).where(RunEventRow.run_id == run.id).order_by(RunEventRow.sequence)
        ).all()
        included = included_with_run_events(call.scope, session, rows, include)
        return _whole_list(call, [run_event_resource(row) for row in rows], included)


def read_run_event(call: Call) -> Reply:
    """GET /run-events/:id -> 200."""
    include = call.include(RUN_EVENT_INCLUDES)
    with call.backend.database.read() as session:
        row = find(session, RunEventRow, RunEventRow.id == call.path["id"])
        included = included_with_run_events(call.scope, session, [row], include)
        return resource_reply(run_event_resource(row), included=included)


def read_user(call: Call) -> Reply:
    """GET /users/:id -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(user_resource(find(session, UserRow, UserRow.id == call.path["id"])))


def read_account(call: Call) -> Reply:
    """GET /account/details -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(account_resource(find(session, UserRow, UserRow.id == call.user_id)))


def ping(_: Call) -> Reply:
    """GET /ping -> 204."""
    return Reply(204)


def _whole_list(call: Call, resources: Sequence[WireResource], included: Sequence[WireResource] = ()) -> Reply:
    return list_reply(resources, call.whole_page(len(resources)), total=len(resources), included=included)
