"""Roll the state of a workspace back. Source: HCP Terraform API, "Rollback to a Previous State Version"."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from tfruns.arguments import WorkspaceRef
from tfruns.client.client import Client
from tfruns.errors import Conflict, NotFound, TfrunsError
from tfruns.impact import Impact, ImpactKind
from tfruns.next_actions import CREATE_RUN, SET_WORKSPACE_LOCK, NextAction
from tfruns.policy import Toolset
from tfruns.runs.existing import newest
from tfruns.runs.impact_parts import named_workspace
from tfruns.runs.workspace_lock import Lock, read_lock
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.base import shown_time
from tfruns.views.workspaces import RolledBackView
from tfruns.wire.state_versions import StateVersion
from tfruns.wire.workspaces import Workspace

StateVersionId = Annotated[str, Field(description='"sv-…", from get_workspace_details')]

_EFFECTS = (
    "Real resources do not change, nor do the configuration and the variables.",
    "Terraform forgets what was created since then. The next plan compares real resources with the old state.",
    "Saved plans are discarded.",
)


async def impact_of_rollback(client: Client, values: Mapping[str, Any]) -> Impact:
    """Another state becomes the current one.

    Raises:
        Conflict: the rollback cannot succeed now. Sent without a confirmation, it could succeed a moment later.
    """
    workspace, state = await _subject(client, values["workspace_id"], values["state_version_id"])
    lock = await read_lock(client, workspace)
    if lock is None or lock.kind == "run":
        raise _explained(workspace, lock, Conflict("The state cannot be rolled back now. Nothing was sent."))
    current = workspace.current_state_version
    now = await client.state_versions.read(current.id) if current else None
    return Impact(
        kinds=frozenset({ImpactKind.ROLL_BACK_STATE}),
        question=f"Roll the state of {named_workspace(workspace)} back to {_named(state)}?",
        at_stake=(f"The current state is {_named(now)}." if now else "There is no current state.", *_EFFECTS),
        state=[workspace.id, state.id, now.id if now else None, lock.holder],
    )


async def _subject(client: Client, workspace_id: str, state_version_id: str) -> tuple[Workspace, StateVersion]:
    """The workspace, and the state version that becomes its current one.

    Raises:
        NotFound: the workspace has no such state version.
        Conflict: it is the current one.
    """
    workspace = await client.workspaces.read(workspace_id, include=("locked_by",))
    state = await _state_of(client, workspace, state_version_id)
    if workspace.current_state_version is not None and workspace.current_state_version.id == state.id:
        raise Conflict(f"{state.id} is the current state. Nothing was sent.", solution="Use an earlier state version.")
    return workspace, state


async def _state_of(client: Client, workspace: Workspace, state_version_id: str) -> StateVersion:
    """The state version, if it is one of the workspace.

    Raises:
        NotFound: it is absent, hidden from this token, or one of another workspace, which are not distinguished.
    """
    with suppress(NotFound):
        state = await client.state_versions.read(state_version_id)
        if state.workspace is None or state.workspace.id == workspace.id:
            return state
    told = await newest(client.state_versions.list_for_workspace(workspace.id))
    raise NotFound(
        f"The workspace has no such state version. {told}",
        cause="It does not exist, or it belongs to another workspace.",
        solution="Use a state version of this workspace.",
    )


def _named(state: StateVersion) -> str:
    created = f", {shown_time(state.created_at)}" if state.created_at else ""
    return f"{state.id} (serial {state.serial}{created})"


@tool(
    title="Roll back the state",
    toolset=Toolset.ADMINISTRATION,
    order=193,
    is_destructive=True,
    impact=impact_of_rollback,
    proofs=(Proof.CODE,),
    command="state rollback",
    instruction="roll_back_state makes an earlier state the current one; lock the workspace first.",
)
async def roll_back_state(
    context: Context, workspace_id: WorkspaceRef, state_version_id: StateVersionId
) -> Result[RolledBackView]:
    """Make a copy of an earlier state version the current state. You must have locked the workspace.

    Real resources, the configuration and variables stay as they are.
    """
    client = context.client
    workspace, state = await _subject(client, workspace_id, state_version_id)
    try:
        new = await client.state_versions.roll_back(workspace.id, state.id)
    except Conflict as refusal:
        try:
            lock = await read_lock(client, workspace)
        except TfrunsError:
            raise refusal from None
        raise _explained(workspace, lock, refusal) from None
    return Result(partial(_view, workspace, state, new), new.document)


async def _view(workspace: Workspace, state: StateVersion, new: StateVersion) -> RolledBackView:
    preview = {"workspace_id": workspace.id, "params": {"plan_only": True}}
    return RolledBackView(
        workspace_id=workspace.id,
        state_version_id=new.id,
        serial=new.serial,
        copy_of=state.id,
        follows="The workspace is still locked. A plan shows how the real resources differ from this state.",
        next_actions=(
            NextAction(CREATE_RUN, preview, "previews the differences"),
            NextAction(SET_WORKSPACE_LOCK, {"workspace_id": workspace.id, "action": "unlock"}, "unlocks the workspace"),
        ),
    )


def _explained(workspace: Workspace, lock: Lock | None, refusal: Conflict) -> Conflict:
    """The refusal with the holder of the lock, and what to do."""
    locking = NextAction(SET_WORKSPACE_LOCK, {"workspace_id": workspace.id, "action": "lock"}, "locks the workspace")
    return Conflict(
        refusal.message,
        status=refusal.status,
        cause=lock.text if lock else "A rollback needs a workspace that you have locked, and it is not locked.",
        solution="Only the user who locked the workspace can roll it back." if lock else "Lock the workspace first.",
        request_id=refusal.request_id,
        facts=refusal.facts | {"workspace_id": workspace.id} | (lock.facts if lock else {}),
        next_actions=() if lock else (locking,),
    )
