"""Delete a workspace that manages no resources. Source: HCP Terraform API, "Safe Delete a workspace"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import WorkspaceRef
from tfruns.client.client import Client
from tfruns.errors import Conflict, TfrunsError
from tfruns.impact import Impact, ImpactKind
from tfruns.next_actions import CREATE_RUN, NextAction
from tfruns.policy import Toolset
from tfruns.runs.impact_parts import named_workspace
from tfruns.runs.workspace_lock import Lock, read_lock
from tfruns.scope import location_of
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.workspaces import DeletedWorkspaceView
from tfruns.wire.workspaces import Workspace
from tfruns.wording import counted


async def impact_of_delete(client: Client, values: Mapping[str, Any]) -> Impact:
    """A deleted workspace takes its history with it.

    Raises:
        Conflict: the workspace is in use. Sent without a confirmation, the deletion could succeed a moment later.
    """
    workspace = await client.workspaces.read(values["workspace_id"], include=("locked_by",))
    if workspace.locked or workspace.resource_count:
        refusal = Conflict("The workspace cannot be deleted now. Nothing was sent.")
        raise _explained(workspace, await read_lock(client, workspace), refusal)
    is_counted = workspace.resource_count is not None
    return Impact(
        kinds=frozenset({ImpactKind.DELETE_WORKSPACE}),
        question=f"Delete the workspace {named_workspace(workspace)}?",
        at_stake=(
            "Its runs, state versions, configuration versions and variables are deleted, too.",
            "It manages no resources." if is_counted else "The API refuses this if it still manages resources.",
        ),
        state=[workspace.id, workspace.name, workspace.resource_count],
    )


@tool(
    title="Delete a workspace",
    toolset=Toolset.ADMINISTRATION,
    order=192,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_delete,
    proofs=(Proof.CODE,),
)
async def delete_workspace(context: Context, workspace_id: WorkspaceRef) -> Result[DeletedWorkspaceView]:
    """Delete a workspace with its history. Refused while it is locked or manages resources."""
    client = context.client
    workspace = await client.workspaces.read(workspace_id, include=("locked_by",))
    try:
        await client.workspaces.safe_delete(workspace.id)
    except Conflict as refusal:
        raise await _read_again(client, workspace.id, refusal) from None

    async def view() -> DeletedWorkspaceView:
        return DeletedWorkspaceView(workspace.id, workspace.name)

    return Result(view, {"data": None})


async def _read_again(client: Client, workspace_id: str, refusal: Conflict) -> Conflict:
    """The refusal, explained by the workspace as it is now."""
    try:
        workspace = await client.workspaces.read(workspace_id, include=("locked_by",))
        lock = await read_lock(client, workspace)
    except TfrunsError:
        return refusal
    return _explained(workspace, lock, refusal)


def _explained(workspace: Workspace, lock: Lock | None, refusal: Conflict) -> Conflict:
    """The refusal with its reason, and what to do."""
    managed = workspace.resource_count
    following: tuple[NextAction, ...] = ()
    if lock is not None:
        cause, solution = lock.text, lock.until_run_ends or "Unlock it first."
    elif managed:
        cause = f"It still manages {counted(managed, 'resource')}."
        solution = "Destroy them first, with a run that is reviewed and applied like any other."
        arguments = {"workspace_id": _reference(workspace), "params": {"is_destroy": True}}
        following = (NextAction(CREATE_RUN, arguments, "plans that"),)
    else:
        return refusal
    facts = refusal.facts | {"workspace_id": workspace.id, "resources": managed} | (lock.facts if lock else {})
    return Conflict(
        refusal.message,
        status=refusal.status,
        cause=cause,
        solution=solution,
        request_id=refusal.request_id,
        facts=facts,
        next_actions=following,
    )


def _reference(workspace: Workspace) -> str:
    found = location_of(workspace)
    return f"{found.organization}/{found.name}" if found.organization and found.name else workspace.id
