"""The result of commands for one workspace."""

from dataclasses import fields

from tfruns.cli.tables import print_fields, status_text
from tfruns.views.workspaces import LockView, WorkspaceView


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
