"""The resources of a workspace. Source: HCP Terraform API, "Workspace Resources"."""

from tfruns.local.documents.resources import instance_resources
from tfruns.local.routes.call import Call, Reply, list_reply
from tfruns.local.service.find import find_workspace


def list_for_workspace(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/resources -> 200, the instances in its current state."""
    page = call.page()
    with call.backend.database.read() as session:
        state_id = find_workspace(session, call.path["workspace_id"]).current_state_version_id
    state = call.backend.objects.read("state", state_id) if state_id else None
    found = instance_resources(call.path["workspace_id"], state) if state else []
    return list_reply(found[page.offset : page.offset + page.size], page, total=len(found))
