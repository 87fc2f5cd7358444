"""Runs, their plans and applies, and the related resources."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Executable, Integer, bindparam, literal_column, select, union_all
from sqlalchemy.orm import Session

from tfruns.jsonapi import JSON, ResourceObject, linkage, linkages
from tfruns.local.backend import Backend
from tfruns.local.documents.scope import Scope
from tfruns.local.service.run_actions import allowed_now, needs_free_workspace
from tfruns.local.service.transitions import taken_workspaces
from tfruns.local.store.schema import CommentRow, PhaseRow, RunEventRow, RunRow, StateVersionRow
from tfruns.vocabulary import RunAction
from tfruns.wire.base import to_kebab
from tfruns.wire.run_options import RunOptions
from tfruns.wire.runs import RunPermissions

# Built once: to build a statement takes longer than to execute it.
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
_STATES = select(StateVersionRow.id).where(StateVersionRow.run_id == bindparam("run_id"))
_OPTION_NAMES = {name: to_kebab(name) for name in RunOptions.model_fields}
_PERMISSIONS = dict.fromkeys(map(to_kebab, RunPermissions.model_fields), True)


@dataclass(frozen=True, slots=True)
class _RunRelations:
    """What belongs to some runs, read at once for all of them.

    Attributes:
        ids: of a run's `plan`, `apply`, `comment`s and `event`s, in order.
        taken_workspaces: the workspaces that a run or a person holds.
    """

    ids: Mapping[tuple[str, str], Sequence[str]]
    taken_workspaces: set[str]


def run_resources(scope: Scope, session: Session, runs: Sequence[RunRow]) -> list[ResourceObject]:
    """Runs as they go over the wire."""
    relations = _relations(session, runs)
    return [_run(scope.backend, run, relations) for run in runs]


def _relations(session: Session, runs: Sequence[RunRow]) -> _RunRelations:
    waiting = {run.workspace_id for run in runs if needs_free_workspace(run)}
    ids: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run_id, kind, id_, _ in session.execute(_RELATED, {"ids": [run.id for run in runs]}):
        ids[run_id, kind].append(id_)
    return _RunRelations(ids, taken_workspaces(session, waiting) if waiting else set())


def _run(backend: Backend, run: RunRow, relations: _RunRelations) -> ResourceObject:
    allowed = allowed_now(backend, run, is_workspace_free=run.workspace_id not in relations.taken_workspaces)
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
    """When the run came into its present status."""
    return max(run.status_timestamps.values(), default=run.created_at)


def phase_resource(session: Session, scope: Scope, phase: PhaseRow) -> ResourceObject:
    """The plan or the apply of a run, with an address of its log that is good for a while."""
    attributes: dict[str, JSON] = {
        "status": phase.status,
        "status-timestamps": phase.status_timestamps,
        "log-read-url": scope.signed("read", "log", phase.id),
        "resource-additions": phase.resource_additions,
        "resource-changes": phase.resource_changes,
        "resource-destructions": phase.resource_destructions,
        "resource-imports": phase.resource_imports,
        "execution-details": {"mode": "remote"},
    }
    if phase.kind == "apply":
        states = linkages("state-versions", session.scalars(_STATES, {"run_id": phase.run_id}))
        uncounted = {"action-invocations": None, "action-failures": None}  # nullable; nobody counts them here
        return ResourceObject("applies", phase.id, attributes | uncounted, {"state-versions": states})
    attributes |= {
        "has-changes": bool(phase.has_changes),
        "generated-configuration": phase.generated_configuration,
        "structured-run-output-enabled": True,
        "actions": {"is-exportable": False},
        "permissions": {"can-export": False},
    }
    return ResourceObject("plans", phase.id, attributes, {"state-versions": [], "exports": []})
