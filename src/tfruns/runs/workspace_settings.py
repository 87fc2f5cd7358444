"""The settings of a workspace as a view, for the tools that read and change them."""

from tfruns.client.client import Client
from tfruns.runs.masks import masker_of_all_plans
from tfruns.runs.workspace_lock import read_lock
from tfruns.views.workspaces import WorkspaceView
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_PERMISSIONS = {
    "can_read_run": "read runs",
    "can_queue_run": "queue runs",
    "can_queue_apply": "apply",
    "can_queue_destroy": "destroy",
    "can_lock": "lock",
    "can_force_unlock": "force-unlock",
}


async def workspace_view(client: Client, workspace: Workspace) -> WorkspaceView:
    """The view of a workspace that was read with `include=current_run,locked_by`."""
    run = workspace.follow(workspace.current_run, Run)
    lock = await read_lock(client, workspace)
    permissions = workspace.permissions.model_dump() if workspace.permissions else {}
    configuration, state = workspace.current_configuration_version, workspace.current_state_version
    return WorkspaceView(
        id=workspace.id,
        name=workspace.name,
        organization=workspace.organization.id if workspace.organization else None,
        description=masker_of_all_plans(client)(workspace.description or ""),
        current_run=workspace.current_run.id if workspace.current_run else None,
        status=str(run.status) if run else None,
        needs_person=(run.needs_person or None) if run else None,
        locked=workspace.locked,
        locked_by=lock.holder if lock else None,
        locked_since=lock.since if lock else None,
        locked_reason=lock.reason if lock else "",
        auto_apply=workspace.auto_apply,
        execution_mode=workspace.execution_mode,
        terraform=workspace.terraform_version,
        working_directory=workspace.working_directory or "",
        resources=workspace.resource_count,
        configuration_version_id=configuration.id if configuration else None,
        state_version_id=state.id if state else None,
        created_at=workspace.created_at,
        permissions=tuple(words for name, words in _PERMISSIONS.items() if permissions.get(name)),
    )
