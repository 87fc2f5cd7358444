"""Runs, their plans and applies, and what comes along with them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from tfruns.local.backend import Backend
from tfruns.local.documents.scope import Scope
from tfruns.local.service.run_actions import allowed_now, needs_free_workspace
from tfruns.local.service.transitions import taken_workspaces
from tfruns.local.store.schema import CommentRow, PhaseRow, RunEventRow, RunRow, StateVersionRow
from tfruns.vocabulary import RunAction
from tfruns.wire.base import Related
from tfruns.wire.plans import Apply, Plan
from tfruns.wire.runs import Run, RunActions, RunPermissions, RunVariable

# Made once: to build a statement takes longer than to execute it.
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_PHASES = select(PhaseRow.run_id, PhaseRow.kind, PhaseRow.id).where(PhaseRow.run_id.in_(_IDS))
_COMMENTS = select(CommentRow.run_id, CommentRow.id).where(CommentRow.run_id.in_(_IDS)).order_by(CommentRow.sequence)
_EVENTS = select(RunEventRow.run_id, RunEventRow.id).where(RunEventRow.run_id.in_(_IDS)).order_by(RunEventRow.sequence)
_PERMISSIONS = RunPermissions(**dict.fromkeys(RunPermissions.model_fields, True))


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """What belongs to some runs, read at once for all of them."""

    phases: dict[tuple[str, str], str]
    comments: dict[str, list[str]]
    events: dict[str, list[str]]
    taken_workspaces: set[str]


def run_resources(scope: Scope, session: Session, runs: Sequence[RunRow]) -> list[Run]:
    """Runs as they go over the wire."""
    neighbours = _neighbours(session, runs)
    return [_run(scope.backend, run, neighbours) for run in runs]


def _neighbours(session: Session, runs: Sequence[RunRow]) -> _Neighbours:
    ids = [run.id for run in runs]
    waiting = {run.workspace_id for run in runs if needs_free_workspace(run)}
    phases = session.execute(_PHASES, {"ids": ids})
    return _Neighbours(
        phases={(run_id, kind): id_ for run_id, kind, id_ in phases},
        comments=_grouped(session.execute(_COMMENTS, {"ids": ids})),
        events=_grouped(session.execute(_EVENTS, {"ids": ids})),
        taken_workspaces=taken_workspaces(session, waiting) if waiting else set(),
    )


def _grouped(pairs: Iterable[Iterable[str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _run(backend: Backend, run: RunRow, neighbours: _Neighbours) -> Run:
    allowed = allowed_now(backend, run, is_workspace_free=run.workspace_id not in neighbours.taken_workspaces)
    options = run.options
    fields: dict[str, Any] = {
        "id": run.id,
        "status": run.status,
        "status_timestamps": run.status_timestamps,
        "message": run.message,
        "created_at": run.created_at,
        "source": run.source,
        "trigger_reason": "manual",
        "triggering-source-name": None,
        "updated-at": _updated_at(run),
        "has_changes": run.has_changes,
        "auto_apply": run.auto_apply,
        **{name: options[name] for name in options},
        "variables": [RunVariable(key=item["key"], value=item["value"]) for item in run.variables],
        "actions": RunActions(
            is_cancelable=RunAction.CANCEL in allowed,
            is_confirmable=RunAction.APPLY in allowed,
            is_discardable=RunAction.DISCARD in allowed,
            is_force_cancelable=RunAction.FORCE_CANCEL in allowed,
        ),
        "permissions": _PERMISSIONS,
        "canceled_at": run.canceled_at,
        "workspace": Related(type="workspaces", id=run.workspace_id),
        "configuration_version": Related(type="configuration-versions", id=run.configuration_version_id),
        "plan": Related(type="plans", id=neighbours.phases[run.id, "plan"]),
        "apply": Related(type="applies", id=neighbours.phases[run.id, "apply"]),
        "cost_estimate": None,
        "created_by": Related(type="users", id=run.created_by_id),
        "comments": [Related(type="comments", id=id_) for id_ in neighbours.comments[run.id]],
        "run_events": [Related(type="run-events", id=id_) for id_ in neighbours.events[run.id]],
        "policy_checks": [],
        "task_stages": [],
    }
    if run.force_cancel_available_at is not None:
        fields["force_cancel_available_at"] = run.force_cancel_available_at
    for name, user_id in (("confirmed_by", run.confirmed_by_id), ("canceled_by", run.canceled_by_id)):
        if user_id is not None:
            fields[name] = Related(type="users", id=user_id)
    return Run.model_validate(fields)


def _updated_at(run: RunRow) -> str | datetime:
    """When the run came into its present status."""
    return max(run.status_timestamps.values(), default=run.created_at)


def phase_resource(session: Session, scope: Scope, phase: PhaseRow) -> Plan | Apply:
    """The plan or the apply of a run, with an address of its log that is good for a while."""
    fields: dict[str, Any] = {
        "id": phase.id,
        "status": phase.status,
        "status_timestamps": phase.status_timestamps,
        "log_read_url": scope.signed("read", "log", phase.id),
        "resource_additions": phase.resource_additions,
        "resource_changes": phase.resource_changes,
        "resource_destructions": phase.resource_destructions,
        "resource_imports": phase.resource_imports,
        "execution-details": {"mode": "remote"},
    }
    if phase.kind == "apply":
        states = session.scalars(select(StateVersionRow.id).where(StateVersionRow.run_id == phase.run_id))
        uncounted = {"action_invocations": None, "action_failures": None}  # nullable; nobody counts them here
        related = {"state_versions": [Related(type="state-versions", id=id_) for id_ in states]}
        return Apply.model_validate(fields | uncounted | related)
    return Plan.model_validate(
        fields
        | {
            "has_changes": bool(phase.has_changes),
            "generated_configuration": phase.generated_configuration,
            "structured_run_output_enabled": True,
            "actions": {"is-exportable": False},
            "permissions": {"can-export": False},
            "state_versions": [],
            "exports": [],
        }
    )
