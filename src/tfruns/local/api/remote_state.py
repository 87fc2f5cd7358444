"""Remote state consumers, and the requests that a run itself makes to read the states of other workspaces.

Source: HCP Terraform API, "Workspaces", "Get Remote State Consumers" and following.
"""

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tfruns.errors import BadRequest, NotFound, UnprocessableEntity
from tfruns.local.api.request import Call
from tfruns.local.api.response import Reply, list_reply
from tfruns.local.api.workspace_documents import workspace_resources
from tfruns.local.service.find import find, find_run, find_workspace, lock_workspace
from tfruns.local.service.remote_state import add_consumers, consumers_of, may_read_state, remove_consumers
from tfruns.local.store.database import Write
from tfruns.local.store.schema import StateOutputRow, StateVersionRow, WorkspaceRow

_INCLUDES_OF_RUNS = {"outputs"}


def list_consumers(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/relationships/remote-state-consumers -> 200."""
    page = call.page()
    with call.backend.database.read() as session:
        condition = consumers_of(find_workspace(session, call.path["workspace_id"]))
        total = session.scalar(select(func.count()).select_from(WorkspaceRow).where(condition))
        statement = select(WorkspaceRow).where(condition).order_by(WorkspaceRow.name)
        rows = session.scalars(statement.offset(page.offset).limit(page.size)).all()
        return list_reply(workspace_resources(session, rows), page, total=total)


def add(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/relationships/remote-state-consumers -> 204."""
    ids = _ids(call)
    return _change(call, lambda write, owner: add_consumers(write, owner, ids))


def remove(call: Call) -> Reply:
    """DELETE /workspaces/:workspace_id/relationships/remote-state-consumers -> 204."""
    ids = _ids(call)
    return _change(call, lambda write, owner: remove_consumers(write, owner, ids))


def replace(call: Call) -> Reply:
    """PATCH /workspaces/:workspace_id/relationships/remote-state-consumers -> 204."""
    ids = _ids(call)

    def change(write: Write, owner: WorkspaceRow) -> None:
        remove_consumers(write, owner)
        add_consumers(write, owner, ids)

    return _change(call, change)


def _change(call: Call, change: Callable[[Write, WorkspaceRow], None]) -> Reply:
    with call.backend.database.write() as write:
        change(write, lock_workspace(write.session, call.path["workspace_id"]))
    return Reply(204)


def _ids(call: Call) -> list[str]:
    items = call.document().get("data")
    ids = [item.get("id") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    if not isinstance(items, list) or len(ids) != len(items) or not all(isinstance(id_, str) for id_ in ids):
        raise UnprocessableEntity('data has to be a list of {"type": "workspaces", "id": "ws-…"}.')
    return [str(id_) for id_ in ids]


# -- a run's own requests ---------------------------------------------------------------------------------------------


def check_run_may_read(call: Call) -> None:
    """Let a run read the states that are shared with its workspace, and nothing else.

    Raises:
        NotFound: 404, the state or workspace does not exist, or is not shared with the run's workspace.
        BadRequest: 400, something other than outputs is to be included.
    """
    if set(call.words("include")) - _INCLUDES_OF_RUNS:
        raise BadRequest("Invalid include parameter: a run's own token can include outputs only.")
    with call.backend.database.read() as session:
        reader = find_workspace(session, find_run(session, call.scope.run_id or "").workspace_id)
        if call.path.get("organization", reader.organization) != reader.organization:
            raise NotFound("not found")
        owner = _workspace_of(session, call)
        if owner is not None and not may_read_state(session, reader, owner):
            raise NotFound("not found")


def _workspace_of(session: Session, call: Call) -> WorkspaceRow | None:
    """The workspace that a path is about; None for an organization or the API itself."""
    path = call.path
    if "workspace_id" in path:
        return find_workspace(session, path["workspace_id"])
    if "name" in path:
        return find(
            session, WorkspaceRow, WorkspaceRow.organization == path["organization"], WorkspaceRow.name == path["name"]
        )
    if "id" not in path:
        return None
    output = session.get(StateOutputRow, path["id"])
    state_id = output.state_version_id if output is not None else path["id"]
    return find_workspace(session, find(session, StateVersionRow, StateVersionRow.id == state_id).workspace_id)
