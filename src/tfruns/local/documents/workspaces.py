"""Workspaces, organizations, variables and configuration versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tfruns.local.documents.scope import Scope
from tfruns.local.store.schema import (
    ConfigurationVersionRow,
    OrganizationRow,
    RunRow,
    StateVersionRow,
    UserRow,
    VariableRow,
    WorkspaceRow,
)
from tfruns.wire.activity import User
from tfruns.wire.base import Flags, Related
from tfruns.wire.configuration_versions import ConfigurationVersion
from tfruns.wire.organizations import EntitlementSet, Organization, Project
from tfruns.wire.variables import Variable
from tfruns.wire.workspaces import Workspace, WorkspacePermissions

# What the Terraform CLI and go-tfe look at before they do something; one user may do everything here.
_WORKSPACE_PERMISSIONS = {
    f"can-{verb}": True
    for verb in (
        "update", "destroy", "queue-run", "read-run", "read-variable", "update-variable", "read-state-versions",
        "read-state-outputs", "create-state-versions", "queue-apply", "lock", "unlock", "force-unlock", "read-settings",
        "manage-tags", "force-delete", "queue-destroy",
    )
}  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """What belongs to some workspaces, read at once for all of them."""

    holders: Mapping[str, str]
    resource_counts: Mapping[str, int]
    projects: Mapping[str, str]


def workspace_resources(session: Session, rows: Sequence[WorkspaceRow]) -> list[Workspace]:
    """Workspaces as they go over the wire."""
    ids = [row.id for row in rows]
    states = [row.current_state_version_id for row in rows if row.current_state_version_id]
    names = {row.organization for row in rows}
    holders = select(RunRow.workspace_id, RunRow.id).where(RunRow.workspace_id.in_(ids), RunRow.holds_workspace)
    counts = select(StateVersionRow.workspace_id, StateVersionRow.resource_count).where(StateVersionRow.id.in_(states))
    projects = select(OrganizationRow.name, OrganizationRow.default_project_id).where(OrganizationRow.name.in_(names))
    neighbours = _Neighbours(
        dict(session.execute(holders).all()),
        dict(session.execute(counts).all()),
        dict(session.execute(projects).all()),
    )
    return [_workspace(row, neighbours) for row in rows]


def workspace_resource(session: Session, row: WorkspaceRow) -> Workspace:
    """One workspace as it goes over the wire."""
    return workspace_resources(session, [row])[0]


def _workspace(row: WorkspaceRow, neighbours: _Neighbours) -> Workspace:
    """A workspace. The run that holds it locks it, as a person can."""
    locked_by = None
    if row.id in neighbours.holders:
        locked_by = Related(type="runs", id=neighbours.holders[row.id])
    elif row.locked_by_user_id is not None:
        locked_by = Related(type="users", id=row.locked_by_user_id)
    current = row.current_run_id
    state = row.current_state_version_id
    return Workspace.model_validate(
        {
            **row.settings,
            "id": row.id,
            "name": row.name,
            "auto-apply": row.auto_apply,
            "terraform-version": row.terraform_version,
            "execution-mode": "remote",
            "operations": True,
            "structured-run-output-enabled": True,
            "source": "tfe-api",
            "vcs-repo": None,
            "locked": locked_by is not None,
            "locked-reason": row.locked_reason or "",
            "created-at": row.created_at,
            "updated-at": row.updated_at,
            "resource-count": neighbours.resource_counts.get(row.id, 0),
            "tag-names": sorted(key if not value else f"{key}:{value}" for key, value in row.tags.items()),
            "permissions": WorkspacePermissions.model_validate(_WORKSPACE_PERMISSIONS),
            "actions": {"is-destroyable": True},
            "organization": Related(type="organizations", id=row.organization),
            "project": Related(type="projects", id=neighbours.projects[row.organization]),
            "current-run": Related(type="runs", id=current) if current else None,
            "latest-run": Related(type="runs", id=current) if current else None,
            "locked-by": locked_by,
            "current-state-version": {"data": {"type": "state-versions", "id": state} if state else None},
            "current-configuration-version": (
                Related(type="configuration-versions", id=row.current_configuration_version_id)
                if row.current_configuration_version_id
                else None
            ),
        }
    )


def organization_resource(row: OrganizationRow) -> Organization:
    """An organization."""
    return Organization(
        id=row.name,
        name=row.name,
        external_id=f"org-{row.name}",
        email=row.email,
        created_at=row.created_at,
        default_execution_mode="remote",
        cost_estimation_enabled=False,
        permissions=Flags.model_validate(_ORGANIZATION_PERMISSIONS),
        default_project=Related(type="projects", id=row.default_project_id),
    )


def project_resource(session: Session, row: OrganizationRow) -> Project:
    """The project of an organization; it has all workspaces."""
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
    """What an organization may use here."""
    return EntitlementSet.model_validate({"id": row.name, **_ENTITLEMENTS})


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
        configurable=Related(type="workspaces", id=row.workspace_id),
        workspace=Related(type="workspaces", id=row.workspace_id),
    )


def configuration_version_resource(
    scope: Scope, row: ConfigurationVersionRow, *, is_new: bool = False
) -> ConfigurationVersion:
    """A configuration version. The address for its upload is shown once, when it is created."""
    fields = {
        "id": row.id,
        "status": row.status,
        "status_timestamps": row.status_timestamps,
        "source": row.source,
        "speculative": row.speculative,
        "provisional": row.provisional,
        "auto_queue_runs": row.auto_queue_runs,
        "error": None,
        "error_message": row.error_message,
        "ingress_attributes": None,
    }
    if is_new:
        fields["upload_url"] = scope.signed("write", "configuration", row.id)
    return ConfigurationVersion.model_validate(fields)


def user_resource(row: UserRow) -> User:
    """A user."""
    return User(id=row.id, username=row.username, is_service_account=False)
