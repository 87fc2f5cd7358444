"""Runs. Source: HCP Terraform API, "Runs"."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import field_validator
from sqlalchemy import BindParameter, Executable, Integer, bindparam, literal_column, select, union_all

from tfruns.errors import UnprocessableEntity
from tfruns.jsonapi import JSON, ResourceObject, linkage, linkages
from tfruns.local.api.request import ApiRequest, RequestAttributes, RequestContext
from tfruns.local.api.response import ApiResponse, list_response, resource_response
from tfruns.local.backend import Backend
from tfruns.local.service import run_creation
from tfruns.local.service.find import find_organization, find_run, find_workspace
from tfruns.local.service.run_actions import allowed_now, needs_free_workspace, perform
from tfruns.local.service.run_creation import NewRun
from tfruns.local.service.run_lists import RunQuery, list_runs
from tfruns.local.service.transitions import held_workspaces
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import CommentRow, PhaseRow, RunEventRow, RunRow
from tfruns.vocabulary import RunAction, RunSource
from tfruns.wire.base import to_kebab
from tfruns.wire.run_options import RunOptions
from tfruns.wire.runs import RunPermissions

# Built once, because building a statement takes longer than executing it.
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_RELATED: Executable = union_all(
    select(PhaseRow.run_id, PhaseRow.kind, PhaseRow.id, literal_column("0", Integer).label("sequence")).where(
        PhaseRow.run_id.in_(_IDS)
    ),
    select(CommentRow.run_id, literal_column("'comment'"), CommentRow.id, CommentRow.sequence).where(
        CommentRow.run_id.in_(_IDS)
    ),
    select(RunEventRow.run_id, literal_column("'event'"), RunEventRow.id, RunEventRow.sequence).where(
        RunEventRow.run_id.in_(_IDS)
    ),
).order_by("sequence")

_OPTION_NAMES = {name: to_kebab(name) for name in RunOptions.model_fields}
_PERMISSIONS = dict.fromkeys(map(to_kebab, RunPermissions.model_fields), True)


class _RunVariable(RequestAttributes):
    key: str
    value: str


class _RunAttributes(RequestAttributes, RunOptions):
    wire_type = "runs"

    message: str | None = None
    auto_apply: bool | None = None
    variables: list[_RunVariable] | None = None

    @field_validator("terraform_version", "message")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        return value or None  # some clients send empty defaults


def create_run(request: ApiRequest) -> ApiResponse:
    """POST /runs -> 201."""
    attributes = request.attributes(_RunAttributes)
    workspace_id = request.related_id("workspace")
    if workspace_id is None:
        raise UnprocessableEntity("data.relationships.workspace is missing: a run needs a workspace.")
    new = NewRun(
        workspace_id=workspace_id,
        configuration_version_id=request.related_id("configuration-version"),
        message=attributes.message,
        auto_apply=attributes.auto_apply,
        variables=[variable.model_dump() for variable in attributes.variables or ()],
        options=attributes,
        source=_source(request),
    )
    with request.backend.database.write() as write:
        run = run_creation.create_run(request.backend, write, new, user_id=request.user_id)
        resource = run_resources(request.context, write.session, [run])[0]
    return resource_response(resource, 201)


def _source(request: ApiRequest) -> str:
    """The source of a run: the Terraform CLI identifies itself, with or without a `cloud` block; others are the API."""
    if request.headers.get("x-terraform-integration", "").lower() == "cloud":
        return RunSource.TERRAFORM_CLOUD.value
    return (RunSource.TERRAFORM if "terraform-version" in request.headers else RunSource.TFE_API).value


def read_run(request: ApiRequest) -> ApiResponse:
    """GET /runs/:run_id -> 200."""
    with request.backend.database.read() as session:
        run = find_run(session, request.path["run_id"])
        resource = run_resources(request.context, session, [run])[0]
        return resource_response(resource, included=request.included(session, [run]))


def list_workspace_runs(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/runs -> 200, with totals."""
    with request.backend.database.read() as session:
        workspace = find_workspace(session, request.path["workspace_id"])
        return _list(request, session, RunQuery.from_request(request, workspace_id=workspace.id))


def list_organization_runs(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization/runs -> 200, without totals."""
    with request.backend.database.read() as session:
        organization = find_organization(session, request.path["organization"])
        return _list(request, session, RunQuery.from_request(request, organization=organization.name))


def _list(request: ApiRequest, session: AnySession, query: RunQuery) -> ApiResponse:
    page = request.page()
    found = list_runs(request.backend, session, query, page.offset, page.size)
    return list_response(
        run_resources(request.context, session, found.runs),
        page,
        total=found.total,
        has_more=found.has_more,
        included=request.included(session, found.runs),
    )


def perform_run_action(request: ApiRequest) -> ApiResponse:
    """POST /runs/:run_id/actions/:action -> 202."""
    action = RunAction(request.path["action"].replace("-", "_"))
    comment = request.comment()
    with request.backend.database.write() as write:
        perform(request.backend, write, request.path["run_id"], action, user_id=request.user_id, comment=comment)
    return ApiResponse(202)


@dataclass(frozen=True, slots=True)
class _RunRelations:
    """The related resources of some runs, read with one statement for all of them.

    Attributes:
        ids: the ids of a run's `plan`, `apply`, `comment`s and `event`s, in order.
        held_workspaces: the workspaces that a run holds or a person has locked.
    """

    ids: Mapping[tuple[str, str], Sequence[str]]
    held_workspaces: set[str]


def run_resources(context: RequestContext, session: AnySession, runs: Sequence[RunRow]) -> list[ResourceObject]:
    """Runs as resource objects."""
    relations = _relations(session, runs)
    return [_run(context.backend, run, relations) for run in runs]


def _relations(session: AnySession, runs: Sequence[RunRow]) -> _RunRelations:
    waiting = {run.workspace_id for run in runs if needs_free_workspace(run)}
    ids: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run_id, kind, id_, _ in session.execute(_RELATED, {"ids": [run.id for run in runs]}):
        ids[run_id, kind].append(id_)
    return _RunRelations(ids, held_workspaces(session, waiting) if waiting else set())


def _run(backend: Backend, run: RunRow, relations: _RunRelations) -> ResourceObject:
    allowed = allowed_now(backend, run, is_workspace_free=run.workspace_id not in relations.held_workspaces)
    attributes: dict[str, JSON] = {
        "status": run.status,
        "status-timestamps": run.status_timestamps,
        "message": run.message,
        "created-at": run.created_at,
        "source": run.source,
        "trigger-reason": "manual",
        "triggering-source-name": None,
        "updated-at": _updated_at(run),
        "has-changes": run.has_changes,
        "auto-apply": run.auto_apply,
        **{_OPTION_NAMES[name]: value for name, value in run.options.items()},
        "variables": [{"key": item["key"], "value": item["value"]} for item in run.variables],
        "actions": {
            "is-cancelable": RunAction.CANCEL in allowed,
            "is-confirmable": RunAction.APPLY in allowed,
            "is-discardable": RunAction.DISCARD in allowed,
            "is-force-cancelable": RunAction.FORCE_CANCEL in allowed,
        },
        "permissions": _PERMISSIONS,
        "canceled-at": run.canceled_at,
    }
    if run.force_cancel_available_at is not None:
        attributes["force-cancel-available-at"] = run.force_cancel_available_at
    return ResourceObject("runs", run.id, attributes, _relationships(run, relations))


def _relationships(run: RunRow, relations: _RunRelations) -> dict[str, JSON]:
    ids = relations.ids
    relationships: dict[str, JSON] = {
        "workspace": linkage("workspaces", run.workspace_id),
        "configuration-version": linkage("configuration-versions", run.configuration_version_id),
        "plan": linkage("plans", ids[run.id, "plan"][0]),
        "apply": linkage("applies", ids[run.id, "apply"][0]),
        "cost-estimate": None,
        "created-by": linkage("users", run.created_by_id),
        "comments": linkages("comments", ids.get((run.id, "comment"), ())),
        "run-events": linkages("run-events", ids.get((run.id, "event"), ())),
        "policy-checks": [],
        "task-stages": [],
    }
    for name, user_id in (("confirmed-by", run.confirmed_by_id), ("canceled-by", run.canceled_by_id)):
        if user_id is not None:
            relationships[name] = linkage("users", user_id)
    return relationships


def _updated_at(run: RunRow) -> str | datetime:
    """When the run entered its current status."""
    return max(run.status_timestamps.values(), default=run.created_at)
