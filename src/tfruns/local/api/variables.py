"""Variables of workspaces. Sources: HCP Terraform API, "Workspace Variables", and "Variables" for the older paths."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.api.request import Attributes, Call
from tfruns.local.api.response import Reply, list_reply, resource_reply
from tfruns.local.ids import new_id
from tfruns.local.service import workspaces as service
from tfruns.local.service.find import find, find_workspace
from tfruns.local.store.schema import (
    VariableRow,
    WorkspaceRow,
)
from tfruns.wire.base import Related
from tfruns.wire.variables import Variable


class _Variable(Attributes):
    wire_type = "vars"

    key: str | None = None
    value: str | None = None
    description: Annotated[str, Field(max_length=512)] | None = None
    category: str | None = None
    hcl: bool | None = None
    sensitive: bool | None = None


def list_variables(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/vars, GET /vars?filter[organization][name]=…&filter[workspace][name]=… -> 200.

    Also GET /workspaces/:workspace_id/all-vars, which has those of variable sets in addition: there are none here.
    """
    with call.backend.database.read() as session:
        workspace = _workspace(session, call)
        statement = select(VariableRow).where(VariableRow.workspace_id == workspace.id).order_by(VariableRow.key)
        found = [variable_resource(row) for row in session.scalars(statement)]
        return list_reply(found, call.whole_page(len(found)), total=len(found))


def create_variable(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/vars, POST /vars with a relationship to the workspace -> 201."""
    values = _said(call)
    with call.backend.database.write() as write:
        workspace = _workspace(write.session, call)
        row = VariableRow(id=new_id("var"), workspace_id=workspace.id, created_at=call.backend.now(), key="", value="")
        row.hcl = row.sensitive = False
        service.save_variable(write, row, values)
        return resource_reply(variable_resource(row), 201)


def update_variable(call: Call) -> Reply:
    """PATCH /workspaces/:workspace_id/vars/:variable_id, PATCH /vars/:variable_id -> 200."""
    values = _said(call)
    with call.backend.database.write() as write:
        row = _variable(write.session, call)
        service.save_variable(write, row, values)
        return resource_reply(variable_resource(row))


def read_variable(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/vars/:variable_id -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(variable_resource(_variable(session, call)))


def delete_variable(call: Call) -> Reply:
    """DELETE /workspaces/:workspace_id/vars/:variable_id, DELETE /vars/:variable_id -> 204."""
    with call.backend.database.write() as write:
        write.session.delete(_variable(write.session, call))
    return Reply(204)


def _said(call: Call) -> dict[str, Any]:
    said = call.attributes(_Variable).model_dump(exclude_unset=True)
    return {name: value for name, value in said.items() if value is not None or name == "description"}


def _workspace(session: Session, call: Call) -> WorkspaceRow:
    """The workspace of the path, of a filter by names, or of a relationship."""
    if "workspace_id" in call.path:
        return find_workspace(session, call.path["workspace_id"])
    if call.body.strip():
        workspace_id = call.related_id("workspace")
        if workspace_id is None:
            raise UnprocessableEntity("The variable needs a relationship to its workspace.")
        return find_workspace(session, workspace_id)
    organization, name = (call.query.get(f"filter[{kind}][name]", "") for kind in ("organization", "workspace"))
    return find(session, WorkspaceRow, WorkspaceRow.organization == organization, WorkspaceRow.name == name)


def _variable(session: Session, call: Call) -> VariableRow:
    row = find(session, VariableRow, VariableRow.id == call.path["variable_id"])
    find_workspace(session, call.path.get("workspace_id", row.workspace_id))
    if call.path.get("workspace_id", row.workspace_id) != row.workspace_id:
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
