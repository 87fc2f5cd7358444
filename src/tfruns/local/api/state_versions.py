"""State versions. Source: HCP Terraform API, "State Versions", "State Version Outputs"."""

import base64
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Annotated

import pydantic_core
from pydantic import Field
from sqlalchemy import func, select

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.api.request import ApiRequest, RequestAttributes, RequestContext
from tfruns.local.api.response import ApiResponse, list_response, resource_response
from tfruns.local.service import states
from tfruns.local.service.find import find, find_workspace
from tfruns.local.service.interpreted_state import MAX_SERIAL
from tfruns.local.service.states import check_json_state, upload_state
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import StateOutputRow, StateVersionRow, WorkspaceRow
from tfruns.wire.base import Related
from tfruns.wire.state_versions import StateVersion, StateVersionOutput
from tfruns.wire.workspaces import WorkspaceOutput


class _StateVersionAttributes(RequestAttributes):
    wire_type = "state-versions"

    serial: Annotated[int, Field(ge=0, le=MAX_SERIAL)] | None = None
    md5: Annotated[str, Field(max_length=32)] | None = None
    lineage: Annotated[str, Field(max_length=80)] | None = None
    state: str | None = None
    json_state: str | None = None
    json_state_outputs: str | None = None
    force: bool | None = None


def create_state_version(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/state-versions -> 201.

    The request contains the state, or the response contains the URLs to upload it.
    """
    attributes = request.attributes(_StateVersionAttributes)
    if attributes.serial is None or not attributes.md5:
        raise UnprocessableEntity("serial and md5 are required.")
    state = _decoded("state", attributes.state)
    json_state = _decoded("json-state", attributes.json_state)
    if json_state is not None:
        check_json_state(json_state)
    _check_outputs(_decoded("json-state-outputs", attributes.json_state_outputs))
    with request.backend.database.write() as write:
        workspace = find_workspace(write.session, request.path["workspace_id"])
        row = states.create_state_version(
            request.backend,
            write,
            workspace.id,
            serial=attributes.serial,
            md5=attributes.md5,
            lineage=attributes.lineage,
            is_forced=bool(attributes.force),
            run_id=request.related_id("run"),
            user_id=request.user_id,
        )
        if state is not None:
            upload_state(request.backend, write, row.id, state)
        if json_state is not None:
            request.backend.objects.write("json-state", row.id, json_state)
        return resource_response(state_version_resources(request.context, write.session, [row])[0], 201)


def roll_back_state(request: ApiRequest) -> ApiResponse:
    """PATCH /workspaces/:workspace_id/state-versions -> 201."""
    source = request.related_id("rollback-state-version")
    if source is None:
        raise UnprocessableEntity("data.relationships.rollback-state-version is missing.")
    with request.backend.database.write() as write:
        row = states.roll_back_state(
            request.backend, write, request.path["workspace_id"], source, user_id=request.user_id
        )
        return resource_response(state_version_resources(request.context, write.session, [row])[0], 201)


def _decoded(name: str, text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # also raised for text that is not ASCII
        raise UnprocessableEntity(f"{name} must be base64.") from None


def _check_outputs(content: bytes | None) -> None:
    """Check that `json-state-outputs` is JSON. It is not used: the outputs are read from the state."""
    try:
        if content is not None:
            pydantic_core.from_json(content)
    except ValueError:
        raise UnprocessableEntity("json-state-outputs must be JSON.") from None


def read_state_version(request: ApiRequest) -> ApiResponse:
    """GET /state-versions/:id -> 200."""
    return _one(request, lambda session: find(session, StateVersionRow, id=request.path["id"]))


def read_current_state_version(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/current-state-version -> 200."""
    return _one(request, lambda session: _current(session, request.path["workspace_id"]))


def _one(request: ApiRequest, read_row: Callable[[AnySession], StateVersionRow]) -> ApiResponse:
    with request.backend.database.read() as session:
        row = read_row(session)
        included = request.included(session, [row])
        return resource_response(state_version_resources(request.context, session, [row])[0], included=included)


def _current(session: AnySession, workspace_id: str) -> StateVersionRow:
    state_id = find_workspace(session, workspace_id).current_state_version_id
    return find(session, StateVersionRow, id=state_id)


def list_state_versions(request: ApiRequest) -> ApiResponse:
    """GET /state-versions?filter[workspace][name]=…&filter[organization][name]=… -> 200, newest first."""
    page = request.page()
    organization = request.query.get("filter[organization][name]", "")
    name = request.query.get("filter[workspace][name]", "")
    with request.backend.database.read() as session:
        workspace = find(session, WorkspaceRow, organization=organization, name=name)
        condition = StateVersionRow.workspace_id == workspace.id
        statuses = _STATUSES.intersection(request.words("filter[status]"))
        if request.words("filter[status]"):
            condition &= StateVersionRow.status.in_(statuses)
        total = session.scalar(select(func.count()).select_from(StateVersionRow).where(condition))
        statement = select(StateVersionRow).where(condition).order_by(StateVersionRow.sequence.desc())
        rows = session.scalars(statement.offset(page.offset).limit(page.size)).all()
        included = request.included(session, rows)
        return list_response(
            state_version_resources(request.context, session, rows), page, total=total, included=included
        )


_STATUSES = frozenset({"pending", "finalized", "discarded"})


def download_state_version(request: ApiRequest) -> ApiResponse:
    """GET /state-versions/:id/download -> 302."""
    with request.backend.database.read() as session:
        row = find(session, StateVersionRow, id=request.path["id"])
    if row.status != "finalized":
        raise NotFound("not found")
    return ApiResponse(302, headers={"location": request.context.signed_url("read", "state", row.id)})


def list_outputs(request: ApiRequest) -> ApiResponse:
    """GET /state-versions/:id/outputs -> 200, with the values of sensitive outputs.

    "State Version Outputs" hides these values only in the outputs of the current state, and go-tfe's tests read them
    here.
    """
    with request.backend.database.read() as session:
        row = find(session, StateVersionRow, id=request.path["id"])
        return _outputs(request, session, row, is_revealed=True)


def list_current_outputs(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/current-state-version-outputs -> 200; the values of sensitive outputs are null."""
    with request.backend.database.read() as session:
        return _outputs(request, session, _current(session, request.path["workspace_id"]), is_revealed=False)


def _outputs(request: ApiRequest, session: AnySession, row: StateVersionRow, *, is_revealed: bool) -> ApiResponse:
    page = request.page()
    condition = StateOutputRow.state_version_id == row.id
    total = session.scalar(select(func.count()).select_from(StateOutputRow).where(condition))
    statement = select(StateOutputRow).where(condition).order_by(StateOutputRow.name)
    rows = session.scalars(statement.offset(page.offset).limit(page.size))
    return list_response([output_resource(output, is_revealed=is_revealed) for output in rows], page, total=total)


def read_output(request: ApiRequest) -> ApiResponse:
    """GET /state-version-outputs/:id -> 200, with its value even if it is sensitive."""
    with request.backend.database.read() as session:
        row = find(session, StateOutputRow, id=request.path["id"])
        return resource_response(output_resource(row, is_revealed=True))


def state_version_resources(
    context: RequestContext, session: AnySession, rows: Sequence[StateVersionRow]
) -> list[StateVersion]:
    """State versions, with the ids of their outputs; no output value is read."""
    ids: dict[str, list[str]] = defaultdict(list)
    statement = select(StateOutputRow.state_version_id, StateOutputRow.id).where(
        StateOutputRow.state_version_id.in_([row.id for row in rows])
    )
    for state_version_id, id_ in session.execute(statement.order_by(StateOutputRow.name)):
        ids[state_version_id].append(id_)
    return [_state_version(context, row, ids[row.id]) for row in rows]


def _state_version(context: RequestContext, row: StateVersionRow, output_ids: Sequence[str]) -> StateVersion:
    """A pending state version has upload URLs, a finalized one has download URLs."""
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
        fields["hosted_state_download_url"] = context.signed_url("read", "state", row.id)
        if context.backend.objects.path("json-state", row.id).exists():
            fields["hosted_json_state_download_url"] = context.signed_url("read", "json-state", row.id)
    elif row.status == "pending":
        fields["hosted_state_upload_url"] = context.signed_url("write", "state", row.id)
        fields["hosted_json_state_upload_url"] = context.signed_url("write", "json-state", row.id)
    return StateVersion.model_validate(fields)


def output_resources(session: AnySession, state_version_id: str) -> list[StateVersionOutput]:
    """The outputs of a state version, without the values of sensitive outputs."""
    statement = select(StateOutputRow).where(StateOutputRow.state_version_id == state_version_id)
    return [output_resource(row) for row in session.scalars(statement.order_by(StateOutputRow.name))]


def output_resource(row: StateOutputRow, *, is_revealed: bool = False) -> StateVersionOutput:
    """An output. The value of a sensitive output is null unless `is_revealed` is set."""
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
    """An output of a workspace's current state; the value of a sensitive output is null."""
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
