"""State versions. Source: HCP Terraform API, "State Versions"."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pydantic_core
from sqlalchemy import select

from tfruns.errors import Conflict, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.backend import Backend
from tfruns.local.exact_json import read_json, write_json
from tfruns.local.ids import new_id
from tfruns.local.service.find import find, find_named, not_found, workspace_for_update
from tfruns.local.service.interpreted_state import MAX_LENGTHS, MAX_SERIAL, interpret
from tfruns.local.service.transitions import change_status, queue_of
from tfruns.local.store.database import AnySession, Write
from tfruns.local.store.schema import RunRow, StateOutputRow, StateVersionRow
from tfruns.vocabulary import RunStatus

_VERSIONS = (1, 2, 3, 4)  # of Terraform's state snapshot format


def store_state(
    backend: Backend, write: Write, workspace_id: str, state: bytes, *, run_id: str | None, user_id: str | None
) -> StateVersionRow | None:
    """Store a state that Terraform wrote, unchanged, as the workspace's current state.

    Unreadable parts (numbers with thousands of digits, values nested hundreds of levels deep) are omitted where outputs
    and resources are shown.

    Returns:
        The new state version; None if the workspace already has this state.
    """
    workspace = workspace_for_update(write.session, workspace_id)
    current = _current(write, workspace.current_state_version_id)
    md5 = md5_of(state)
    if current is not None and current.md5 == md5:
        return None
    content = interpret(state)
    serial = content.serial if content.serial is not None else (current.serial + 1 if current is not None else 0)
    row = StateVersionRow(
        id=new_id("sv"), workspace_id=workspace_id, run_id=run_id, created_by_id=user_id, status="pending",
        serial=serial, md5=md5, created_at=backend.now(), is_interpreted=content.is_complete,
    )  # fmt: skip
    write.session.add(row)
    _finalize(backend, write, row, state, content.document)
    return row


def _finalize(backend: Backend, write: Write, row: StateVersionRow, state: bytes, content: dict[str, JSON]) -> None:
    """Store the content of a pending state version, and make it the workspace's current state.

    Saved plans for another state are discarded, and so are pending state versions that do not follow this one:
    "superseded by a newer state version before it could be uploaded" (State Versions, "State Version Status").
    """
    _fill_in(write, row, state, content)
    backend.objects.write("state", row.id, state)
    row.status = "finalized"
    workspace = workspace_for_update(write.session, row.workspace_id)
    before = _current(write, workspace.current_state_version_id)
    workspace.current_state_version_id = row.id
    write.session.flush()
    _discard_superseded(write, row)
    if before is None or before.md5 != row.md5:
        _discard_saved_plans(backend, write, row)


def _discard_saved_plans(backend: Backend, write: Write, row: StateVersionRow) -> None:
    saved = select(RunRow).where(
        RunRow.workspace_id == row.workspace_id, RunRow.status == RunStatus.PLANNED_AND_SAVED, RunRow.id != row.run_id
    )
    for run in write.session.scalars(saved).all():
        change_status(backend, write, run, RunStatus.DISCARDED, event="saved_plan_is_stale")


def _discard_superseded(write: Write, current: StateVersionRow) -> None:
    for row in pending_states(write.session, current.workspace_id):
        try:
            _check_succession(current, row.serial, row.lineage, row.md5, is_forced=row.is_forced)
        except Conflict:
            row.status = "discarded"
    write.session.flush()


def pending_states(session: AnySession, workspace_id: str) -> Sequence[StateVersionRow]:
    """The state versions of a workspace that were created and have no content yet."""
    is_pending = (StateVersionRow.workspace_id == workspace_id) & (StateVersionRow.status == "pending")
    return session.scalars(select(StateVersionRow).where(is_pending)).all()


def _check_succession(
    current: StateVersionRow | None, serial: int, lineage: str | None, md5: str | None, *, is_forced: bool
) -> None:
    """Refuse a state that does not follow the workspace's current one. The same state is accepted again.

    Raises:
        Conflict: 409, its lineage differs, its serial is lower, or its serial is the same and its content differs.
    """
    if current is None or is_forced:
        return
    if lineage and current.lineage and lineage != current.lineage:
        raise Conflict("The state cannot be stored: its lineage differs from that of the workspace's current state.")
    if serial < current.serial:
        raise Conflict(
            f"The state cannot be stored: its serial {serial} is lower than {current.serial}, the serial of the "
            "workspace's current state."
        )
    if serial == current.serial and md5 != current.md5:
        raise Conflict(
            f"The state cannot be stored: the workspace's current state has the same serial {serial} and another MD5 "
            "hash."
        )


def _current(write: Write, state_version_id: str | None) -> StateVersionRow | None:
    if state_version_id is None:
        return None
    return write.session.scalars(select(StateVersionRow).where(StateVersionRow.id == state_version_id)).first()


def parse_state(state: bytes) -> dict[str, JSON]:
    """Parse a Terraform state.

    Raises:
        UnprocessableEntity: 422, it is not JSON, has no serial, or one of its texts is too long.
    """
    try:
        content: JSON = pydantic_core.from_json(state, allow_inf_nan=False)
    except ValueError:
        raise UnprocessableEntity("The state is invalid: it is not JSON.") from None
    if not isinstance(content, dict) or not _is_serial(content.get("serial")):
        raise UnprocessableEntity("The state is invalid: it has no serial.")
    for name, max_length in MAX_LENGTHS.items():
        text = content.get(name) or ""
        if not isinstance(text, str) or len(text) > max_length:
            raise UnprocessableEntity(
                f"The state is invalid: its {name} is not a string of at most {max_length} characters."
            )
    return content


def check_is_state(content: Mapping[str, JSON]) -> None:
    """Refuse an uploaded state that Terraform could not read.

    Raises:
        UnprocessableEntity: 422, its version is unknown, or its outputs or resources are malformed.
    """
    if content.get("version") not in _VERSIONS or isinstance(content.get("version"), bool):
        raise UnprocessableEntity(
            f"The state is invalid: its version is not a number from {_VERSIONS[0]} to {_VERSIONS[-1]}."
        )
    for name, kind, expected in (("outputs", dict, "an object"), ("resources", list, "a list")):
        if not isinstance(content.get(name), kind | None):
            raise UnprocessableEntity(f"The state is invalid: its {name} are not {expected}.")
    for name, output in (content.get("outputs") or {}).items():
        if not isinstance(output, dict):
            raise UnprocessableEntity(f"The state is invalid: its output {name} is not an object.")
    for resource in content.get("resources") or []:
        if not isinstance(resource, dict) or not isinstance(resource.get("instances", []), list):
            raise UnprocessableEntity("The state is invalid: a resource is not an object with a list of instances.")


def _is_serial(value: JSON) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SERIAL


def md5_of(state: bytes) -> str:
    """The MD5 hash of a state, as the API uses it."""
    return hashlib.md5(state, usedforsecurity=False).hexdigest()


def _fill_in(write: Write, row: StateVersionRow, state: bytes, content: dict[str, JSON]) -> None:
    """Copy the parts of a state that are shown into the row, so that the state need not be read again."""
    row.size = len(state)
    row.lineage = row.lineage or content.get("lineage")
    row.terraform_version = content.get("terraform_version")
    row.resources = _resources(content)
    row.resource_count = sum(resource["count"] for resource in row.resources)
    write.session.flush()
    write.session.add_all(_outputs(row.id, content))


def _outputs(state_version_id: str, content: dict[str, JSON]) -> Iterator[StateOutputRow]:
    outputs = content.get("outputs")
    for name, output in (outputs if isinstance(outputs, dict) else {}).items():
        if not isinstance(output, dict):
            raise UnprocessableEntity(f"The state is invalid: its output {name} is not an object.")
        yield StateOutputRow(
            id=new_id("wsout"),
            state_version_id=state_version_id,
            name=name,
            value=output.get("value"),
            detailed_type=output.get("type"),
            sensitive=bool(output.get("sensitive")),
        )


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


def create_state_version(
    backend: Backend, write: Write, workspace_id: str, *, serial: int, md5: str, lineage: str | None, is_forced: bool,
    run_id: str | None, user_id: str,
) -> StateVersionRow:  # fmt: skip
    """Create a state version, whose content is uploaded later.

    Raises:
        Conflict: 409, it does not follow the workspace's current state, or the workspace is neither locked by this user
            nor held by this run.
    """
    workspace = workspace_for_update(write.session, workspace_id)
    holder = queue_of(write.session, workspace).holder
    if workspace.locked_by_user_id != user_id and (run_id is None or run_id != holder):
        raise Conflict(
            "The state cannot be changed: the workspace is not locked by you or held by the run. Lock it first."
        )
    md5 = md5.lower()
    current = _current(write, workspace.current_state_version_id)
    _check_succession(current, serial, lineage, md5, is_forced=is_forced)
    row = StateVersionRow(
        id=new_id("sv"), workspace_id=workspace_id, run_id=run_id, created_by_id=user_id, status="pending",
        serial=serial, lineage=lineage, md5=md5, is_forced=is_forced, created_at=backend.now(), resources=[],
    )  # fmt: skip
    write.session.add(row)
    write.session.flush()
    return row


def upload_state(backend: Backend, write: Write, id_: str, state: bytes) -> None:
    """Store the content of a state version, and make it the workspace's current state.

    The same content changes nothing: a client that lost the response sends it again.

    Raises:
        Conflict: 409, the state version already has other content, or does not follow the workspace's state, which may
            have changed since the state version was created.
        UnprocessableEntity: 422, the content is not a state, or does not match the announced MD5 hash.
    """
    row = find(write.session, StateVersionRow, id=id_)
    workspace = workspace_for_update(write.session, row.workspace_id)
    write.session.refresh(row)
    md5 = md5_of(state)
    if row.status == "finalized" and row.md5 == md5:
        return
    if row.status != "pending":
        raise Conflict(f"The state cannot be uploaded: the state version is {row.status}. Create another one.")
    content = parse_state(state)
    if md5 != row.md5:
        raise UnprocessableEntity(
            "The state is invalid: its MD5 hash is not the one given when the version was created."
        )
    check_is_state(content)
    # HCP Terraform uses the serial and lineage of the state version, even if those of the content differ.
    lineage = row.lineage or content.get("lineage")
    current = _current(write, workspace.current_state_version_id)
    _check_succession(current, row.serial, lineage, md5, is_forced=row.is_forced)
    _finalize(backend, write, row, state, content)


def upload_json_state(backend: Backend, id_: str, json_state: bytes) -> None:
    """Store the JSON output format of a state version. The backend itself does not use it.

    Raises:
        NotFound: 404, the state version was deleted.
        Conflict: 409, the state version already has another one.
        UnprocessableEntity: 422, it is not the output of `terraform show -json`.
    """
    check_json_state(json_state)
    with backend.database.write() as write:
        find(write.session, StateVersionRow, id=id_)
        known = backend.objects.read("json-state", id_)
        if known is not None and known != json_state:
            raise Conflict("The JSON state cannot be uploaded: the state version already has another one.")
        backend.objects.write("json-state", id_, json_state)


def check_json_state(json_state: bytes) -> None:
    """Refuse a document that is not in the JSON output format of a state.

    Raises:
        UnprocessableEntity: 422, it is not the output of `terraform show -json`.
    """
    try:
        document = pydantic_core.from_json(json_state)
    except ValueError:
        raise UnprocessableEntity("The JSON state is invalid: it is not JSON.") from None
    if not isinstance(document, dict) or not isinstance(document.get("format_version"), str):
        raise UnprocessableEntity(
            "The JSON state is invalid: it has no format_version. Upload the output of `terraform show -json`."
        )


def roll_back_state(
    backend: Backend, write: Write, workspace_id: str, state_version_id: str, *, user_id: str
) -> StateVersionRow:
    """Copy an earlier state of the workspace, with the next serial, and make the copy the current state.

    Raises:
        NotFound: 404, the workspace has no such state version.
        Conflict: 409, the workspace is not locked by this user, or the state version has no content.
    """
    workspace = workspace_for_update(write.session, workspace_id)
    source = find_named(write.session, StateVersionRow, state_version_id)
    if source.workspace_id != workspace_id:
        raise not_found(StateVersionRow, state_version_id)
    if workspace.locked_by_user_id != user_id:
        raise Conflict("The state cannot be rolled back: the workspace is not locked by you. Lock it first.")
    state = backend.objects.read("state", source.id) if source.status == "finalized" else None
    if state is None:
        raise Conflict(f"The state cannot be rolled back: the state version is {source.status} and has no content.")
    current = _current(write, workspace.current_state_version_id)
    serial = (current.serial if current is not None else source.serial) + 1
    content = {**parse_state(state), "serial": serial}
    copy = write_json({**read_json(state), "serial": serial}, indent=2).encode()
    row = StateVersionRow(
        id=new_id("sv"), workspace_id=workspace_id, created_by_id=user_id, status="pending",
        serial=serial, md5=md5_of(copy), created_at=backend.now(),
    )  # fmt: skip
    write.session.add(row)
    _finalize(backend, write, row, copy, content)
    return row
