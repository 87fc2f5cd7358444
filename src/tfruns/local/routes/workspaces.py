"""Workspaces, locks and variables. Source: HCP Terraform API, "Workspaces", "Workspace Variables"."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.documents.workspaces import variable_resource, workspace_resource, workspace_resources
from tfruns.local.ids import new_id
from tfruns.local.routes.call import Attributes, Call, Reply, list_reply, resource_reply
from tfruns.local.routes.included import included_with_workspaces
from tfruns.local.routes.tags import related_tags
from tfruns.local.service import workspaces as service
from tfruns.local.service.find import find, find_organization, find_workspace, lock_workspace
from tfruns.local.service.workspace_lists import search_workspaces
from tfruns.local.store.schema import OrganizationRow, VariableRow, WorkspaceRow

_INCLUDES = ("organization", "current_run", "current_run.plan", "locked_by", "current_configuration_version", "readme",
             "current_state_version", "outputs", "project")  # fmt: skip


class _Workspace(Attributes):
    name: str | None = None
    auto_apply: bool | None = None
    terraform_version: str | None = None
    working_directory: str | None = None
    description: str | None = None
    allow_destroy_plan: bool | None = None
    queue_all_runs: bool | None = None
    speculative_enabled: bool | None = None
    global_remote_state: bool | None = None
    file_triggers_enabled: bool | None = None
    trigger_prefixes: list[str] | None = None
    trigger_patterns: list[str] | None = None
    assessments_enabled: bool | None = None
    source_name: str | None = None
    source_url: str | None = None

    def values(self) -> dict[str, Any]:
        """The columns and the settings that were given."""
        said = self.model_dump(exclude_unset=True, by_alias=True)
        columns = {name.replace("-", "_"): said.pop(name) for name in _COLUMNS if said.get(name) is not None}
        if "terraform_version" in columns and columns["terraform_version"] in {"", "latest"}:
            del columns["terraform_version"]
        return {**columns, "settings": {name: value for name, value in said.items() if name not in _COLUMNS}}


_COLUMNS = ("name", "auto-apply", "terraform-version")


def list_workspaces(call: Call) -> Reply:
    """GET /organizations/:organization/workspaces -> 200."""
    page = call.page()
    include = call.include(_INCLUDES)
    with call.backend.database.read() as session:
        organization = find_organization(session, call.path["organization"])
        found = search_workspaces(session, organization, call)
        shown = found[page.offset : page.offset + page.size]
        return list_reply(
            workspace_resources(session, shown),
            page,
            total=len(found),
            included=included_with_workspaces(call.scope, session, shown, include),
        )


def create_workspace(call: Call) -> Reply:
    """POST /organizations/:organization/workspaces -> 201."""
    values = call.attributes(_Workspace).values()
    name = values.pop("name", None)
    with call.backend.database.write() as write:
        organization = find_organization(write.session, call.path["organization"])
        _check_project(call, organization)
        values["tags"] = related_tags(call) or {}
        row = service.create_workspace(call.backend, write, organization.name, name, values)
        return resource_reply(workspace_resource(write.session, row), 201)


def _check_project(call: Call, organization: OrganizationRow) -> None:
    """There is one project; a workspace cannot be put into another.

    Raises:
        NotFound: 404, another one is asked for.
    """
    if call.related_id("project") not in {None, organization.default_project_id}:
        raise NotFound("not found")


def read_workspace(call: Call) -> Reply:
    """GET /workspaces/:workspace_id, GET /organizations/:organization/workspaces/:name -> 200."""
    include = call.include(_INCLUDES)
    with call.backend.database.read() as session:
        row = _workspace(session, call)
        included = included_with_workspaces(call.scope, session, [row], include)
        return resource_reply(workspace_resource(session, row), included=included)


def _workspace(session: Any, call: Call) -> WorkspaceRow:
    if "workspace_id" in call.path:
        return find_workspace(session, call.path["workspace_id"])
    organization, name = call.path["organization"], call.path["name"]
    return find(session, WorkspaceRow, WorkspaceRow.organization == organization, WorkspaceRow.name == name)


def update_workspace(call: Call) -> Reply:
    """PATCH the same -> 200."""
    values = call.attributes(_Workspace).values()
    with call.backend.database.write() as write:
        row = lock_workspace(write.session, _workspace(write.session, call).id)
        _check_project(call, find_organization(write.session, row.organization))
        tags = related_tags(call)
        if tags is not None:
            values["tags"] = tags
        service.update_workspace(call.backend, write, row, values)
        return resource_reply(workspace_resource(write.session, row))


def delete_workspace(call: Call) -> Reply:
    """DELETE the same -> 204."""
    with call.backend.database.write() as write:
        service.delete_workspace(call.backend, write, _workspace(write.session, call))
    return Reply(204)


def safe_delete_workspace(call: Call) -> Reply:
    """POST …/actions/safe-delete -> 204, unless it is locked or still manages something."""
    with call.backend.database.write() as write:
        service.delete_workspace(call.backend, write, _workspace(write.session, call), is_safe=True)
    return Reply(204)


def lock_action(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/actions/lock -> 200."""
    reason = call.document().get("reason")
    if reason is not None and not isinstance(reason, str):
        raise UnprocessableEntity("The reason is not a string.")
    return _on_lock(
        call, lambda write, row: service.lock(call.backend, write, row, user_id=call.user_id, reason=reason)
    )


def unlock_action(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/actions/unlock -> 200."""
    return _on_lock(call, lambda write, row: service.unlock(call.backend, write, row, user_id=call.user_id))


def force_unlock_action(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/actions/force-unlock -> 200."""
    return _on_lock(
        call, lambda write, row: service.unlock(call.backend, write, row, user_id=call.user_id, is_forced=True)
    )


def _on_lock(call: Call, change: Callable[[Any, WorkspaceRow], None]) -> Reply:
    with call.backend.database.write() as write:
        row = find_workspace(write.session, call.path["workspace_id"])
        change(write, row)
        return resource_reply(workspace_resource(write.session, row))


# -- variables --------------------------------------------------------------------------------------------------------


class _Variable(Attributes):
    key: str | None = None
    value: str | None = None
    description: str | None = None
    category: str | None = None
    hcl: bool | None = None
    sensitive: bool | None = None


def list_variables(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/vars -> 200, all of them."""
    with call.backend.database.read() as session:
        workspace = find_workspace(session, call.path["workspace_id"])
        statement = select(VariableRow).where(VariableRow.workspace_id == workspace.id).order_by(VariableRow.key)
        return Reply(200, {"data": [variable_resource(row).to_wire() for row in session.scalars(statement)]})


def create_variable(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/vars -> 201."""
    values = _said(call)
    with call.backend.database.write() as write:
        workspace = find_workspace(write.session, call.path["workspace_id"])
        row = VariableRow(id=new_id("var"), workspace_id=workspace.id, created_at=call.backend.now(), key="", value="")
        row.hcl = row.sensitive = False
        service.save_variable(write, row, values)
        return resource_reply(variable_resource(row), 201)


def update_variable(call: Call) -> Reply:
    """PATCH /workspaces/:workspace_id/vars/:variable_id -> 200."""
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
    """DELETE /workspaces/:workspace_id/vars/:variable_id -> 204."""
    with call.backend.database.write() as write:
        write.session.delete(_variable(write.session, call))
    return Reply(204)


def _said(call: Call) -> dict[str, Any]:
    said = call.attributes(_Variable).model_dump(exclude_unset=True)
    return {name: value for name, value in said.items() if value is not None or name == "description"}


def _variable(session: Any, call: Call) -> VariableRow:
    return find(
        session,
        VariableRow,
        VariableRow.id == call.path["variable_id"],
        VariableRow.workspace_id == call.path["workspace_id"],
    )
