"""What comes along with runs when it is asked for."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.local.documents.runs import phase_resource, run_resources
from tfruns.local.documents.scope import Scope
from tfruns.local.documents.states import state_version_resources
from tfruns.local.documents.workspaces import (
    configuration_version_resource,
    organization_resource,
    project_resource,
    user_resource,
    workspace_resources,
)
from tfruns.local.store.schema import (
    ConfigurationVersionRow,
    OrganizationRow,
    PhaseRow,
    RunRow,
    StateVersionRow,
    UserRow,
    WorkspaceRow,
)
from tfruns.wire.base import Resource

_PHASES = {"plan": "plan", "apply": "apply"}
_USERS = {"created_by": "created_by_id", "confirmed_by": "confirmed_by_id", "canceled_by": "canceled_by_id"}
_ABSENT = (
    "cost_estimate",
    "task_stages",
    "policy_checks",
    "configuration_version.ingress_attributes",
    "run_events",
    "comments",
)  # what no run has here, or what is read by itself

RUN_INCLUDES = (*_PHASES, *_USERS, "workspace", "configuration_version", *_ABSENT)


def included_with_runs(
    scope: Scope, session: Session, runs: Sequence[RunRow], include: Sequence[str]
) -> list[Resource]:
    """The resources that were asked for, each once."""
    found: list[Resource] = []
    kinds = [_PHASES[word] for word in include if word in _PHASES]
    if kinds:
        ids = [run.id for run in runs]
        phases = session.scalars(select(PhaseRow).where(PhaseRow.run_id.in_(ids), PhaseRow.kind.in_(kinds)))
        found += [phase_resource(session, scope, phase) for phase in phases]
    users = {getattr(run, _USERS[word]) for run in runs for word in include if word in _USERS}
    if users - {None}:
        found += [user_resource(row) for row in session.scalars(select(UserRow).where(UserRow.id.in_(users)))]
    if "workspace" in include:
        ids = sorted({run.workspace_id for run in runs})
        rows = session.scalars(select(WorkspaceRow).where(WorkspaceRow.id.in_(ids))).all()
        found += workspace_resources(session, rows)
    if any(word.startswith("configuration_version") for word in include):
        ids = sorted({run.configuration_version_id for run in runs})
        versions = session.scalars(select(ConfigurationVersionRow).where(ConfigurationVersionRow.id.in_(ids)))
        found += [configuration_version_resource(scope, row) for row in versions]
    return found


def included_with_workspaces(
    scope: Scope, session: Session, rows: Sequence[WorkspaceRow], include: Sequence[str]
) -> list[Resource]:
    """The resources that were asked for with some workspaces, each once."""
    found: list[Resource] = []
    names = sorted({row.organization for row in rows})
    organizations = session.scalars(select(OrganizationRow).where(OrganizationRow.name.in_(names))).all()
    if "organization" in include:
        found += [organization_resource(row) for row in organizations]
    if "project" in include:
        found += [project_resource(session, row) for row in organizations]
    if any(word.startswith("current_run") for word in include):
        ids = [row.current_run_id for row in rows if row.current_run_id]
        runs = session.scalars(select(RunRow).where(RunRow.id.in_(ids))).all()
        found += run_resources(scope, session, runs)
        if "current_run.plan" in include:
            found += included_with_runs(scope, session, runs, ["plan"])
    if "locked_by" in include:
        users = [row.locked_by_user_id for row in rows if row.locked_by_user_id]
        found += [user_resource(row) for row in session.scalars(select(UserRow).where(UserRow.id.in_(users)))]
    if "current_configuration_version" in include:
        ids = [row.current_configuration_version_id for row in rows if row.current_configuration_version_id]
        versions = session.scalars(select(ConfigurationVersionRow).where(ConfigurationVersionRow.id.in_(ids)))
        found += [configuration_version_resource(scope, row) for row in versions]
    if "current_state_version" in include:
        ids = [row.current_state_version_id for row in rows if row.current_state_version_id]
        states = session.scalars(select(StateVersionRow).where(StateVersionRow.id.in_(ids))).all()
        found += state_version_resources(scope, session, states)
    return found
