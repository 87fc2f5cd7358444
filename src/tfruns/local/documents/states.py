"""State versions and their outputs."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.local.documents.scope import Scope
from tfruns.local.store.schema import StateOutputRow, StateVersionRow
from tfruns.wire.base import Related
from tfruns.wire.state_versions import StateVersion, StateVersionOutput
from tfruns.wire.workspaces import WorkspaceOutput


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
