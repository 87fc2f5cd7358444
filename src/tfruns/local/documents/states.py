"""State versions and their outputs."""

from tfruns.local.documents.scope import Scope
from tfruns.local.store.schema import StateVersionRow
from tfruns.wire.base import Related
from tfruns.wire.state_versions import StateVersion, StateVersionOutput


def state_version_resource(scope: Scope, row: StateVersionRow) -> StateVersion:
    """A state version. One that waits for its content has addresses to upload it, a finished one to download it."""
    fields = {
        "id": row.id,
        "status": row.status,
        "serial": row.serial,
        "size": row.size,
        "created_at": row.created_at,
        "terraform_version": row.terraform_version,
        "state_version": 4,
        "intermediate": False,
        "resources_processed": row.status == "finalized",
        "resources": row.resources,
        "modules": {},
        "providers": {},
        "run": Related(type="runs", id=row.run_id) if row.run_id else None,
        "workspace": Related(type="workspaces", id=row.workspace_id),
        "created_by": Related(type="users", id=row.created_by_id) if row.created_by_id else None,
        "outputs": [Related(type="state-version-outputs", id=output["id"]) for output in row.outputs],
    }
    if row.status == "finalized":
        fields["hosted_state_download_url"] = scope.signed("read", "state", row.id)
        fields["hosted_json_state_download_url"] = scope.signed("read", "json-state", row.id)
    else:
        fields["hosted_state_upload_url"] = scope.signed("write", "state", row.id)
        fields["hosted_json_state_upload_url"] = scope.signed("write", "json-state", row.id)
    return StateVersion.model_validate(fields)


def output_resources(row: StateVersionRow, *, is_revealed: bool = False) -> list[StateVersionOutput]:
    """The outputs of a state; the values of sensitive ones only where they were asked for one by one."""
    return [
        StateVersionOutput.model_validate(
            {
                "id": output["id"],
                "name": output["name"],
                "sensitive": output["sensitive"],
                "type": _simple_type(output["detailed-type"]),
                "detailed-type": output["detailed-type"],
                "value": None if output["sensitive"] and not is_revealed else output["value"],
            }
        )
        for output in row.outputs
    ]


def _simple_type(detailed: object) -> str:
    kind = detailed[0] if isinstance(detailed, list) and detailed else detailed
    return {"bool": "boolean", "list": "array", "tuple": "array", "set": "array", "map": "object"}.get(
        str(kind), str(kind)
    )
