"""Variables of workspaces. Sources: HCP Terraform API, "Workspace Variables", and "Variables" for the older paths."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.api.request import ApiRequest, RequestAttributes
from tfruns.local.api.response import ApiResponse, list_response, resource_response
from tfruns.local.ids import new_id
from tfruns.local.service import workspaces as service
from tfruns.local.service.find import find, find_named, find_workspace
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import VariableRow, WorkspaceRow
from tfruns.wire.base import Related
from tfruns.wire.variables import Variable


class _VariableAttributes(RequestAttributes):
    wire_type = "vars"

    key: str | None = None
    value: str | None = None
    description: Annotated[str, Field(max_length=512)] | None = None
    category: str | None = None
    hcl: bool | None = None
    sensitive: bool | None = None


def list_variables(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/vars, GET /vars?filter[organization][name]=…&filter[workspace][name]=… -> 200.

    Also GET /workspaces/:workspace_id/all-vars, which in HCP Terraform adds the variables of variable sets.
    """
    with request.backend.database.read() as session:
        workspace = _workspace(session, request)
        statement = select(VariableRow).where(VariableRow.workspace_id == workspace.id).order_by(VariableRow.key)
        found = [variable_resource(row) for row in session.scalars(statement)]
        return list_response(found, request.whole_page(len(found)), total=len(found))


def create_variable(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/vars, POST /vars with a relationship to the workspace -> 201."""
    values = _given_attributes(request)
    with request.backend.database.write() as write:
        workspace = _workspace(write.session, request)
        row = VariableRow(
            id=new_id("var"), workspace_id=workspace.id, created_at=request.backend.now(), key="", value=""
        )
        row.hcl = row.sensitive = False
        service.save_variable(write, row, values)
        return resource_response(variable_resource(row), 201)


def update_variable(request: ApiRequest) -> ApiResponse:
    """PATCH /workspaces/:workspace_id/vars/:variable_id, PATCH /vars/:variable_id -> 200."""
    values = _given_attributes(request)
    with request.backend.database.write() as write:
        row = _variable(write.session, request)
        service.save_variable(write, row, values)
        return resource_response(variable_resource(row))


def read_variable(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/vars/:variable_id -> 200."""
    with request.backend.database.read() as session:
        return resource_response(variable_resource(_variable(session, request)))


def delete_variable(request: ApiRequest) -> ApiResponse:
    """DELETE /workspaces/:workspace_id/vars/:variable_id, DELETE /vars/:variable_id -> 204."""
    with request.backend.database.write() as write:
        write.session.delete(_variable(write.session, request))
    return ApiResponse(204)


def _given_attributes(request: ApiRequest) -> dict[str, Any]:
    given = request.attributes(_VariableAttributes).model_dump(exclude_unset=True)
    return {name: value for name, value in given.items() if value is not None or name == "description"}


def _workspace(session: AnySession, request: ApiRequest) -> WorkspaceRow:
    """The workspace from the path, from a relationship, or from a filter by names."""
    if "workspace_id" in request.path:
        return find_workspace(session, request.path["workspace_id"])
    if request.body.strip():
        workspace_id = request.related_id("workspace")
        if workspace_id is None:
            raise UnprocessableEntity("data.relationships.workspace is missing: a variable needs a workspace.")
        return find_named(session, WorkspaceRow, workspace_id)
    organization, name = (request.query.get(f"filter[{kind}][name]", "") for kind in ("organization", "workspace"))
    return find(session, WorkspaceRow, organization=organization, name=name)


def _variable(session: AnySession, request: ApiRequest) -> VariableRow:
    row = find(session, VariableRow, id=request.path["variable_id"])
    find_workspace(session, request.path.get("workspace_id", row.workspace_id))
    if request.path.get("workspace_id", row.workspace_id) != row.workspace_id:
        raise NotFound("not found")
    return row


def variable_resource(row: VariableRow) -> Variable:
    """A variable; the value of a sensitive one is null."""
    return Variable(
        id=row.id,
        key=row.key,
        value=None if row.sensitive else row.value,
        description=row.description,
        category=row.category,
        hcl=row.hcl,
        sensitive=row.sensitive,
        created_at=row.created_at,
        version_id=row.version_id,
        configurable=Related(type="workspaces", id=row.workspace_id),
        workspace=Related(type="workspaces", id=row.workspace_id),
    )
