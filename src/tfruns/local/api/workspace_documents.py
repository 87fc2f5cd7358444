"""The JSON:API documents of workspaces."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Executable, Row, bindparam, func, literal_column, select, union_all

from tfruns.jsonapi import JSON, ResourceObject, linkage, linkages
from tfruns.local.service.workspaces import execution_mode
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import (
    OrganizationRow,
    RunCountRow,
    RunRow,
    StateOutputRow,
    StateVersionRow,
    VariableRow,
    WorkspaceRow,
)
from tfruns.vocabulary import RunStatus

WORKSPACE_SETTINGS: Mapping[str, JSON] = {
    "allow-destroy-plan": True,
    "assessments-enabled": False,
    "auto-apply-run-trigger": False,
    "description": None,
    "file-triggers-enabled": True,
    "global-remote-state": False,
    "hyok-enabled": False,
    "inherits-project-auto-destroy": True,
    "migration-environment": None,
    "project-remote-state": False,
    "queue-all-runs": False,
    "source": "tfe-api",
    "source-name": None,
    "source-url": None,
    "speculative-enabled": True,
    "structured-run-output-enabled": True,
    "trigger-patterns": [],
    "trigger-prefixes": [],
    "working-directory": "",
}
"""The settings that a request can change, with their defaults. A workspace stores only the changed ones."""

# Attributes of features that the local backend does not have. Names and types are those of the OpenAPI document.
_CONSTANTS: Mapping[str, JSON] = {
    "auto-destroy-activity-duration": None,
    "auto-destroy-at": None,
    "auto-destroy-status": None,
    "can-queue-destroy-plan": True,
    "effective-run-data-retention-desc": None,
    "effective-state-version-retention-desc": None,
    "environment": "default",
    "last-assessment-result-at": None,
    "no-code-upgrade-available": False,
    "policy-check-failures": 0,
    "source-module-id": None,
    "unarchived-workspace-change-requests-count": 0,
    "vcs-repo": None,
    "vcs-repo-identifier": None,
}

# The Terraform CLI and go-tfe check these before they act. The only user has every permission.
_WORKSPACE_PERMISSIONS = {
    f"can-{verb}": True
    for verb in (
        "update", "destroy", "queue-run", "read-run", "read-variable", "update-variable", "read-state-versions",
        "read-state-outputs", "create-state-versions", "queue-apply", "lock", "unlock", "force-unlock", "read-settings",
        "manage-tags", "force-delete", "queue-destroy",
    )
}  # fmt: skip

# Built once, because building a statement takes longer than executing it.
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
    """The related resources of some workspaces, read for all of them together.

    Attributes:
        details: the run that holds a workspace, its state, its number of runs and its organization's settings.
        ids: the ids of a workspace's `vars` and `outputs`, in order.
    """

    details: Mapping[str, Row[Any]]
    ids: Mapping[tuple[str, str], Sequence[str]]


def workspace_resources(session: AnySession, rows: Sequence[WorkspaceRow]) -> list[ResourceObject]:
    """The JSON:API documents of workspaces."""
    wanted = {"ids": [row.id for row in rows]}
    related: dict[tuple[str, str], list[str]] = defaultdict(list)
    for workspace_id, kind, id_, _ in session.execute(_RELATED, wanted):
        related[workspace_id, kind].append(id_)
    relations = _WorkspaceRelations({row.id: row for row in session.execute(_DETAILS, wanted)}, related)
    return [_workspace(row, relations) for row in rows]


def workspace_resource(session: AnySession, row: WorkspaceRow) -> ResourceObject:
    """One workspace as a resource object."""
    return workspace_resources(session, [row])[0]


def _workspace(row: WorkspaceRow, relations: _WorkspaceRelations) -> ResourceObject:
    details = relations.details[row.id]
    mode = execution_mode(row.settings, details.organization_settings)
    has_own_mode = row.settings.get("execution-mode") is not None
    attributes: dict[str, JSON] = {
        **_CONSTANTS,
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
        "locked-at": row.locked_at,
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
    """The run that holds the workspace, or else the user who locked it."""
    return linkage("runs", details.holder) or linkage("users", row.locked_by_user_id)
