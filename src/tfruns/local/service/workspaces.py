"""Organizations and workspaces, with their locks, execution modes and variables.

Source: HCP Terraform API, "Organizations", "Workspaces", "Workspace Variables".
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from tfruns.errors import Conflict, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id, random_text
from tfruns.local.service.find import workspace_for_update
from tfruns.local.service.states import pending_states
from tfruns.local.service.transitions import held_workspaces, promote_next, queue_of, release_stale_hold
from tfruns.local.store.database import Write
from tfruns.local.store.objects import KINDS_OF_PHASE, KINDS_OF_STATE
from tfruns.local.store.schema import (
    ConfigurationVersionRow,
    OrganizationRow,
    PhaseRow,
    RunRow,
    StateVersionRow,
    VariableRow,
    WorkspaceRow,
)

DEFAULT_EXECUTION_MODE = "remote"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,90}")


def create_organization(backend: Backend, write: Write, name: str, email: str | None) -> OrganizationRow:
    """Create an organization.

    Raises:
        UnprocessableEntity: 422, the name is taken or invalid.
    """
    _check_name(name)
    if write.session.get(OrganizationRow, name) is not None:
        raise UnprocessableEntity("Name has already been taken")
    row = OrganizationRow(
        name=name, email=email, settings={}, default_project_id=new_id("prj"), created_at=backend.now()
    )
    write.session.add(row)
    write.session.flush()
    return row


def rename_organization(write: Write, row: OrganizationRow, name: str) -> OrganizationRow:
    """Rename an organization. Its name is its id.

    Raises:
        UnprocessableEntity: 422, the name is taken or invalid.
    """
    if name == row.name:
        return row
    _check_name(name)
    session = write.session
    if session.get(OrganizationRow, name) is not None:
        raise UnprocessableEntity("Name has already been taken")
    renamed = OrganizationRow(
        name=name, email=row.email, settings=row.settings, default_project_id=new_id("prj"), created_at=row.created_at
    )
    session.add(renamed)
    session.flush()
    for kind in (WorkspaceRow, RunRow):
        session.execute(update(kind).where(kind.organization == row.name).values(organization=name))
    project_id = row.default_project_id
    session.delete(row)
    session.flush()
    renamed.default_project_id = project_id
    session.flush()
    return renamed


def delete_organization(backend: Backend, write: Write, row: OrganizationRow) -> None:
    """Delete an organization with its workspaces and everything that belongs to them."""
    _delete_objects(backend, write, WorkspaceRow.organization == row.name)
    write.session.delete(row)
    write.session.flush()


def create_workspace(
    backend: Backend, write: Write, organization: str, name: str | None, values: Mapping[str, JSON]
) -> WorkspaceRow:
    """Create a workspace.

    Args:
        backend: the backend.
        write: the transaction.
        organization: the organization.
        name: the name of the workspace.
        values: columns, and `settings` that are stored and returned.

    Raises:
        UnprocessableEntity: 422, the name is missing, taken or invalid.
    """
    _check_name(name or "")
    now = backend.now()
    row = WorkspaceRow(
        id=new_id("ws"), organization=organization, name=name, created_at=now, updated_at=now,
        **{"terraform_version": backend.terraform_version, "settings": {}, "tags": {}, **values},
    )  # fmt: skip
    _check_free(write, row)
    write.session.add(row)
    write.session.flush()
    return row


def update_workspace(backend: Backend, write: Write, row: WorkspaceRow, values: Mapping[str, JSON]) -> None:
    """Update a workspace.

    Raises:
        UnprocessableEntity: 422, the new name is taken or invalid.
    """
    name = values.get("name")
    if name is not None and name != row.name:
        _check_name(name)
        row.name = name
        _check_free(write, row)
    for key in values.keys() - {"name", "settings"}:
        setattr(row, key, values[key])
    row.settings = {**row.settings, **values.get("settings", {})}
    row.updated_at = backend.now()
    write.session.flush()


def delete_workspace(backend: Backend, write: Write, row: WorkspaceRow, *, is_safe: bool = False) -> None:
    """Delete a workspace with everything that belongs to it.

    Workspaces API, "Force Delete a workspace": it is deleted even if it manages resources or has active runs. Their
    processes are killed.

    Args:
        backend: the backend.
        write: the transaction.
        row: the workspace.
        is_safe: refuse to delete a workspace that is in use.

    Raises:
        Conflict: 409, with `is_safe`: the workspace is locked, held by a run, or still manages resources.
    """
    workspace_for_update(write.session, row.id)
    if is_safe and held_workspaces(write.session, [row.id]):
        raise Conflict("The workspace cannot be deleted: it is locked.")
    if is_safe and _manages_resources(write, row):
        raise Conflict(
            "The workspace cannot be deleted: it is still managing resources. Destroy them first, or "
            "force the deletion."
        )
    _delete_objects(backend, write, WorkspaceRow.id == row.id)
    write.session.delete(row)
    write.session.flush()


def _delete_objects(backend: Backend, write: Write, workspaces: ColumnElement[bool]) -> None:
    """Delete the objects of these workspaces after the commit."""
    objects = {
        ("configuration",): select(ConfigurationVersionRow.id).join(WorkspaceRow),
        KINDS_OF_STATE: select(StateVersionRow.id).join(WorkspaceRow),
        KINDS_OF_PHASE: select(PhaseRow.id).join(RunRow).join(WorkspaceRow),
    }
    for kinds, statement in objects.items():
        for id_ in write.session.scalars(statement.where(workspaces)):
            write.after_commit += [partial(backend.objects.delete, kind, id_) for kind in kinds]


def _manages_resources(write: Write, row: WorkspaceRow) -> bool:
    state_id = row.current_state_version_id
    state = write.session.scalars(select(StateVersionRow).where(StateVersionRow.id == state_id)).first()
    return state is not None and (state.resource_count > 0 or not state.is_interpreted)


def lock(backend: Backend, write: Write, row: WorkspaceRow, *, user_id: str, reason: str | None) -> None:
    """Lock a workspace for a person. New runs are accepted and stay pending.

    Raises:
        Conflict: 409, it is already locked, or held by a run.
    """
    workspace = workspace_for_update(write.session, row.id)
    release_stale_hold(backend, write, row.id)
    queue = queue_of(write.session, workspace)
    if queue.is_locked or queue.holder is not None:
        raise Conflict("Unable to lock workspace. The workspace is already locked.")
    row.locked_by_user_id = user_id
    row.locked_reason = reason
    row.locked_at = backend.now()
    write.session.flush()


def unlock(backend: Backend, write: Write, row: WorkspaceRow, *, user_id: str, is_forced: bool = False) -> None:
    """Release a person's lock, and start the next run. By force, also release a workspace that a finished run holds.

    Raises:
        Conflict: 409, the workspace is not locked, is held by a run, or (unless forced) is locked by another user.
    """
    workspace = workspace_for_update(write.session, row.id)
    if is_forced and release_stale_hold(backend, write, row.id):
        promote_next(backend, write, row.id)
        return
    queue = queue_of(write.session, workspace)
    if queue.holder is not None:
        raise Conflict(
            f"Unable to unlock workspace. The workspace is locked by Run {queue.holder} "
            "and may not be unlocked except by them."
        )
    if row.locked_by_user_id is None:
        raise Conflict("Unable to unlock workspace. The workspace is not locked.")
    if row.locked_by_user_id != user_id and not is_forced:
        raise Conflict("Unable to unlock workspace. The workspace is locked by another user.")
    _settle_pending_states(write, row, is_forced=is_forced)
    row.locked_by_user_id = row.locked_reason = row.locked_at = None
    write.session.flush()
    promote_next(backend, write, row.id)


def _settle_pending_states(write: Write, row: WorkspaceRow, *, is_forced: bool) -> None:
    """Discard the pending state versions of a lock that is being released by force.

    State Versions, "Create a State Version": "may not be unlocked normally until the state version is uploaded".

    Raises:
        Conflict: 409, a state version is pending, and the lock is not released by force.
    """
    pending = pending_states(write.session, row.id)
    if pending and not is_forced:
        raise Conflict("Unable to unlock workspace. The latest state version is still pending.")
    for state in pending:
        state.status = "discarded"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UnprocessableEntity("Name is invalid: use 1 to 90 letters, digits, - and _.")


def _check_free(write: Write, row: WorkspaceRow) -> None:
    with write.session.no_autoflush:
        taken = write.session.scalars(
            select(WorkspaceRow.id).where(
                WorkspaceRow.organization == row.organization, WorkspaceRow.name == row.name, WorkspaceRow.id != row.id
            )
        ).first()
    if taken is not None:
        raise UnprocessableEntity("Name has already been taken")


# -- execution mode (Workspaces API, "Create a Workspace", `execution-mode`) ------------------------------------------


def execution_mode(settings: Mapping[str, Any], organization_settings: Mapping[str, Any]) -> str:
    """The execution mode of a workspace: `remote`, or `local` for a workspace that only stores states.

    Args:
        settings: the settings of the workspace, whose own mode takes precedence.
        organization_settings: the settings of its organization.
    """
    default = organization_settings.get("default-execution-mode", DEFAULT_EXECUTION_MODE)
    return str(settings.get("execution-mode") or default)


def executes_runs(session: Session, row: WorkspaceRow) -> bool:
    """Whether this backend executes the runs of a workspace. It only stores the states of a `local` one."""
    organization = session.get_one(OrganizationRow, row.organization)
    return execution_mode(row.settings, organization.settings) != "local"


# -- variables --------------------------------------------------------------------------------------------------------

CATEGORIES = ("terraform", "env")


def save_variable(write: Write, row: VariableRow, values: Mapping[str, Any]) -> None:
    """Create or update a variable.

    Raises:
        UnprocessableEntity: 422, the key or the category is invalid, the key is taken, or a sensitive variable would
            become readable.
    """
    if row.sensitive and values.get("sensitive") is False:
        raise UnprocessableEntity(
            "The variable cannot be changed: a sensitive variable stays sensitive. Delete it and create another one."
        )
    with write.session.no_autoflush:
        for name, value in values.items():
            setattr(row, name, value)
        if not row.key or len(row.key) > 256:
            raise UnprocessableEntity("Key is invalid: use 1 to 256 characters.")
        if row.category not in CATEGORIES:
            raise UnprocessableEntity(f"Category is invalid: use {' or '.join(CATEGORIES)}.")
        taken = select(VariableRow.id).where(
            VariableRow.workspace_id == row.workspace_id,
            VariableRow.category == row.category,
            VariableRow.key == row.key,
            VariableRow.id != row.id,
        )
        if write.session.scalars(taken).first() is not None:
            raise UnprocessableEntity("Key has already been taken")
    row.version_id = random_text(64)
    write.session.add(row)
    write.session.flush()
