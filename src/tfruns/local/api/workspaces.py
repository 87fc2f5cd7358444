"""Workspaces and their locks. Source: HCP Terraform API, "Workspaces"."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.api.organizations import NO_AGENTS, ExecutionMode
from tfruns.local.api.request import ApiRequest, RequestAttributes, unsupported
from tfruns.local.api.response import ApiResponse, list_response, resource_response
from tfruns.local.api.tags import related_tags
from tfruns.local.api.workspace_documents import WORKSPACE_SETTINGS, workspace_resource, workspace_resources
from tfruns.local.service import workspaces as service
from tfruns.local.service.find import find, find_organization, find_workspace, workspace_for_update
from tfruns.local.service.workspace_lists import search_workspaces
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import OrganizationRow, WorkspaceRow
from tfruns.masking.text import one_line

_VERSION = re.compile(r"v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?")

_CONSTRAINT = re.compile(rf"\s*(=|!=|>=?|<=?|~>)?\s*{_VERSION.pattern}\s*")


def _checked_version(version: str) -> str:
    """A version of Terraform, or a constraint such as `~> 1.11.0`.

    Raises:
        ValueError: it is neither.
    """
    if len(version) > 60 or not (
        version in {"", "latest"} or all(_CONSTRAINT.fullmatch(part) for part in version.split(","))
    ):
        raise ValueError("must be a Terraform version such as 1.11.4, or a constraint such as ~> 1.11.0")
    return version


_NO_AUTO_DESTROY = "this server does not destroy workspaces automatically"

_Text = Annotated[str, Field(max_length=1024)]


class _WorkspaceAttributes(RequestAttributes):
    """Every documented attribute. Unsupported ones are rejected; null leaves a value unchanged unless it is allowed."""

    wire_type = "workspaces"

    name: str | None = None
    auto_apply: bool | None = None
    terraform_version: Annotated[str, AfterValidator(_checked_version)] | None = None
    execution_mode: ExecutionMode | None = None
    operations: bool | None = None
    setting_overwrites: dict[str, bool] | None = None
    agent_pool_id: Annotated[str | None, unsupported(NO_AGENTS)] = None
    allow_destroy_plan: bool | None = None
    assessments_enabled: Annotated[bool | None, unsupported("this server has no health assessments")] = None
    auto_apply_run_trigger: bool | None = None
    auto_destroy_at: Annotated[str | None, unsupported(_NO_AUTO_DESTROY)] = None
    auto_destroy_activity_duration: Annotated[str | None, unsupported(_NO_AUTO_DESTROY)] = None
    description: _Text | None = None
    file_triggers_enabled: bool | None = None
    global_remote_state: bool | None = None
    hyok_enabled: Annotated[bool | None, unsupported("this server does not encrypt states")] = None
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
    vcs_repo: Annotated[dict[str, Any] | None, unsupported("this server does not connect to version control")] = None
    working_directory: _Text | None = None

    def values(self, installed: str) -> dict[str, Any]:
        """The values to store: the given columns and settings.

        Args:
            installed: the version of Terraform that `latest` and an empty `terraform-version` stand for.

        Raises:
            UnprocessableEntity: 422, the execution mode is ambiguous.
        """
        given = self.model_dump(exclude_unset=True, by_alias=True)
        columns = {name.replace("-", "_"): given[name] for name in _COLUMNS if given.get(name) is not None}
        if columns.get("terraform_version") in {"", "latest"}:
            columns["terraform_version"] = installed
        settings = {name: given[name] for name in given.keys() & WORKSPACE_SETTINGS.keys() if _is_set(name, given)}
        return {**columns, "settings": settings | self._execution_mode()}

    def _execution_mode(self) -> dict[str, Any]:
        """The execution mode. Source: "Create a Workspace": `setting-overwrites`, `execution-mode`, `operations`."""
        mode = self.execution_mode
        if self.operations is not None:
            if mode is not None:
                raise UnprocessableEntity("operations cannot be set together with execution-mode.")
            mode = "remote" if self.operations else "local"
        overwrites = (self.setting_overwrites or {}).get("execution-mode")
        if overwrites is False:
            return {"execution-mode": None}
        if overwrites and mode is None:
            raise UnprocessableEntity("execution-mode must be set if setting-overwrites.execution-mode is true.")
        return {} if mode is None else {"execution-mode": mode}


_COLUMNS = ("name", "auto-apply", "terraform-version")


def _is_set(name: str, given: Mapping[str, Any]) -> bool:
    """Whether an attribute has a value; null is a value for settings whose default is null."""
    return given[name] is not None or WORKSPACE_SETTINGS[name] is None


def list_workspaces(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization/workspaces -> 200."""
    page = request.page()
    with request.backend.database.read() as session:
        organization = find_organization(session, request.path["organization"])
        found = search_workspaces(session, organization, request, page.offset, page.size)
        return list_response(
            workspace_resources(session, found.rows),
            page,
            total=found.total,
            included=request.included(session, found.rows),
        )


def create_workspace(request: ApiRequest) -> ApiResponse:
    """POST /organizations/:organization/workspaces -> 201."""
    values = request.attributes(_WorkspaceAttributes).values(request.backend.terraform_version)
    name = values.pop("name", None)
    with request.backend.database.write() as write:
        organization = find_organization(write.session, request.path["organization"])
        _check_project(request, organization)
        values["tags"] = related_tags(request) or {}
        row = service.create_workspace(request.backend, write, organization.name, name, values)
        return resource_response(workspace_resource(write.session, row), 201)


def _check_project(request: ApiRequest, organization: OrganizationRow) -> None:
    """Reject any project but the organization's only one.

    Raises:
        NotFound: 404, the request names another project.
    """
    project_id = request.related_id("project")
    if project_id is not None and project_id != organization.default_project_id:
        raise NotFound(f"The project {one_line(project_id, 60)} does not exist.")


def read_workspace(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id, GET /organizations/:organization/workspaces/:name -> 200."""
    with request.backend.database.read() as session:
        row = _workspace(session, request)
        included = request.included(session, [row])
        return resource_response(workspace_resource(session, row), included=included)


def _workspace(session: AnySession, request: ApiRequest) -> WorkspaceRow:
    if "workspace_id" in request.path:
        return find_workspace(session, request.path["workspace_id"])
    organization, name = request.path["organization"], request.path["name"]
    return find(session, WorkspaceRow, organization=organization, name=name)


def update_workspace(request: ApiRequest) -> ApiResponse:
    """PATCH on the same paths -> 200."""
    values = request.attributes(_WorkspaceAttributes).values(request.backend.terraform_version)
    with request.backend.database.write() as write:
        row = workspace_for_update(write.session, _workspace(write.session, request).id)
        _check_project(request, find_organization(write.session, row.organization))
        tags = related_tags(request)
        if tags is not None:
            values["tags"] = tags
        service.update_workspace(request.backend, write, row, values)
        return resource_response(workspace_resource(write.session, row))


def delete_workspace(request: ApiRequest) -> ApiResponse:
    """DELETE on the same paths -> 204."""
    with request.backend.database.write() as write:
        service.delete_workspace(request.backend, write, _workspace(write.session, request))
    return ApiResponse(204)


def safe_delete_workspace(request: ApiRequest) -> ApiResponse:
    """POST …/actions/safe-delete -> 204, unless the workspace is locked or manages resources."""
    with request.backend.database.write() as write:
        service.delete_workspace(request.backend, write, _workspace(write.session, request), is_safe=True)
    return ApiResponse(204)


def lock_workspace(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/actions/lock -> 200."""
    data = request.document().get("data")
    attributes = data.get("attributes") if isinstance(data, dict) else None
    fields = attributes if isinstance(attributes, dict) else request.document()  # the Terraform CLI sends a resource
    reason = fields.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise UnprocessableEntity("reason must be a string.")
    return _change_lock(
        request, lambda write, row: service.lock(request.backend, write, row, user_id=request.user_id, reason=reason)
    )


def unlock_workspace(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/actions/unlock -> 200."""
    return _change_lock(
        request, lambda write, row: service.unlock(request.backend, write, row, user_id=request.user_id)
    )


def force_unlock_workspace(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/actions/force-unlock -> 200."""
    return _change_lock(
        request, lambda write, row: service.unlock(request.backend, write, row, user_id=request.user_id, is_forced=True)
    )


def _change_lock(request: ApiRequest, change: Callable[[Any, WorkspaceRow], None]) -> ApiResponse:
    with request.backend.database.write() as write:
        row = find_workspace(write.session, request.path["workspace_id"])
        change(write, row)
        return resource_response(workspace_resource(write.session, row))
