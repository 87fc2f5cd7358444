"""The resources of a workspace. Source: HCP Terraform API, "Workspace Resources".

The state version that last changed a resource is not recorded, so it is null.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from tfruns.jsonapi import JSON
from tfruns.local.api.request import ApiRequest
from tfruns.local.api.response import ApiResponse, list_response
from tfruns.local.service.find import find_workspace
from tfruns.local.service.interpreted_state import interpret
from tfruns.wire.workspaces import WorkspaceResource

_PROVIDER = re.compile(r'provider\["(?:registry\.(?:terraform\.io|opentofu\.org)/)?([^"]+)"\]')
_MODULE_STEP = re.compile(r'("(?:[^"\\]|\\.)*")|(?<![^.])module\.')  # not inside an instance key


def list_resources(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/resources -> 200, the managed instances in the current state."""
    page = request.page()
    with request.backend.database.read() as session:
        state_id = find_workspace(session, request.path["workspace_id"]).current_state_version_id
    state = request.backend.objects.read("state", state_id) if state_id else None
    found = instance_resources(request.path["workspace_id"], state) if state else []
    return list_response(found[page.offset : page.offset + page.size], page, total=len(found))


def instance_resources(workspace_id: str, state: bytes) -> list[WorkspaceResource]:
    """The managed resource instances of a state, in the order of the state; malformed ones are skipped."""
    resources = interpret(state).document.get("resources")
    return [
        found
        for resource in (resources if isinstance(resources, list) else [])
        if isinstance(resource, dict) and resource.get("mode") == "managed"
        for found in _instances(workspace_id, resource)
    ]


def _instances(workspace_id: str, resource: Mapping[str, JSON]) -> Iterator[WorkspaceResource]:
    module = _MODULE_STEP.sub(r"\1", str(resource.get("module") or ""))  # HCP Terraform omits `module.`
    kind, name = str(resource.get("type")), str(resource.get("name"))
    provider = _PROVIDER.search(str(resource.get("provider")))
    instances = resource.get("instances")
    for instance in instances if isinstance(instances, list) else []:
        key = instance.get("index_key") if isinstance(instance, dict) else None
        index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
        address = ".".join((*([module] if module else []), kind, name)) + index
        digest = hashlib.sha256(f"{workspace_id}/{address}".encode()).hexdigest()
        yield WorkspaceResource(
            id=f"wsr-{digest[:16]}",
            address=address,
            name=name,
            created_at=None,
            updated_at=None,
            module=module or "root",
            provider=provider[1] if provider else None,
            provider_type=kind,
            modified_by_state_version_id=None,
            name_index=None if key is None else str(key),
        )
