"""Workspaces, organizations, variables and configuration versions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session, load_only

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


# Made once: to build a statement takes longer than to execute it.
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_HOLDERS = select(RunRow.workspace_id, RunRow.id).where(RunRow.workspace_id.in_(_IDS), RunRow.holds_workspace)
_STATES = (  # without the list of their resources, which can be long
    select(StateVersionRow)
    .options(load_only(StateVersionRow.resource_count, StateVersionRow.created_at))
    .where(StateVersionRow.id.in_(_IDS))
)
_OUTPUTS = (
    select(StateOutputRow.state_version_id, StateOutputRow.id)
    .where(StateOutputRow.state_version_id.in_(_IDS))
    .order_by(StateOutputRow.name)
)
_VARIABLES = (
    select(VariableRow.workspace_id, VariableRow.id).where(VariableRow.workspace_id.in_(_IDS)).order_by(VariableRow.key)
)
_RUNS = (
    select(RunCountRow.workspace_id, func.sum(RunCountRow.runs))
    .where(RunCountRow.workspace_id.in_(_IDS))
    .group_by(RunCountRow.workspace_id)
)
_FAILURES = _RUNS.where(RunCountRow.status == RunStatus.ERRORED)
_ORGANIZATIONS = select(OrganizationRow).where(OrganizationRow.name.in_(_IDS))


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """What belongs to some workspaces, read at once for all of them."""

    holders: Mapping[str, str]
    states: Mapping[str, StateVersionRow]
    outputs: Mapping[str, Sequence[str]]
    variables: Mapping[str, Sequence[str]]
    runs: Mapping[str, int]
    failures: Mapping[str, int]
    organizations: Mapping[str, OrganizationRow]


def workspace_resources(session: Session, rows: Sequence[WorkspaceRow]) -> list[Workspace]:
    """Workspaces as they go over the wire."""
    ids = [row.id for row in rows]
    states = [row.current_state_version_id for row in rows if row.current_state_version_id]
    names = list({row.organization for row in rows})
    neighbours = _Neighbours(
        holders=dict(session.execute(_HOLDERS, {"ids": ids}).all()),
        states={row.id: row for row in session.scalars(_STATES, {"ids": states})},
        outputs=_grouped(session.execute(_OUTPUTS, {"ids": states}).all()),
        variables=_grouped(session.execute(_VARIABLES, {"ids": ids}).all()),
        runs=_numbers(session.execute(_RUNS, {"ids": ids}).all()),
        failures=_numbers(session.execute(_FAILURES, {"ids": ids}).all()),
        organizations={row.name: row for row in session.scalars(_ORGANIZATIONS, {"ids": names})},
    )
    return [_workspace(row, neighbours) for row in rows]


def _numbers(pairs: Sequence[Any]) -> dict[str, int]:
    return {id_: int(number) for id_, number in pairs}


def _grouped(pairs: Sequence[Any]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for owner, id_ in pairs:
        groups[owner].append(id_)
    return groups


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
    state = neighbours.states.get(row.current_state_version_id or "")
    organization = neighbours.organizations[row.organization]
    mode = execution_mode(row, organization)
    has_own_mode = row.settings.get("execution-mode") is not None
    return Workspace.model_validate(
        {
            **WORKSPACE,
            **WORKSPACE_SETTINGS,
            **row.settings,
            "id": row.id,
            "name": row.name,
            "auto-apply": row.auto_apply,
            "terraform-version": row.terraform_version,
            "execution-mode": mode,
            "operations": mode != "local",
            "setting-overwrites": {"execution-mode": has_own_mode, "agent-pool": has_own_mode},
            "locked": locked_by is not None,
            "locked-reason": row.locked_reason or "",
            "created-at": row.created_at,
            "updated-at": row.updated_at,
            "resource-count": state.resource_count if state else 0,
            "latest-change-at": state.created_at if state else row.created_at,
            "workspace-kpis-runs-count": neighbours.runs.get(row.id, 0),
            "run-failures": neighbours.failures.get(row.id, 0),
            "plan-duration-average": None,
            "apply-duration-average": None,
            "tag-names": [key if not value else f"{key}:{value}" for key, value in row.tags.items()],
            "permissions": WorkspacePermissions.model_validate(_WORKSPACE_PERMISSIONS),
            "actions": {"is-destroyable": True},
            "organization": Related(type="organizations", id=row.organization),
            "project": Related(type="projects", id=organization.default_project_id),
            "current-run": Related(type="runs", id=current) if current else None,
            "latest-run": Related(type="runs", id=current) if current else None,
            "locked-by": locked_by,
            "current-state-version": Related(type="state-versions", id=state.id) if state else None,
            "current-assessment-result": None,
            "agent-pool": None,
            "ssh-key": None,
            "readme": None,
            "outputs": _related("workspace-outputs", neighbours.outputs.get(state.id, ()) if state else ()),
            "vars": _related("vars", neighbours.variables.get(row.id, ())),
            "current-configuration-version": (
                Related(type="configuration-versions", id=row.current_configuration_version_id)
                if row.current_configuration_version_id
                else None
            ),
        }
    )


def _related(type_: str, ids: Sequence[str]) -> list[Related]:
    return [Related(type=type_, id=id_) for id_ in ids]


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
    """A user. The address is of this machine: no user here has given one, and the reference has no user without."""
    return User.model_validate({**USER, "id": row.id, "username": row.username, "email": f"{row.username}@localhost"})
