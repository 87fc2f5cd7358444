"""The result of commands for one workspace."""

from dataclasses import fields

from tfruns.cli.tables import print_fields, status_text
from tfruns.masking.redaction import redact
from tfruns.views.workspaces import LockView, WorkspaceView
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


def workspace_view(workspace: Workspace) -> WorkspaceView:
    """The JSON result for a workspace."""
    run = workspace.follow(workspace.current_run, Run)
    permissions = workspace.permissions.model_dump() if workspace.permissions else {}
    return WorkspaceView(
        id=workspace.id,
        name=workspace.name,
        organization=workspace.organization.id if workspace.organization else None,
        current_run=workspace.current_run.id if workspace.current_run else None,
        status=str(run.status) if run else None,
        locked=workspace.locked,
        locked_by=workspace.locked_by.id if workspace.locked_by else None,
        locked_reason=redact(workspace.locked_reason or ""),
        auto_apply=workspace.auto_apply,
        execution_mode=workspace.execution_mode,
        terraform=workspace.terraform_version,
        working_directory=workspace.working_directory or "",
        resources=workspace.resource_count,
        created_at=workspace.created_at,
        permissions=tuple(words for name, words in _PERMISSIONS.items() if permissions.get(name)),
    )


def print_workspace(view: WorkspaceView) -> None:
    """Print a line for each field."""
    shown = {item.name: getattr(view, item.name) for item in fields(view) if getattr(view, item.name) != ""}
    if view.status:
        shown["status"] = status_text(view.status)
    print_fields({**shown, "permissions": ", ".join(view.permissions) or "none"})


def print_lock(view: LockView) -> None:
    """Print a workspace after a change of its lock."""
    print_fields(
        {
            "workspace": view.name or view.workspace_id,
            "locked": view.locked,
            "locked by": view.locked_by,
            "since": view.locked_since,
            "reason": view.reason or None,
            "next": view.follows,
        }
    )
