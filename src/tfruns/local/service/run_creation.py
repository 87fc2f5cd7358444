"""New runs. Source: HCP Terraform API, "Create a Run"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from tfruns.errors import UnprocessableEntity
from tfruns.lifecycle import is_queued
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id
from tfruns.local.service.find import find_named, workspace_for_update
from tfruns.local.service.transitions import count_run, promote_next, record_event, start_plan
from tfruns.local.service.workspaces import executes_runs
from tfruns.local.store.database import AnySession, Write
from tfruns.local.store.schema import ConfigurationVersionRow, PhaseRow, RunRow, VariableRow, WorkspaceRow
from tfruns.next_actions import joined
from tfruns.vocabulary import ConfigurationStatus, PhaseStatus, RunSource, RunStatus
from tfruns.wire.base import wire_time
from tfruns.wire.run_options import RunOptions, option_conflict

DEFAULT_MESSAGE = "Queued manually via the Terraform Enterprise API"


@dataclass(frozen=True, slots=True)
class NewRun:
    """A request for a run. None stands for an omitted option.

    Attributes:
        workspace_id: the workspace.
        configuration_version_id: the configuration version. Default: the latest of the workspace.
        message: the message.
        auto_apply: whether the plan is applied without confirmation. Default: the workspace's setting.
        options: the options that the run returns as given.
        variables: variables that override those of the workspace.
        source: the source of the run.
    """

    workspace_id: str
    configuration_version_id: str | None = None
    message: str | None = None
    auto_apply: bool | None = None
    options: RunOptions = field(default_factory=RunOptions)
    variables: Sequence[Mapping[str, str]] = ()
    source: str = RunSource.TFE_API.value


def create_run(backend: Backend, write: Write, new: NewRun, *, user_id: str) -> RunRow:
    """Create a run, and start its plan immediately if no other run blocks it.

    Raises:
        NotFound: 404, the workspace or the configuration version does not exist.
        UnprocessableEntity: 422, options cannot be used together, or the configuration is missing or not uploaded yet.
    """
    session = write.session
    workspace = workspace_for_update(session, find_named(session, WorkspaceRow, new.workspace_id).id)
    if not executes_runs(session, workspace):
        raise UnprocessableEntity(
            "The run cannot be created: the workspace only stores states, since its execution mode is local. Run "
            "Terraform on your own machine, or set the execution mode to remote."
        )
    configuration = _configuration(session, workspace, new)
    options = new.options.with_defaults()
    if configuration.speculative:  # it can never be applied, whatever the request asks for
        options = options.model_copy(update={"plan_only": True})
    _check(backend, workspace, options)
    now = backend.now()
    run = RunRow(
        id=new_id("run"),
        workspace_id=workspace.id,
        organization=workspace.organization,
        configuration_version_id=configuration.id,
        status=RunStatus.PENDING.value,
        status_timestamps={"plan-queueable-at": wire_time(now)},
        operation=options.operation.value,
        source=new.source,
        message=new.message or DEFAULT_MESSAGE,
        created_at=now,
        created_by_id=user_id,
        auto_apply=workspace.auto_apply if new.auto_apply is None else new.auto_apply,
        options={name: getattr(options, name) for name in RunOptions.model_fields}
        | {"terraform_version": backend.terraform_version},
        variables=list(new.variables),
        workspace_variables=_snapshot(session, workspace),
    )
    session.add(run)
    session.flush()
    for kind in ("plan", "apply"):
        session.add(
            PhaseRow(
                id=new_id(kind), run_id=run.id, kind=kind, status=PhaseStatus.PENDING.value,
                status_timestamps={"pending-at": wire_time(now)},
            )
        )  # fmt: skip
    session.flush()
    count_run(session, run, before=None)
    record_event(backend, session, run.id, "queued", actor_id=user_id)
    if is_queued(run.operation):
        promote_next(backend, write, workspace.id)
    else:
        start_plan(backend, write, run, holds_workspace=False)
    session.refresh(run)
    return run


def _configuration(session: AnySession, workspace: WorkspaceRow, new: NewRun) -> ConfigurationVersionRow:
    """The configuration version of the new run, which may belong to another workspace."""
    if new.configuration_version_id is not None:
        found = find_named(session, ConfigurationVersionRow, new.configuration_version_id)
        if found.status in ConfigurationStatus.unprocessed():
            raise UnprocessableEntity("Configuration version is still being processed.")
    else:
        latest = session.scalars(
            select(ConfigurationVersionRow)
            .where(
                ConfigurationVersionRow.workspace_id == workspace.id,
                ConfigurationVersionRow.status == ConfigurationStatus.UPLOADED,
                ConfigurationVersionRow.speculative.is_(False),
                ConfigurationVersionRow.provisional.is_(False),
            )
            .order_by(ConfigurationVersionRow.sequence.desc())
        ).first()
        if latest is None:
            raise UnprocessableEntity("Configuration version is missing")
        found = latest
    if found.status != ConfigurationStatus.UPLOADED:
        raise UnprocessableEntity(
            f"The run cannot be created: the configuration version is {found.status}. Create another one."
        )
    return found


def _check(backend: Backend, workspace: WorkspaceRow, options: RunOptions) -> None:
    conflict = option_conflict(options)
    if conflict is not None:
        raise UnprocessableEntity(f"invalid run parameters: {joined(conflict.message)} {joined(conflict.solution)}")
    requested, installed = options.terraform_version, backend.terraform_version
    if requested not in (None, installed):
        raise UnprocessableEntity(
            f"The run cannot be created: Terraform {requested} is not available. Omit terraform_version to use "
            f"{installed}, which is installed."
        )
    if options.is_destroy and workspace.settings.get("allow-destroy-plan") is False:
        raise UnprocessableEntity(
            "The run cannot be created: the workspace does not allow destroy plans. Set "
            "allow-destroy-plan to true first."
        )


def _snapshot(session: AnySession, workspace: WorkspaceRow) -> list[dict[str, Any]]:
    """The current variables of the workspace. A run keeps the variables from the time of its creation."""
    rows = session.scalars(select(VariableRow).where(VariableRow.workspace_id == workspace.id))
    return [
        {"key": row.key, "value": row.value, "category": row.category, "hcl": row.hcl, "sensitive": row.sensitive}
        for row in rows
    ]
