"""Remote state consumers, and the access that a run token gives to the states of other workspaces.

Source: HCP Terraform API, "Workspaces", "Get Remote State Consumers" and following.
"""

from collections.abc import Callable

from sqlalchemy import func, select

from tfruns.errors import BadRequest, NotFound, UnprocessableEntity
from tfruns.local.api.request import ApiRequest
from tfruns.local.api.response import ApiResponse, list_response
from tfruns.local.api.workspace_documents import workspace_resources
from tfruns.local.service import remote_state
from tfruns.local.service.find import find, find_run, find_workspace, workspace_for_update
from tfruns.local.service.remote_state import consumers_of, may_read_state
from tfruns.local.store.database import AnySession, Write
from tfruns.local.store.schema import StateOutputRow, StateVersionRow, WorkspaceRow

_RUN_TOKEN_INCLUDES = {"outputs"}


def list_consumers(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/relationships/remote-state-consumers -> 200."""
    page = request.page()
    with request.backend.database.read() as session:
        condition = consumers_of(find_workspace(session, request.path["workspace_id"]))
        total = session.scalar(select(func.count()).select_from(WorkspaceRow).where(condition))
        statement = select(WorkspaceRow).where(condition).order_by(WorkspaceRow.name)
        rows = session.scalars(statement.offset(page.offset).limit(page.size)).all()
        return list_response(workspace_resources(session, rows), page, total=total)


def add_consumers(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/relationships/remote-state-consumers -> 204."""
    ids = _ids(request)
    return _change(request, lambda write, owner: remote_state.add_consumers(write, owner, ids))


def remove_consumers(request: ApiRequest) -> ApiResponse:
    """DELETE /workspaces/:workspace_id/relationships/remote-state-consumers -> 204."""
    ids = _ids(request)
    return _change(request, lambda write, owner: remote_state.remove_consumers(write, owner, ids))


def replace_consumers(request: ApiRequest) -> ApiResponse:
    """PATCH /workspaces/:workspace_id/relationships/remote-state-consumers -> 204."""
    ids = _ids(request)

    def change(write: Write, owner: WorkspaceRow) -> None:
        remote_state.remove_consumers(write, owner)
        remote_state.add_consumers(write, owner, ids)

    return _change(request, change)


def _change(request: ApiRequest, change: Callable[[Write, WorkspaceRow], None]) -> ApiResponse:
    with request.backend.database.write() as write:
        change(write, workspace_for_update(write.session, request.path["workspace_id"]))
    return ApiResponse(204)


def _ids(request: ApiRequest) -> list[str]:
    items = request.document().get("data")
    ids = [item.get("id") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    if not isinstance(items, list) or len(ids) != len(items) or not all(isinstance(id_, str) for id_ in ids):
        raise UnprocessableEntity('data must be a list of {"type": "workspaces", "id": "ws-…"}.')
    return [str(id_) for id_ in ids]


# -- run tokens -------------------------------------------------------------------------------------------------------


def check_run_token_access(request: ApiRequest) -> None:
    """Allow a run token to read the states that are shared with the run's workspace, and nothing else.

    Raises:
        NotFound: 404, the state or workspace does not exist, or is not shared with the run's workspace.
        BadRequest: 400, the request includes other resources than outputs.
    """
    if set(request.words("include")) - _RUN_TOKEN_INCLUDES:
        raise BadRequest("Invalid include parameter: a run token can include only outputs.")
    with request.backend.database.read() as session:
        reader = find_workspace(session, find_run(session, request.context.run_id or "").workspace_id)
        if request.path.get("organization", reader.organization) != reader.organization:
            raise NotFound("not found")
        owner = _workspace_of(session, request)
        if owner is not None and not may_read_state(session, reader, owner):
            raise NotFound("not found")


def _workspace_of(session: AnySession, request: ApiRequest) -> WorkspaceRow | None:
    """The workspace that a path refers to; None for an organization or ping."""
    path = request.path
    if "workspace_id" in path:
        return find_workspace(session, path["workspace_id"])
    if "name" in path:
        return find(session, WorkspaceRow, organization=path["organization"], name=path["name"])
    if "id" not in path:
        return None
    of_output = select(StateOutputRow.state_version_id).where(StateOutputRow.id == path["id"])
    state_id = session.scalar(of_output) or path["id"]
    return find_workspace(session, find(session, StateVersionRow, id=state_id).workspace_id)
