"""Lock and unlock a workspace. Source: HCP Terraform API, "Workspaces"."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from tfruns.arguments import WorkspaceRef
from tfruns.client.client import Client
from tfruns.errors import Conflict, TfrunsError
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.masking.text import one_line
from tfruns.policy import Mode, Toolset
from tfruns.runs.impact_parts import instead_of_releasing, named_workspace, released_lines, unseen
from tfruns.runs.workspace_lock import Lock, read_lock
from tfruns.runs.workspace_queue import auto_applies_behind_lock
from tfruns.tool import Context, Proof, Result, Role, tool
from tfruns.views.workspaces import LockView
from tfruns.wire.workspaces import Workspace

LockAction = Literal["lock", "unlock", "force_unlock"]
Action = Annotated[
    LockAction, Field(description="unlock removes only your own lock; force_unlock, only if a person asks, any lock")
]
Reason = Annotated[str, Field(description="Shown while it is locked; otherwise only in the audit log"), Role.COMMENT]

_REASON = 1_000  # characters of a reason that a question shows
_UNLOCKED_AGAIN = "It was locked, and has been unlocked since."
_FOLLOWS = {True: "New runs wait until it is unlocked.", False: "Runs that waited for it start now."}


async def impact_of_lock(client: Client, values: Mapping[str, Any]) -> Impact:
    """An unlock starts the runs that wait. A forced unlock also removes the lock of another holder.

    Raises:
        Conflict: there is no lock to remove. Sent without a confirmation, the call could remove one a moment later.
    """
    action: LockAction = values["action"]
    if action == "lock":
        return NO_IMPACT
    workspace = await client.workspaces.read(values["workspace_id"], include=("locked_by",))
    lock = await read_lock(client, workspace)
    if lock is None or (action == "unlock" and lock.kind == "run"):
        refusal = Conflict("The workspace cannot be unlocked now. Nothing was sent.")
        raise _explained(workspace, lock, action, refusal)
    released = await auto_applies_behind_lock(client, workspace.id)
    forced = {ImpactKind.FORCE_UNLOCK} if action == "force_unlock" else set()
    verb = "Remove the lock of" if forced else "Unlock"
    return Impact(
        kinds=frozenset({*forced, *unseen(released)}),
        question=f"{verb} {named_workspace(workspace)}?",
        at_stake=(lock.text, *_effects(lock, is_forced=bool(forced)), *released_lines(released), *_reason(values)),
        state=[workspace.id, lock.holder, lock.kind, lock.reason, released],
        instead=instead_of_releasing(released),
        facts=lock.facts | ({"waiting_run_ids": released} if released else {}),
    )


def _effects(lock: Lock, *, is_forced: bool) -> tuple[str, ...]:
    if not is_forced:
        return ()
    if lock.kind == "run":
        return ("The run may still be working: two runs could then change the same resources.",)
    return ("Its holder may still be working on the state or the resources.",)


def _reason(values: Mapping[str, Any]) -> list[str]:
    reason = values["reason"].strip()
    return [f"The given reason: «{one_line(reason, _REASON)}»"] if reason else []


@tool(
    title="Lock or unlock a workspace",
    toolset=Toolset.WORKSPACES,
    order=162,
    mode=Mode.PLAN,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_lock,
    proofs=(Proof.CODE,),
    command="workspace {action}",
    instruction="set_workspace_lock locks a workspace, so that no run starts in it, or unlocks it.",
)
async def set_workspace_lock(
    context: Context, workspace_id: WorkspaceRef, action: Action, reason: Reason = ""
) -> Result[LockView]:
    """Lock a workspace, so that new runs wait, or unlock it, so that they start."""
    workspaces = context.client.workspaces
    changes: dict[LockAction, Callable[[str], Awaitable[Workspace]]] = {
        "lock": partial(workspaces.lock, reason=reason),
        "unlock": workspaces.unlock,
        "force_unlock": workspaces.force_unlock,
    }
    try:
        workspace = await changes[action](workspace_id)
    except Conflict as refusal:
        raise await _read_again(context.client, workspace_id, action, refusal) from None
    return Result(partial(_view, context.client, workspace, action), workspace.document)


async def _view(client: Client, workspace: Workspace, action: LockAction) -> LockView:
    if workspace.locked and workspace.locked_by is not None:
        with suppress(TfrunsError):  # a missing name of the holder is no reason to fail
            workspace = await client.workspaces.read(workspace.id, include=("locked_by",))
    lock = await read_lock(client, workspace)
    return LockView(
        workspace_id=workspace.id,
        name=workspace.name,
        locked=lock is not None,
        locked_by=lock.holder if lock else None,
        locked_since=lock.since if lock else None,
        reason=lock.reason if lock else "",
        follows=_follows(lock, action),
    )


def _follows(lock: Lock | None, action: LockAction) -> str:
    if action == "lock":
        return _FOLLOWS[True] if lock is not None else _UNLOCKED_AGAIN
    if lock is not None and lock.kind == "run":
        return f"The lock is removed. {lock.holder} has started, and has locked the workspace itself."
    return _FOLLOWS[False]


async def _read_again(client: Client, workspace_id: str, action: LockAction, refusal: Conflict) -> Conflict:
    """The refusal, explained by the workspace as it is now."""
    try:
        workspace = await client.workspaces.read(workspace_id, include=("locked_by",))
        lock = await read_lock(client, workspace)
    except TfrunsError:
        return refusal
    return _explained(workspace, lock, action, refusal)


def _explained(workspace: Workspace, lock: Lock | None, action: LockAction, refusal: Conflict) -> Conflict:
    """The refusal, with the holder of the lock and the next step."""
    return Conflict(
        refusal.message,
        status=refusal.status,
        cause=lock.text if lock else "The workspace is not locked.",
        solution=_solution(lock, action),
        request_id=refusal.request_id,
        facts=refusal.facts | {"workspace_id": workspace.id} | (lock.facts if lock else {}),
    )


def _solution(lock: Lock | None, action: LockAction) -> str:
    if lock is None:
        return "No action is needed." if action != "lock" else "Try again."
    if lock.until_run_ends:
        return lock.until_run_ends
    if action == "lock":
        return f"If that is your lock, it stays. Otherwise, wait until {lock.holder} unlocks it."
    return f"Ask {lock.holder} to unlock it. Only if that is not possible, a person may force the unlock."
