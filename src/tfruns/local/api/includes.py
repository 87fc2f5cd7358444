"""The related resources that requests can include, by the type of the requested resource."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, select

from tfruns.local.api.activity import comment_resources, run_event_resource
from tfruns.local.api.configuration_versions import configuration_version_resource
from tfruns.local.api.links import WireResource
from tfruns.local.api.organizations import organization_resource, project_resource
from tfruns.local.api.phases import phase_resource
from tfruns.local.api.request import Includes, RequestContext
from tfruns.local.api.runs import run_resources
from tfruns.local.api.state_versions import output_resources, state_version_resources, workspace_output_resource
from tfruns.local.api.users import user_resource
from tfruns.local.api.workspace_documents import workspace_resources
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import (
    CommentRow,
    ConfigurationVersionRow,
    OrganizationRow,
    PhaseRow,
    RunEventRow,
    RunRow,
    StateOutputRow,
    StateVersionRow,
    UserRow,
    WorkspaceRow,
)

_PHASES = ("plan", "apply")
_USERS = {"created_by": "created_by_id", "confirmed_by": "confirmed_by_id", "canceled_by": "canceled_by_id"}
# Accepted, but the runs of this backend have no such resources.
_NEVER_PRESENT = ("cost_estimate", "task_stages", "policy_checks", "configuration_version.ingress_attributes")
_ACTIVITY = ("run_events", "comments")


def _of_runs(
    context: RequestContext, session: AnySession, runs: Sequence[RunRow], include: Sequence[str]
) -> list[WireResource]:
    """The named resources that are related to some runs, each once."""
    if not include:
        return []
    found: list[WireResource] = []
    kinds = [word for word in include if word in _PHASES]
    if kinds:
        ids = [run.id for run in runs]
        phases = session.scalars(select(PhaseRow).where(PhaseRow.run_id.in_(ids), PhaseRow.kind.in_(kinds)))
        found += [phase_resource(session, context, phase) for phase in phases]
    columns = [_USERS[word] for word in include if word in _USERS]
    found += _user_resources(session, (getattr(run, column) for run in runs for column in columns))
    if "workspace" in include:
        ids = sorted({run.workspace_id for run in runs})
        rows = session.scalars(select(WorkspaceRow).where(WorkspaceRow.id.in_(ids))).all()
        found += workspace_resources(session, rows)
    if any(word.startswith("configuration_version") for word in include):
        ids = sorted({run.configuration_version_id for run in runs})
        versions = session.scalars(select(ConfigurationVersionRow).where(ConfigurationVersionRow.id.in_(ids)))
        found += [configuration_version_resource(context, row) for row in versions]
    ids = [run.id for run in runs]
    if "comments" in include:
        comments = session.scalars(select(CommentRow).where(CommentRow.run_id.in_(ids))).all()
        found += comment_resources(session, comments)
    if "run_events" in include:
        events = session.scalars(select(RunEventRow).where(RunEventRow.run_id.in_(ids)))
        found += [run_event_resource(row) for row in events]
    return found


def _of_workspaces(
    context: RequestContext, session: AnySession, rows: Sequence[WorkspaceRow], include: Sequence[str]
) -> list[WireResource]:
    """The named resources that are related to some workspaces, each once."""
    if not include:
        return []
    found: list[WireResource] = []
    names = sorted({row.organization for row in rows})
    organizations = session.scalars(select(OrganizationRow).where(OrganizationRow.name.in_(names))).all()
    if "organization" in include:
        found += [organization_resource(row) for row in organizations]
    if "project" in include:
        found += [project_resource(session, row) for row in organizations]
    found += _runs_of_workspaces(context, session, rows, include)
    if "locked_by" in include:
        found += _user_resources(session, [row.locked_by_user_id for row in rows])
    if any(word.startswith("current_configuration_version") for word in include):
        ids = [row.current_configuration_version_id for row in rows if row.current_configuration_version_id]
        versions = session.scalars(select(ConfigurationVersionRow).where(ConfigurationVersionRow.id.in_(ids)))
        found += [configuration_version_resource(context, row) for row in versions]
    return _without_duplicates(found + _states_of_workspaces(context, session, rows, include))


def _runs_of_workspaces(
    context: RequestContext, session: AnySession, rows: Sequence[WorkspaceRow], include: Sequence[str]
) -> list[WireResource]:
    """The current runs with their related resources, and the runs that hold a workspace."""
    ids = {row.current_run_id for row in rows} if any(word.startswith("current_run") for word in include) else set()
    is_wanted: ColumnElement[bool] = RunRow.id.in_(ids)
    if "locked_by" in include:
        is_wanted |= RunRow.workspace_id.in_([row.id for row in rows]) & RunRow.holds_workspace
    runs = session.scalars(select(RunRow).where(is_wanted)).all()
    further = [word.removeprefix("current_run.") for word in include if word.startswith("current_run.")]
    current = [run for run in runs if run.id in ids]
    return [*run_resources(context, session, runs), *_of_runs(context, session, current, further)]


def _states_of_workspaces(
    context: RequestContext, session: AnySession, rows: Sequence[WorkspaceRow], include: Sequence[str]
) -> list[WireResource]:
    ids = [row.current_state_version_id for row in rows if row.current_state_version_id]
    found: list[WireResource] = []
    if "current_state_version" in include:
        states = session.scalars(select(StateVersionRow).where(StateVersionRow.id.in_(ids))).all()
        found += state_version_resources(context, session, states)
    if "outputs" in include:
        outputs = select(StateOutputRow).where(StateOutputRow.state_version_id.in_(ids)).order_by(StateOutputRow.name)
        found += [workspace_output_resource(row) for row in session.scalars(outputs)]
    return found


def _without_duplicates(resources: Sequence[WireResource]) -> list[WireResource]:
    return list({(resource.wire_type, resource.id): resource for resource in resources}.values())


def _of_run_events(
    context: RequestContext, session: AnySession, rows: Sequence[RunEventRow], include: Sequence[str]
) -> list[WireResource]:
    """The named resources that are related to some run events, each once."""
    found: list[WireResource] = []
    if "actor" in include:
        found += _user_resources(session, [row.actor_id for row in rows])
    if "comment" in include:
        ids = [row.comment_id for row in rows if row.comment_id]
        found += comment_resources(session, session.scalars(select(CommentRow).where(CommentRow.id.in_(ids))).all())
    if "run" in include:
        runs = session.scalars(select(RunRow).where(RunRow.id.in_({row.run_id for row in rows}))).all()
        found += run_resources(context, session, runs)
    return found


def _of_state_versions(
    context: RequestContext, session: AnySession, rows: Sequence[StateVersionRow], include: Sequence[str]
) -> list[WireResource]:
    """The named resources that are related to some state versions, each once."""
    if not include:
        return []
    found: list[WireResource] = []
    if "outputs" in include:
        found += [output for row in rows for output in output_resources(session, row.id)]
    runs = session.scalars(select(RunRow).where(RunRow.id.in_({row.run_id for row in rows}))).all()
    if any(word == "run" or word.startswith("run.") for word in include):
        found += run_resources(context, session, runs)
    users = [row.created_by_id for row in rows] if "created_by" in include else []
    if "run.created_by" in include:
        users += [run.created_by_id for run in runs]
    found += _user_resources(session, users)
    if "run.configuration_version" in include:
        found += _of_runs(context, session, runs, ["configuration_version"])
    return found


def _of_configuration_versions(
    context: RequestContext, session: AnySession, rows: Sequence[ConfigurationVersionRow], include: Sequence[str]
) -> list[WireResource]:
    """The runs that use some configuration versions, if named."""
    if "run" not in include:
        return []
    ids = [row.id for row in rows]
    runs = session.scalars(select(RunRow).where(RunRow.configuration_version_id.in_(ids)).order_by(RunRow.sequence))
    return list(run_resources(context, session, runs.all()))


def _user_resources(session: AnySession, ids: Iterable[str | None]) -> list[WireResource]:
    wanted = {id_ for id_ in ids if id_}
    if not wanted:
        return []
    return [user_resource(row) for row in session.scalars(select(UserRow).where(UserRow.id.in_(wanted)))]


OF_RUNS = Includes((*_PHASES, *_USERS, "workspace", "configuration_version", *_NEVER_PRESENT, *_ACTIVITY), _of_runs)
OF_RUN_EVENTS = Includes(("actor", "comment", "run"), _of_run_events)
OF_STATES = Includes(
    ("outputs", "run", "created_by", "run.created_by", "run.configuration_version"), _of_state_versions
)
OF_CONFIGURATIONS = Includes(("ingress_attributes", "run"), _of_configuration_versions)
OF_WORKSPACES = Includes(
    (
        "organization", "project", "locked_by", "readme", "outputs", "current_state_version", "current_run",
        "current_run.plan", "current_run.configuration_version", "current_run.configuration_version.ingress_attributes",
        "current_configuration_version", "current_configuration_version.ingress_attributes",
    ),
    _of_workspaces,
)  # fmt: skip
