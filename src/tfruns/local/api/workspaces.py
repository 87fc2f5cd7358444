"""Workspaces and their locks. Source: HCP Terraform API, "Workspaces"."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.api.organizations import NO_AGENTS, ExecutionMode
from tfruns.local.api.request import Attributes, Call, unavailable
from tfruns.local.api.response import Reply, list_reply, resource_reply
from tfruns.local.api.tags import related_tags
from tfruns.local.api.workspace_documents import WORKSPACE_SETTINGS, workspace_resource, workspace_resources
from tfruns.local.service import workspaces as service
from tfruns.local.service.find import find, find_organization, find_workspace, lock_workspace
from tfruns.local.service.workspace_lists import search_workspaces
from tfruns.local.store.schema import OrganizationRow, WorkspaceRow

MAX_TEXT = 1024
"""The longest description, name of a source and the like."""


_VERSION = re.compile(r"v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?")


_CONSTRAINT = re.compile(rf"\s*(=|!=|>=?|<=?|~>)?\s*{_VERSION.pattern}\s*")


def checked_version(version: str) -> str:
    """A version of Terraform, or a constraint such as `~> 1.11.0`.

    Raises:
        ValueError: it is neither.
    """
    if len(version) > 60 or not (
        version in {"", "latest"} or all(_CONSTRAINT.fullmatch(part) for part in version.split(","))
    ):
        raise ValueError("is not a version of Terraform, such as 1.11.4, or a constraint, such as ~> 1.11.0")
    return version


_NO_AUTO_DESTROY = "workspaces are not destroyed automatically here"


_Text = Annotated[str, Field(max_length=MAX_TEXT)]


class _Workspace(Attributes):
    """Every attribute of the reference. What cannot be had is refused, and null leaves the others as they are."""

    wire_type = "workspaces"

    name: str | None = None
    auto_apply: bool | None = None
    terraform_version: Annotated[str, AfterValidator(checked_version)] | None = None
    execution_mode: ExecutionMode | None = None
    operations: bool | None = None
    setting_overwrites: dict[str, bool] | None = None
    agent_pool_id: Annotated[str | None, unavailable(NO_AGENTS)] = None
    allow_destroy_plan: bool | None = None
    assessments_enabled: Annotated[bool | None, unavailable("there are no health assessments here")] = None
    auto_apply_run_trigger: bool | None = None
    auto_destroy_at: Annotated[str | None, unavailable(_NO_AUTO_DESTROY)] = None
    auto_destroy_activity_duration: Annotated[str | None, unavailable(_NO_AUTO_DESTROY)] = None
    description: _Text | None = None
    file_triggers_enabled: bool | None = None
    global_remote_state: bool | None = None
    hyok_enabled: Annotated[bool | None, unavailable("states are not encrypted here")] = None
    inherits_project_auto_destroy: bool | None = None
    migration_environment: _Text | None = None
    project_remote_state: bool | None = None
    queue_all_runs: bool | None = None
    source_name: _Text | None = None
    source_url: _Text | None = None
    speculative_enabled: bool | None = None
    structured_run_output_enabled: bool | None = None
    trigger_patterns: list[str] | None = None
    trigger_prefixes: list[str] | None = None
    vcs_repo: Annotated[dict[str, Any] | None, unavailable("there is no connection to version control here")] = None
    working_directory: _Text | None = None

    def values(self) -> dict[str, Any]:
        """The columns and the settings that were given.

        Raises:
            UnprocessableEntity: 422, the execution mode is ambiguous.
        """
        given = self.model_dump(exclude_unset=True, by_alias=True)
        columns = {name.replace("-", "_"): given[name] for name in _COLUMNS if given.get(name) is not None}
        if columns.get("terraform_version") in {"", "latest"}:
            del columns["terraform_version"]
        settings = {name: given[name] for name in given.keys() & WORKSPACE_SETTINGS.keys() if _is_set(name, given)}
        return {**columns, "settings": settings | self._execution_mode()}

    def _execution_mode(self) -> dict[str, Any]:
        """Workspaces API, "Create a Workspace": `setting-overwrites`, `execution-mode`, and `operations` before it."""
        mode = self.execution_mode
        if self.operations is not None:
            if mode is not None:
                raise UnprocessableEntity("operations cannot be set together with execution-mode.")
            mode = "remote" if self.operations else "local"
        overwrites = (self.setting_overwrites or {}).get("execution-mode")
        if overwrites is False:
            return {"execution-mode": None}
        if overwrites and mode is None:
            raise UnprocessableEntity("execution-mode has to be set where setting-overwrites.execution-mode is true.")
        return {} if mode is None else {"execution-mode": mode}


_COLUMNS = ("name", "auto-apply", "terraform-version")


def _is_set(name: str, given: Mapping[str, Any]) -> bool:
    """Whether an attribute has a value, or a null that means one."""
    return given[name] is not None or WORKSPACE_SETTINGS[name] is None


def list_workspaces(call: Call) -> Reply:
    """GET /organizations/:organization/workspaces -> 200."""
    page = call.page()
    with call.backend.database.read() as session:
        organization = find_organization(session, call.path["organization"])
        found = search_workspaces(session, organization, call, page.offset, page.size)
        return list_reply(
            workspace_resources(session, found.rows),
            page,
            total=found.total,
            included=call.included(session, found.rows),
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
    with call.backend.database.read() as session:
        row = _workspace(session, call)
        included = call.included(session, [row])
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
    data = call.document().get("data")
    attributes = data.get("attributes") if isinstance(data, dict) else None
    holder = attributes if isinstance(attributes, dict) else call.document()  # the Terraform CLI sends a resource
    reason = holder.get("reason")
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
