"""State versions. Source: HCP Terraform API, "State Versions", "State Version Outputs"."""

import base64
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Annotated

import pydantic_core
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.api.request import Attributes, Call, Scope
from tfruns.local.api.response import Reply, list_reply, resource_reply
from tfruns.local.service.find import find, find_workspace
from tfruns.local.service.interpreted_state import MAX_SERIAL
from tfruns.local.service.states import check_json_state, create_state_version, roll_back_state, upload_state
from tfruns.local.store.schema import StateOutputRow, StateVersionRow, WorkspaceRow
from tfruns.wire.base import Related
from tfruns.wire.state_versions import StateVersion, StateVersionOutput
from tfruns.wire.workspaces import WorkspaceOutput


class _StateVersion(Attributes):
    wire_type = "state-versions"

    serial: Annotated[int, Field(ge=0, le=MAX_SERIAL)] | None = None
    md5: Annotated[str, Field(max_length=32)] | None = None
    lineage: Annotated[str, Field(max_length=80)] | None = None
    state: str | None = None
    json_state: str | None = None
    json_state_outputs: str | None = None
    force: bool | None = None


def create(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/state-versions -> 201; with the state in it, or with addresses to upload it."""
    attributes = call.attributes(_StateVersion)
    if attributes.serial is None or not attributes.md5:
        raise UnprocessableEntity("A state version needs its serial and md5.")
    state = _decoded("state", attributes.state)
    json_state = _decoded("json-state", attributes.json_state)
    if json_state is not None:
        check_json_state(json_state)
    _check_outputs(_decoded("json-state-outputs", attributes.json_state_outputs))
    with call.backend.database.write() as write:
        workspace = find_workspace(write.session, call.path["workspace_id"])
        row = create_state_version(
            call.backend,
            write,
            workspace.id,
            serial=attributes.serial,
            md5=attributes.md5,
            lineage=attributes.lineage,
            is_forced=bool(attributes.force),
            run_id=call.related_id("run"),
            user_id=call.user_id,
        )
        if state is not None:
            upload_state(call.backend, write, row.id, state)
        if json_state is not None:
            call.backend.objects.write("json-state", row.id, json_state)
        return resource_reply(state_version_resources(call.scope, write.session, [row])[0], 201)


def roll_back(call: Call) -> Reply:
    """PATCH /workspaces/:workspace_id/state-versions -> 201."""
    source = call.related_id("rollback-state-version")
    if source is None:
        raise UnprocessableEntity("The relationship rollback-state-version is missing.")
    with call.backend.database.write() as write:
        row = roll_back_state(call.backend, write, call.path["workspace_id"], source, user_id=call.user_id)
        return resource_reply(state_version_resources(call.scope, write.session, [row])[0], 201)


def _decoded(name: str, text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # also what is not ASCII
        raise UnprocessableEntity(f"The attribute {name} is not base64.") from None


def _check_outputs(content: bytes | None) -> None:
    """The outputs are read from the state itself, of which these are another form."""
    try:
        if content is not None:
            pydantic_core.from_json(content)
    except ValueError:
        raise UnprocessableEntity("The attribute json-state-outputs is not JSON.") from None


def read(call: Call) -> Reply:
    """GET /state-versions/:id -> 200."""
    return _reply(call, lambda session: find(session, StateVersionRow, StateVersionRow.id == call.path["id"]))


def read_current(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/current-state-version -> 200."""
    return _reply(call, lambda session: _current(session, call.path["workspace_id"]))


def _reply(call: Call, read_row: Callable[[Session], StateVersionRow]) -> Reply:
    with call.backend.database.read() as session:
        row = read_row(session)
        included = call.included(session, [row])
        return resource_reply(state_version_resources(call.scope, session, [row])[0], included=included)


def _current(session: Session, workspace_id: str) -> StateVersionRow:
    state_id = find_workspace(session, workspace_id).current_state_version_id
    return find(session, StateVersionRow, StateVersionRow.id == state_id)


def list_all(call: Call) -> Reply:
    """GET /state-versions?filter[workspace][name]=…&filter[organization][name]=… -> 200, the newest first."""
    page = call.page()
    organization = call.query.get("filter[organization][name]", "")
    name = call.query.get("filter[workspace][name]", "")
    with call.backend.database.read() as session:
        workspace = find(session, WorkspaceRow, WorkspaceRow.organization == organization, WorkspaceRow.name == name)
        condition = StateVersionRow.workspace_id == workspace.id
        statuses = _STATUSES.intersection(call.words("filter[status]"))
        if call.words("filter[status]"):
            condition &= StateVersionRow.status.in_(statuses)
        total = session.scalar(select(func.count()).select_from(StateVersionRow).where(condition))
        statement = select(StateVersionRow).where(condition).order_by(StateVersionRow.sequence.desc())
        rows = session.scalars(statement.offset(page.offset).limit(page.size)).all()
        included = call.included(session, rows)
        return list_reply(state_version_resources(call.scope, session, rows), page, total=total, included=included)


_STATUSES = frozenset({"pending", "finalized", "discarded"})


def download(call: Call) -> Reply:
    """GET /state-versions/:id/download -> 302."""
    with call.backend.database.read() as session:
        row = find(session, StateVersionRow, StateVersionRow.id == call.path["id"])
    if row.status != "finalized":
        raise NotFound("not found")
    return Reply(302, headers={"location": call.scope.signed("read", "state", row.id)})


def list_outputs(call: Call) -> Reply:
    """GET /state-versions/:id/outputs -> 200, with the values of sensitive ones.

    "State Version Outputs" hides them in the outputs of the current state alone, and go-tfe's tests read them here.
    """
    with call.backend.database.read() as session:
        row = find(session, StateVersionRow, StateVersionRow.id == call.path["id"])
        return _outputs(call, session, row, is_revealed=True)


def list_current_outputs(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/current-state-version-outputs -> 200; the values of sensitive ones are null."""
    with call.backend.database.read() as session:
        return _outputs(call, session, _current(session, call.path["workspace_id"]), is_revealed=False)


def _outputs(call: Call, session: Session, row: StateVersionRow, *, is_revealed: bool) -> Reply:
    page = call.page()
    condition = StateOutputRow.state_version_id == row.id
    total = session.scalar(select(func.count()).select_from(StateOutputRow).where(condition))
    statement = select(StateOutputRow).where(condition).order_by(StateOutputRow.name)
    rows = session.scalars(statement.offset(page.offset).limit(page.size))
    return list_reply([output_resource(output, is_revealed=is_revealed) for output in rows], page, total=total)


def read_output(call: Call) -> Reply:
    """GET /state-version-outputs/:id -> 200, with its value even if it is sensitive.

    Raises:
        NotFound: 404.
    """
    with call.backend.database.read() as session:
        row = find(session, StateOutputRow, StateOutputRow.id == call.path["id"])
        return resource_reply(output_resource(row, is_revealed=True))


def state_version_resources(scope: Scope, session: Session, rows: Sequence[StateVersionRow]) -> list[StateVersion]:
    """State versions; of their outputs the ids alone, so that no value is read for a list."""
    ids: dict[str, list[str]] = defaultdict(list)
    statement = select(StateOutputRow.state_version_id, StateOutputRow.id).where(
        StateOutputRow.state_version_id.in_([row.id for row in rows])
    )
    for state_version_id, id_ in session.execute(statement.order_by(StateOutputRow.name)):
        ids[state_version_id].append(id_)
    return [_state_version(scope, row, ids[row.id]) for row in rows]


def _state_version(scope: Scope, row: StateVersionRow, output_ids: Sequence[str]) -> StateVersion:
    """One that waits for its content has addresses to upload it, a finished one to download it."""
    fields = {
        "id": row.id,
        "status": row.status,
        "serial": row.serial,
        "size": row.size,
        "created_at": row.created_at,
        "terraform_version": row.terraform_version,
        "state_version": 4,
        "intermediate": False,
        "resources_processed": row.status == "finalized" and row.is_interpreted,
        "resources": row.resources,
        "modules": {},
        "providers": {},
        "md5": row.md5,
        "lineage": row.lineage,
        "vcs-commit-sha": None,
        "vcs-commit-url": None,
        "billable-rum-count": row.resource_count,
        "permissions": {"can-restore-backing-data": False},
        "run": Related(type="runs", id=row.run_id) if row.run_id else None,
        "workspace": Related(type="workspaces", id=row.workspace_id),
        "created_by": Related(type="users", id=row.created_by_id) if row.created_by_id else None,
        "outputs": [Related(type="state-version-outputs", id=id_) for id_ in output_ids],
    }
    if row.status == "finalized":
        fields["hosted_state_download_url"] = scope.signed("read", "state", row.id)
        if scope.backend.objects.path("json-state", row.id).exists():
            fields["hosted_json_state_download_url"] = scope.signed("read", "json-state", row.id)
    elif row.status == "pending":
        fields["hosted_state_upload_url"] = scope.signed("write", "state", row.id)
        fields["hosted_json_state_upload_url"] = scope.signed("write", "json-state", row.id)
    return StateVersion.model_validate(fields)


def output_resources(session: Session, state_version_id: str) -> list[StateVersionOutput]:
    """The outputs of a state, without the values of sensitive ones."""
    statement = select(StateOutputRow).where(StateOutputRow.state_version_id == state_version_id)
    return [output_resource(row) for row in session.scalars(statement.order_by(StateOutputRow.name))]


def output_resource(row: StateOutputRow, *, is_revealed: bool = False) -> StateVersionOutput:
    """An output. Where it is not revealed, the value of a sensitive one is null."""
    return StateVersionOutput.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "sensitive": row.sensitive,
            "type": _simple_type(row.detailed_type),
            "detailed-type": row.detailed_type,
            "value": None if row.sensitive and not is_revealed else row.value,
        }
    )


def workspace_output_resource(row: StateOutputRow) -> WorkspaceOutput:
    """An output as a part of its workspace; the value of a sensitive one is null."""
    return WorkspaceOutput.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "sensitive": row.sensitive,
            "output-type": _simple_type(row.detailed_type),
            "value": None if row.sensitive else row.value,
        }
    )


def _simple_type(detailed: object) -> str:
    kind = detailed[0] if isinstance(detailed, list) and detailed else detailed
    return {"bool": "boolean", "list": "array", "tuple": "array", "set": "array", "map": "object"}.get(
        str(kind), str(kind)
    )
