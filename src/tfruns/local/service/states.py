"""States. Source: HCP Terraform API, "State Versions"."""

import hashlib
from typing import Any

import pydantic_core
from sqlalchemy import select

from tfruns.errors import Conflict, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id
from tfruns.local.service.find import find, lock_workspace
from tfruns.local.service.transitions import change_status, queue_of
from tfruns.local.store.database import Write
from tfruns.local.store.schema import RunRow, StateVersionRow
from tfruns.vocabulary import RunStatus

MAX_SERIAL = 2**63 - 1  # what the column holds
_MAX_LENGTHS = {"lineage": 80, "terraform_version": 40}


def store_state(
    backend: Backend, write: Write, workspace_id: str, state: bytes, *, run_id: str | None, user_id: str | None
) -> StateVersionRow | None:
    """Make a state the workspace's current one.

    Returns:
        The new state version; None where this is the state that the workspace has already.

    Raises:
        UnprocessableEntity: it is no state.
    """
    content = parse_state(state)
    workspace = lock_workspace(write.session, workspace_id)
    current = _current(write, workspace.current_state_version_id)
    md5 = hashlib.md5(state, usedforsecurity=False).hexdigest()
    if current is not None and current.md5 == md5:
        return None
    row = StateVersionRow(
        id=new_id("sv"),
        workspace_id=workspace_id,
        run_id=run_id,
        created_by_id=user_id,
        status="finalized",
        serial=content["serial"],
        lineage=content.get("lineage"),
        created_at=backend.now(),
    )
    fill_in(row, state, content)
    backend.objects.write("state", row.id, state)
    write.session.add(row)
    make_current(backend, write, row)
    return row


def make_current(backend: Backend, write: Write, row: StateVersionRow) -> None:
    """Let the workspace's state be this one. Plans that were saved for another state are void."""
    workspace = lock_workspace(write.session, row.workspace_id)
    workspace.current_state_version_id = row.id
    write.session.flush()
    saved = select(RunRow).where(
        RunRow.workspace_id == row.workspace_id, RunRow.status == RunStatus.PLANNED_AND_SAVED, RunRow.id != row.run_id
    )
    for run in write.session.scalars(saved).all():
        change_status(backend, write, run, RunStatus.DISCARDED, event="saved_plan_is_stale")


def check_succession(write: Write, workspace_id: str, content: dict[str, JSON], *, is_forced: bool) -> None:
    """Refuse a state that does not follow the workspace's current one.

    Raises:
        Conflict: 409, its serial is not higher, or its lineage is another.
    """
    workspace = lock_workspace(write.session, workspace_id)
    current = _current(write, workspace.current_state_version_id)
    if current is None or is_forced:
        return
    if content.get("lineage") and current.lineage and content["lineage"] != current.lineage:
        raise Conflict("The state's lineage is not that of the workspace's state.")
    if content["serial"] < current.serial:
        raise Conflict(f"The state's serial {content['serial']} is below {current.serial}, that of the workspace's.")


def _current(write: Write, state_version_id: str | None) -> StateVersionRow | None:
    if state_version_id is None:
        return None
    return write.session.scalars(select(StateVersionRow).where(StateVersionRow.id == state_version_id)).first()


def parse_state(state: bytes) -> dict[str, JSON]:
    """A Terraform state as JSON.

    Raises:
        UnprocessableEntity: it is none.
    """
    try:
        content: JSON = pydantic_core.from_json(state, allow_inf_nan=False)
    except ValueError:
        raise UnprocessableEntity("The state is not JSON.") from None
    if not isinstance(content, dict) or not _is_serial(content.get("serial")):
        raise UnprocessableEntity("The state has no serial.")
    for name, max_length in _MAX_LENGTHS.items():
        text = content.get(name) or ""
        if not isinstance(text, str) or len(text) > max_length:
            raise UnprocessableEntity(f"The state's {name} is not a string of at most {max_length} characters.")
    return content


def _is_serial(value: JSON) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SERIAL


def fill_in(row: StateVersionRow, state: bytes, content: dict[str, JSON]) -> None:
    """Take from a state what is shown of it without reading it again."""
    row.md5 = hashlib.md5(state, usedforsecurity=False).hexdigest()
    row.size = len(state)
    row.serial = content["serial"]
    row.lineage = content.get("lineage")
    row.terraform_version = content.get("terraform_version")
    row.outputs = list(_outputs(content, row.outputs or []))
    row.resources = _resources(content)


def _outputs(content: dict[str, JSON], before: list[Any]) -> Any:
    ids = {output["name"]: output["id"] for output in before}
    outputs = content.get("outputs")
    for name, output in sorted((outputs if isinstance(outputs, dict) else {}).items()):
        if not isinstance(output, dict):
            raise UnprocessableEntity(f"The state's output {name} is not an object.")
        yield {
            "id": ids.get(name) or new_id("wsout"),
            "name": name,
            "value": output.get("value"),
            "detailed-type": output.get("type"),
            "sensitive": bool(output.get("sensitive")),
        }


def _resources(content: dict[str, JSON]) -> list[Any]:
    resources = content.get("resources")
    return [
        {
            "name": resource.get("name"),
            "type": resource.get("type"),
            "count": len(instances) if isinstance(instances := resource.get("instances"), list) else 0,
            "module": resource.get("module", "root"),
            "provider": resource.get("provider"),
        }
        for resource in (resources if isinstance(resources, list) else [])
        if isinstance(resource, dict) and resource.get("mode") == "managed"
    ]


# -- states that a client uploads -------------------------------------------------------------------------------------


def begin_state_version(
    backend: Backend, write: Write, workspace_id: str, *, serial: int, md5: str, lineage: str | None, is_forced: bool,
    run_id: str | None, user_id: str,
) -> StateVersionRow:  # fmt: skip
    """Create a state version that waits for its content.

    Raises:
        Conflict: 409, it does not follow the workspace's state, or neither this user nor this run has the workspace.
    """
    workspace = lock_workspace(write.session, workspace_id)
    holder = queue_of(write.session, workspace).holder
    if workspace.locked_by_user_id != user_id and (run_id is None or run_id != holder):
        raise Conflict("The workspace has to be locked by you, or held by the run, before its state is changed.")
    check_succession(write, workspace_id, {"serial": serial, "lineage": lineage}, is_forced=is_forced)
    row = StateVersionRow(
        id=new_id("sv"), workspace_id=workspace_id, run_id=run_id, created_by_id=user_id, status="pending",
        serial=serial, lineage=lineage, md5=md5, created_at=backend.now(), outputs=[], resources=[],
    )  # fmt: skip
    write.session.add(row)
    write.session.flush()
    return row


def finish_state_version(backend: Backend, write: Write, id_: str, state: bytes) -> None:
    """Take the content of a state version, and make it the workspace's current state.

    Raises:
        Conflict: 409, it has its content already.
        UnprocessableEntity: 422, it is no state, or not the one that was announced.
    """
    row = find(write.session, StateVersionRow, StateVersionRow.id == id_)
    lock_workspace(write.session, row.workspace_id)
    write.session.refresh(row)
    if row.status != "pending":
        raise Conflict("The state has been uploaded already.")
    content = parse_state(state)
    if hashlib.md5(state, usedforsecurity=False).hexdigest() != row.md5:
        raise UnprocessableEntity("The state's md5 is not the one that was announced.")
    if content["serial"] != row.serial:
        raise UnprocessableEntity("The state's serial is not the one that was announced.")
    backend.objects.write("state", row.id, state)
    fill_in(row, state, content)
    row.status = "finalized"
    make_current(backend, write, row)
