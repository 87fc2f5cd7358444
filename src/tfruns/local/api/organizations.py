"""Organizations and their projects. Source: HCP Terraform API, "Organizations", "Projects"."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from sqlalchemy import func, select

from tfruns.jsonapi import JSON
from tfruns.local.api.request import ApiRequest, RequestAttributes, unsupported
from tfruns.local.api.response import ApiResponse, list_response, resource_response
from tfruns.local.api.runs import run_resources
from tfruns.local.service import workspaces as service
from tfruns.local.service.find import find, find_organization
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import OrganizationRow, RunRow, WorkspaceRow
from tfruns.phases import UNSTARTED_STATUSES, statuses_of_phases
from tfruns.vocabulary import PhaseStatus
from tfruns.wire.base import Flags, Related
from tfruns.wire.organizations import EntitlementSet, Organization, Project

ORGANIZATION_SETTINGS: Mapping[str, JSON] = {
    "aggregated-commit-status-enabled": True,
    "allow-force-delete-workspaces": True,
    "assessments-enforced": False,
    "collaborator-auth-policy": "password",
    "cost-estimation-enabled": False,
    "default-execution-mode": "remote",
    "owners-team-saml-role-id": None,
    "send-passing-statuses-for-untriggered-speculative-plans": False,
    "session-remember": None,
    "session-timeout": None,
    "speculative-plan-management-enabled": True,
    "stacks-enabled": False,
}
"""The settings that a request can change, with their defaults. An organization stores only the changed ones."""

# Attributes of features that the local backend does not have. Names and types are those of the OpenAPI document.
_CONSTANTS: Mapping[str, JSON] = {
    "fair-run-queuing-enabled": False,
    "global-module-sharing": False,
    "global-provider-sharing": False,
    "hcp-id": "",
    "is-in-degraded-mode": False,
    "is-unified": False,
    "module-consuming-organizations-count": 0,
    "over-stacks-resource-limit": False,
    "parent-data-retention-policy-info": "",
    "plan-expired": False,
    "plan-expires-at": None,
    "plan-identifier": "free",
    "plan-is-enterprise": False,
    "plan-is-trial": False,
    "provider-consuming-organizations-count": 0,
    "recoverable-items-enabled": False,
    "remaining-testable-count": 0,
    "saml-enabled": False,
    "stacks-default-execution-mode": "remote",
    "test-generation-enabled": False,
    "two-factor-conformant": False,
}

_ORGANIZATION_PERMISSIONS = {
    f"can-{verb}": True
    for verb in ("update", "destroy", "create-workspace", "traverse", "manage-tags", "view-users", "create-project")
}

_PROJECT_PERMISSIONS = {"can-update": False, "can-destroy": False, "can-create-workspace": True}

DEFAULT_PROJECT = "Default Project"

_ENTITLEMENTS = {"operations": True, "state_storage": True} | dict.fromkeys(
    (
        "cost_estimation", "sentinel", "run_tasks", "teams", "agents", "vcs_integrations", "private_module_registry",
        "audit_logging", "policy_enforcement", "sso", "configuration_designer", "global_run_tasks",
    ),
    False,
)  # fmt: skip

NO_AGENTS = "this server has no agents"

_MODES = ("remote", "local")


def _checked_mode(mode: str) -> str:
    if mode == "agent":
        raise ValueError(f"cannot be agent: {NO_AGENTS}")
    if mode not in _MODES:
        raise ValueError(f"must be {' or '.join(_MODES)}")
    return mode


ExecutionMode = Annotated[str, AfterValidator(_checked_mode)]
"""Where the runs of a workspace are executed: `remote` on this server, `local` by the user, who only stores states."""


def _checked_policy(policy: str) -> str:
    if policy != "password":
        raise ValueError("must be password: this server has no two-factor authentication")
    return policy


class _OrganizationAttributes(RequestAttributes):
    """Every documented attribute. Unsupported ones are rejected."""

    wire_type = "organizations"

    name: str | None = None
    email: Annotated[str, Field(max_length=320)] | None = None
    aggregated_commit_status_enabled: bool | None = None
    allow_force_delete_workspaces: bool | None = None
    assessments_enforced: Annotated[bool | None, unsupported("this server has no health assessments")] = None
    collaborator_auth_policy: Annotated[str, AfterValidator(_checked_policy)] | None = None
    cost_estimation_enabled: bool | None = None  # stored without effect, because clients always set it
    default_execution_mode: ExecutionMode | None = None
    default_agent_pool_id: Annotated[str | None, unsupported(NO_AGENTS)] = None
    enforce_hyok: Annotated[bool | None, unsupported("this server does not encrypt states")] = None
    global_module_sharing: Annotated[bool | None, unsupported("this server has no registry")] = None
    global_provider_sharing: Annotated[bool | None, unsupported("this server has no registry")] = None
    owners_team_saml_role_id: Annotated[str | None, unsupported("this server has no teams")] = None
    recoverable_items_enabled: Annotated[bool | None, unsupported("this server does not keep deleted items")] = None
    saml_enabled: Annotated[bool | None, unsupported("this server has no single sign-on")] = None
    send_passing_statuses_for_untriggered_speculative_plans: bool | None = None
    session_remember: Annotated[int | None, unsupported("this server has no sessions")] = None
    session_timeout: Annotated[int | None, unsupported("this server has no sessions")] = None
    speculative_plan_management_enabled: bool | None = None
    stacks_default_execution_mode: Annotated[str | None, unsupported("this server has no stacks")] = None
    stacks_enabled: bool | None = None  # stored without effect, because clients always set it

    def settings(self) -> dict[str, Any]:
        """The given settings."""
        given = self.model_dump(exclude_none=True, by_alias=True)
        return {name: given[name] for name in given.keys() & ORGANIZATION_SETTINGS.keys()}


def list_organizations(request: ApiRequest) -> ApiResponse:
    """GET /organizations -> 200."""
    page = request.page()
    with request.backend.database.read() as session:
        total = session.scalar(select(func.count()).select_from(OrganizationRow))
        rows = session.scalars(
            select(OrganizationRow).order_by(OrganizationRow.name).offset(page.offset).limit(page.size)
        )
        return list_response([organization_resource(row) for row in rows], page, total=total)


def create_organization(request: ApiRequest) -> ApiResponse:
    """POST /organizations -> 201."""
    attributes = request.attributes(_OrganizationAttributes)
    with request.backend.database.write() as write:
        row = service.create_organization(request.backend, write, attributes.name or "", attributes.email)
        row.settings = attributes.settings()
        return resource_response(organization_resource(row), 201)


def update_organization(request: ApiRequest) -> ApiResponse:
    """PATCH /organizations/:organization -> 200."""
    attributes = request.attributes(_OrganizationAttributes)
    with request.backend.database.write() as write:
        row = find_organization(write.session, request.path["organization"])
        row.settings = {**row.settings, **attributes.settings()}
        if attributes.email is not None:
            row.email = attributes.email
        if attributes.name is not None:
            row = service.rename_organization(write, row, attributes.name)
        return resource_response(organization_resource(row))


def read_organization(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization -> 200."""
    with request.backend.database.read() as session:
        return resource_response(organization_resource(find_organization(session, request.path["organization"])))


def delete_organization(request: ApiRequest) -> ApiResponse:
    """DELETE /organizations/:organization -> 204."""
    with request.backend.database.write() as write:
        service.delete_organization(
            request.backend, write, find_organization(write.session, request.path["organization"])
        )
    return ApiResponse(204)


def read_entitlement_set(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization/entitlement-set -> 200."""
    with request.backend.database.read() as session:
        return resource_response(entitlement_set(find_organization(session, request.path["organization"])))


def read_run_queue(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization/runs/queue -> 200, the runs that wait for a worker or for their workspace."""
    page = request.page()
    with request.backend.database.read() as session:
        organization = find_organization(session, request.path["organization"]).name
        conditions = (RunRow.organization == organization, RunRow.status.in_(UNSTARTED_STATUSES))
        total = session.scalar(select(func.count()).select_from(RunRow).where(*conditions))
        rows = session.scalars(
            select(RunRow).where(*conditions).order_by(RunRow.sequence).offset(page.offset).limit(page.size)
        ).all()
        resources = run_resources(request.context, session, rows)
        placed = [
            replace(run, attributes={**run.attributes, "position-in-queue": number})
            for number, run in enumerate(resources, page.offset + 1)
        ]
        return list_response(placed, page, total=total)


def read_capacity(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization/capacity -> 200, the number of waiting and of running runs."""
    with request.backend.database.read() as session:
        organization = find_organization(session, request.path["organization"]).name
        numbers = {
            name: session.scalar(
                select(func.count())
                .select_from(RunRow)
                .where(RunRow.organization == organization, RunRow.status.in_(statuses))
            )
            for name, statuses in (
                ("pending", UNSTARTED_STATUSES),
                ("running", statuses_of_phases(PhaseStatus.RUNNING)),
            )
        }
    data = {"id": organization, "type": "organization-capacity", "attributes": numbers}
    return ApiResponse(200, {"data": data})


def list_projects(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization/projects -> 200, the only project."""
    page = request.page()
    names = [name.casefold() for name in request.words("filter[names]")]
    is_found = (
        DEFAULT_PROJECT.casefold() in names
        if names
        else request.query.get("q", "").casefold() in (DEFAULT_PROJECT.casefold())
    )
    with request.backend.database.read() as session:
        organization = find_organization(session, request.path["organization"])
        found = [project_resource(session, organization)] if is_found else []
        return list_response(found[page.offset :], page, total=len(found))


def read_project(request: ApiRequest) -> ApiResponse:
    """GET /projects/:project_id -> 200."""
    with request.backend.database.read() as session:
        row = find(session, OrganizationRow, default_project_id=request.path["project_id"])
        return resource_response(project_resource(session, row))


def organization_resource(row: OrganizationRow) -> Organization:
    """An organization; an unset email address is empty."""
    return Organization.model_validate(
        {
            **_CONSTANTS,
            **ORGANIZATION_SETTINGS,
            **row.settings,
            "id": row.name,
            "name": row.name,
            "external-id": f"org-{row.name}",
            "email": row.email or "",
            "created-at": row.created_at,
            "permissions": Flags.model_validate(_ORGANIZATION_PERMISSIONS),
            "default-project": Related(type="projects", id=row.default_project_id),
            "default-agent-pool": None,
            "data-retention-policy": None,
            "entitlement-set": Related(type="entitlement-sets", id=row.name),
        }
    )


def project_resource(session: AnySession, row: OrganizationRow) -> Project:
    """The only project of an organization, which contains all its workspaces."""
    count = select(func.count()).select_from(WorkspaceRow).where(WorkspaceRow.organization == row.name)
    return Project(
        id=row.default_project_id,
        name=DEFAULT_PROJECT,
        description=None,
        workspace_count=session.scalar(count),
        team_count=0,
        permissions=Flags.model_validate(_PROJECT_PERMISSIONS),
        organization=Related(type="organizations", id=row.name),
    )


def entitlement_set(row: OrganizationRow) -> EntitlementSet:
    """The features that the local backend supports."""
    return EntitlementSet.model_validate({"id": row.name, **_ENTITLEMENTS})
