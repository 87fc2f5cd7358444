"""New runs. Source: HCP Terraform API, "Create a Run"."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.errors import UnprocessableEntity
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id, random_text
from tfruns.local.queue import is_queued
from tfruns.local.service.counts import count_run
from tfruns.local.service.find import find, find_workspace, lock_workspace
from tfruns.local.service.transitions import promote_next, record_event, start_plan, wire_time
from tfruns.local.store.database import Write
from tfruns.local.store.schema import ConfigurationVersionRow, PhaseRow, RunRow, VariableRow, WorkspaceRow
from tfruns.vocabulary import PhaseStatus, RunOperation, RunSource, RunStatus

DEFAULT_MESSAGE = "Queued manually via the Terraform Enterprise API"

_FLAGS = (
    "is_destroy",
    "refresh_only",
    "plan_only",
    "save_plan",
    "allow_empty_apply",
    "allow_config_generation",
    "debugging_mode",
)
_LISTS = ("target_addrs", "replace_addrs", "policy_paths", "invoke_action_addrs")


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a request for a run says; None is what it does not say."""

    workspace_id: str
    configuration_version_id: str | None = None
    message: str | None = None
    auto_apply: bool | None = None
    is_destroy: bool | None = None
    refresh: bool | None = None
    refresh_only: bool | None = None
    plan_only: bool | None = None
    save_plan: bool | None = None
    allow_empty_apply: bool | None = None
    allow_config_generation: bool | None = None
    debugging_mode: bool | None = None
    terraform_version: str | None = None
    target_addrs: list[str] | None = None
    replace_addrs: list[str] | None = None
    policy_paths: list[str] | None = None
    invoke_action_addrs: list[str] | None = None
    variables: list[dict[str, str]] | None = None
    source: str = RunSource.TFE_API.value


def create_run(backend: Backend, write: Write, new: NewRun, *, user_id: str) -> RunRow:
    """Create a run, and let it go at once if nothing is before it.

    Raises:
        NotFound: 404, no such workspace or configuration version.
        UnprocessableEntity: 422, options that cannot be, or a configuration that is missing or not there yet.
    """
    session = write.session
    workspace = lock_workspace(session, find_workspace(session, new.workspace_id).id)
    configuration = _configuration(session, workspace, new)
    options = _options(new, configuration)
    _check(backend, workspace, options)
    now = backend.now()
    run = RunRow(
        id=new_id("run"),
        workspace_id=workspace.id,
        organization=workspace.organization,
        configuration_version_id=configuration.id,
        status=RunStatus.PENDING.value,
        status_timestamps={"plan-queueable-at": wire_time(now)},
        operation=_operation(options).value,
        source=new.source,
        message=new.message or DEFAULT_MESSAGE,
        created_at=now,
        created_by_id=user_id,
        auto_apply=workspace.auto_apply if new.auto_apply is None else new.auto_apply,
        options=options,
        variables=new.variables or [],
        workspace_variables=_snapshot(session, workspace),
    )
    session.add(run)
    for kind in ("plan", "apply"):
        session.add(
            PhaseRow(
                id=new_id(kind), run_id=run.id, kind=kind, status=PhaseStatus.PENDING.value,
                status_timestamps={"pending-at": wire_time(now)}, log_secret=random_text(32),
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


def _configuration(session: Session, workspace: WorkspaceRow, new: NewRun) -> ConfigurationVersionRow:
    """The configuration version to use; it may be one of another workspace."""
    if new.configuration_version_id is not None:
        found = find(session, ConfigurationVersionRow, ConfigurationVersionRow.id == new.configuration_version_id)
        if found.status in {"pending", "fetching"}:
            raise UnprocessableEntity("Configuration version is still being processed.")
    else:
        latest = session.scalars(
            select(ConfigurationVersionRow)
            .where(
                ConfigurationVersionRow.workspace_id == workspace.id,
                ConfigurationVersionRow.status == "uploaded",
                ConfigurationVersionRow.speculative.is_(False),
                ConfigurationVersionRow.provisional.is_(False),
            )
            .order_by(ConfigurationVersionRow.sequence.desc())
        ).first()
        if latest is None:
            raise UnprocessableEntity("Configuration version is missing")
        found = latest
    if found.status != "uploaded":
        raise UnprocessableEntity(f"The configuration version is {found.status} and cannot be used.")
    return found


def _options(new: NewRun, configuration: ConfigurationVersionRow) -> dict[str, Any]:
    """The run's options, with the defaults of the API where nothing was said."""
    options: dict[str, Any] = {name: bool(getattr(new, name)) for name in _FLAGS}
    options |= {name: getattr(new, name) for name in _LISTS}
    options["refresh"] = True if new.refresh is None else new.refresh
    options["terraform_version"] = new.terraform_version
    # A speculative configuration can never be applied, whatever the request says.
    options["plan_only"] = options["plan_only"] or configuration.speculative
    return options


def _check(backend: Backend, workspace: WorkspaceRow, options: dict[str, Any]) -> None:
    asked = options["terraform_version"]
    is_impossible = (
        (options["is_destroy"] and options["refresh_only"])
        or (asked is not None and not options["plan_only"])
        or (options["allow_empty_apply"] and options["plan_only"])
        or (options["save_plan"] and options["plan_only"])
    )
    if is_impossible:
        raise UnprocessableEntity("invalid run parameters")
    if asked is not None and asked != backend.options.terraform_version:
        raise UnprocessableEntity(
            f"Terraform {asked} is not available here; {backend.options.terraform_version} is installed."
        )
    if options["is_destroy"] and workspace.settings.get("allow-destroy-plan") is False:
        raise UnprocessableEntity("The workspace does not allow destroy plans.")


def _operation(options: dict[str, Any]) -> RunOperation:
    """What decides how the run is queued comes first: a destroy whose plan is saved is a saved plan."""
    for flag, operation in (
        ("plan_only", RunOperation.PLAN_ONLY),
        ("save_plan", RunOperation.SAVE_PLAN),
        ("refresh_only", RunOperation.REFRESH_ONLY),
        ("is_destroy", RunOperation.DESTROY),
        ("allow_empty_apply", RunOperation.EMPTY_APPLY),
    ):
        if options[flag]:
            return operation
    return RunOperation.PLAN_AND_APPLY


def _snapshot(session: Session, workspace: WorkspaceRow) -> list[dict[str, Any]]:
    """The workspace's variables as they are now: a run keeps those with which it was created."""
    rows = session.scalars(select(VariableRow).where(VariableRow.workspace_id == workspace.id))
    return [
        {"key": row.key, "value": row.value, "category": row.category, "hcl": row.hcl, "sensitive": row.sensitive}
        for row in rows
    ]
