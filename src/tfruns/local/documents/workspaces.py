"""Workspaces, organizations, variables and configuration versions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Executable, Row, bindparam, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from tfruns.jsonapi import JSON, ResourceObject, linkage, linkages
from tfruns.local.documents.defaults import (
    ORGANIZATION,
    ORGANIZATION_SETTINGS,
    USER,
    WORKSPACE,
    WORKSPACE_SETTINGS,
)
from tfruns.local.documents.scope import Scope
from tfruns.local.service.execution_mode import execution_mode
from tfruns.local.store.schema import (
    ConfigurationVersionRow,
    OrganizationRow,
    RunCountRow,
    RunRow,
    StateOutputRow,
    StateVersionRow,
    UserRow,
    VariableRow,
    WorkspaceRow,
)
from tfruns.vocabulary import RunStatus
from tfruns.wire.activity import User
from tfruns.wire.base import Flags, Related
from tfruns.wire.configuration_versions import ConfigurationVersion
from tfruns.wire.organizations import EntitlementSet, Organization, Project
from tfruns.wire.variables import Variable

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


# Built once: to build a statement takes longer than to execute it.
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_HOLDER = select(RunRow.id).where(RunRow.workspace_id == WorkspaceRow.id, RunRow.holds_workspace).scalar_subquery()
_RUNS = select(func.sum(RunCountRow.runs)).where(RunCountRow.workspace_id == WorkspaceRow.id)
_DETAILS = (
    select(
        WorkspaceRow.id,
        _HOLDER.label("holder"),
        StateVersionRow.id.label("state"),
        StateVersionRow.resource_count,
        StateVersionRow.created_at.label("changed_at"),
        _RUNS.scalar_subquery().label("runs"),
        _RUNS.where(RunCountRow.status == RunStatus.ERRORED).scalar_subquery().label("failures"),
        OrganizationRow.settings.label("organization_settings"),
        OrganizationRow.default_project_id.label("project"),
    )
    .join(OrganizationRow, OrganizationRow.name == WorkspaceRow.organization)
    .outerjoin(StateVersionRow, StateVersionRow.id == WorkspaceRow.current_state_version_id)
    .where(WorkspaceRow.id.in_(_IDS))
)
_RELATED: Executable = union_all(
    select(VariableRow.workspace_id, literal_column("'vars'"), VariableRow.id, VariableRow.key.label("position")).where(
        VariableRow.workspace_id.in_(_IDS)
    ),
    select(WorkspaceRow.id, literal_column("'outputs'"), StateOutputRow.id, StateOutputRow.name)
    .join(StateOutputRow, StateOutputRow.state_version_id == WorkspaceRow.current_state_version_id)
    .where(WorkspaceRow.id.in_(_IDS)),
).order_by("position")


@dataclass(frozen=True, slots=True)
class _WorkspaceRelations:
    """What belongs to some workspaces, read at once for all of them.

    Attributes:
        details: the run that holds a workspace, its state, its number of runs and its organization's settings.
        ids: of a workspace's `vars` and `outputs`, in order.
    """

    details: Mapping[str, Row[Any]]
    ids: Mapping[tuple[str, str], Sequence[str]]


def workspace_resources(session: Session, rows: Sequence[WorkspaceRow]) -> list[ResourceObject]:
    """Workspaces as they go over the wire."""
    wanted = {"ids": [row.id for row in rows]}
    related: dict[tuple[str, str], list[str]] = defaultdict(list)
    for workspace_id, kind, id_, _ in session.execute(_RELATED, wanted):
        related[workspace_id, kind].append(id_)
    relations = _WorkspaceRelations({row.id: row for row in session.execute(_DETAILS, wanted)}, related)
    return [_workspace(row, relations) for row in rows]


def workspace_resource(session: Session, row: WorkspaceRow) -> ResourceObject:
    """One workspace as it goes over the wire."""
    return workspace_resources(session, [row])[0]


def _workspace(row: WorkspaceRow, relations: _WorkspaceRelations) -> ResourceObject:
    details = relations.details[row.id]
    mode = execution_mode(row.settings, details.organization_settings)
    has_own_mode = row.settings.get("execution-mode") is not None
    attributes: dict[str, JSON] = {
        **WORKSPACE,
        **WORKSPACE_SETTINGS,
        **row.settings,
        "name": row.name,
        "auto-apply": row.auto_apply,
        "terraform-version": row.terraform_version,
        "execution-mode": mode,
        "operations": mode != "local",
        "setting-overwrites": {"execution-mode": has_own_mode, "agent-pool": has_own_mode},
        "locked": _locked_by(row, details) is not None,
        "locked-reason": row.locked_reason or "",
        "created-at": row.created_at,
        "updated-at": row.updated_at,
        "resource-count": details.resource_count or 0,
        "latest-change-at": details.changed_at or row.created_at,
        "workspace-kpis-runs-count": int(details.runs or 0),
        "run-failures": int(details.failures or 0),
        "plan-duration-average": None,
        "apply-duration-average": None,
        "tag-names": [key if not value else f"{key}:{value}" for key, value in row.tags.items()],
        "permissions": _WORKSPACE_PERMISSIONS,
        "actions": {"is-destroyable": True},
    }
    return ResourceObject("workspaces", row.id, attributes, _relationships(row, relations))


def _relationships(row: WorkspaceRow, relations: _WorkspaceRelations) -> dict[str, JSON]:
    details, ids = relations.details[row.id], relations.ids
    return {
        "organization": linkage("organizations", row.organization),
        "project": linkage("projects", details.project),
        "current-run": linkage("runs", row.current_run_id),
        "latest-run": linkage("runs", row.current_run_id),
        "locked-by": _locked_by(row, details),
        "current-state-version": linkage("state-versions", details.state),
        "current-assessment-result": None,
        "agent-pool": None,
        "ssh-key": None,
        "readme": None,
        "outputs": linkages("workspace-outputs", ids.get((row.id, "outputs"), ())),
        "vars": linkages("vars", ids.get((row.id, "vars"), ())),
        "current-configuration-version": linkage("configuration-versions", row.current_configuration_version_id),
    }


def _locked_by(row: WorkspaceRow, details: Row[Any]) -> JSON:
    """The run that holds a workspace locks it, as a person can."""
    return linkage("runs", details.holder) or linkage("users", row.locked_by_user_id)


def organization_resource(row: OrganizationRow) -> Organization:
    """An organization. One that was created without an email address has an empty one."""
    return Organization.model_validate(
        {
            **ORGANIZATION,
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
        version_id=row.version_id,
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
    """A user as others see it, without an email address. Source: HCP Terraform API, "Users"."""
    return User.model_validate({**USER, "id": row.id, "username": row.username})


def account_resource(row: UserRow) -> User:
    """A user as they see themselves. Source: HCP Terraform API, "Account".

    HCP Terraform shows an email address here. A user of this backend has none, so it is empty.
    """
    own = {"email": "", "unconfirmed-email": None, "authenticated-resource": Related(type="users", id=row.id)}
    return User.model_validate({**USER, **own, "id": row.id, "username": row.username})
