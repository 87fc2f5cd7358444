"""Details that the API omits when it refuses a change: which run blocks the workspace, which actions are allowed.

They take one more read. If that fails, the error has only the API's own text.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC

from tfruns.apply_stage import ApplyStage, apply_stage_of
from tfruns.client.workspaces import Workspaces
from tfruns.errors import Conflict, Fact, Forbidden, TfrunsError, TransitionNotAllowed, WorkspaceBusy, WorkspaceLocked
from tfruns.lifecycle import is_final, rule_of
from tfruns.next_actions import WAIT_FOR_RUN, NextAction
from tfruns.vocabulary import RunAction, RunStatus
from tfruns.wire.runs import Run


async def explain_busy_workspace(
    refusal: WorkspaceLocked | WorkspaceBusy, workspaces: Workspaces, workspace_id: str
) -> TfrunsError:
    """Add the run or user that blocks the workspace to the refusal of a new run."""
    try:
        workspace = await workspaces.read(workspace_id)
    except TfrunsError:
        return refusal
    lock, run = workspace.locked_by, workspace.current_run
    holder = run or lock if isinstance(refusal, WorkspaceBusy) else lock or run
    facts: dict[str, Fact] = {"workspace_id": workspace.id, "locked_reason": workspace.locked_reason}
    if holder is None:
        return _again(refusal, facts, refusal.solution)
    if holder.type == "runs":
        return _again(
            refusal,
            facts | {"blocking_run_id": holder.id},
            f"Wait for {holder.id} to finish, or cancel or discard it. Then create the run again.",
        )
    return _again(
        refusal,
        facts | {"locked_by": holder.id},
        f"Ask the {holder.type.removesuffix('s')} {holder.id}, who holds the lock, to unlock the workspace.",
    )


async def explain_refused_action(
    refusal: Conflict | Forbidden, action: RunAction, read: Callable[[], Awaitable[Run]]
) -> TfrunsError:
    """Add the run's current status and its allowed actions to the refusal of an action."""
    try:
        run = await read()
    except TfrunsError:
        return refusal
    allowed = [action.value for action in run.allowed_actions]
    facts: dict[str, Fact] = {"run_status": str(run.status), "allowed_actions": allowed}
    if isinstance(refusal, Forbidden):
        # Run API: force-execute answers 403 also when the run is not pending or no run locks the workspace.
        if action is not RunAction.FORCE_EXECUTE or action in run.forbidden_actions:
            return _again(refusal, facts, refusal.solution)
        return TransitionNotAllowed(
            refusal.message,
            status=refusal.status,
            cause=_force_execute_cause(run),
            solution="Force-execute only a pending run whose workspace is locked by another run.",
            request_id=refusal.request_id,
            facts=facts,
        )
    following = _toward_apply(run)[1] if action is RunAction.APPLY else ()
    return _again(refusal, facts | _cool_off(run, action), _instead(run, action), following)


def not_allowed_now(run: Run, action: RunAction) -> TransitionNotAllowed:
    """The refusal of an action that the run's payload excludes, before anything is sent."""
    allowed = [action.value for action in run.allowed_actions]
    return TransitionNotAllowed(
        f"{run.id} does not allow {action.value.replace('_', '-')} now. Nothing was sent.",
        solution=_instead(run, action),
        facts={"run_status": str(run.status), "allowed_actions": allowed} | _cool_off(run, action),
    )


def _force_execute_cause(run: Run) -> str:
    if run.status != RunStatus.PENDING:
        return f"The run is {run.status}, not pending."
    return "No run locks the workspace, or this token may not force-execute runs."


def _cool_off(run: Run, action: RunAction) -> dict[str, Fact]:
    available = run.force_cancel_available_at
    if action is not RunAction.FORCE_CANCEL or available is None or is_final(run.status):
        return {}
    return {"force_cancel_available_at": available.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def _instead(run: Run, action: RunAction) -> str:
    now = f"The run is {run.status}; "
    if action is RunAction.APPLY and (advice := _toward_apply(run)[0]):
        return f"The run is {run.status}. {advice} {_allowed(run).capitalize()}."
    if action is RunAction.FORCE_CANCEL:
        available = _cool_off(run, action).get("force_cancel_available_at")
        if available is not None:
            return f"{now}force-cancel becomes available at {available}."
        if RunAction.CANCEL in run.allowed_actions:
            return f"{now}cancel it first: force-cancel becomes available after a cool-off."
    return f"{now}{_allowed(run)}."


def _allowed(run: Run) -> str:
    actions = ", ".join(run.allowed_actions)
    return f"allowed actions: {actions}" if actions else "it allows no action"


def _toward_apply(run: Run) -> tuple[str, tuple[NextAction, ...]]:
    """How an apply becomes possible, and the call for it; empty if the allowed actions tell enough."""
    stage = apply_stage_of(run.status)
    until_final = NextAction.for_run(WAIT_FOR_RUN, run.id, "waits for its end", until="final")
    if run.plan_only and stage in {ApplyStage.TO_COME, ApplyStage.DECISION}:
        return "A plan-only run can never be applied: create another run that is not plan-only.", ()
    if stage is ApplyStage.TO_COME and RunAction.APPLY not in run.possible_actions:
        if run.auto_apply:
            return "It is applied without confirmation.", (until_final,)
        wait = NextAction.for_run(WAIT_FOR_RUN, run.id, "waits until it can be applied")
        return f"{_follows(run)} Wait until it can be applied.", (wait,)
    if stage is ApplyStage.DECISION:
        return _follows(run), ()
    return ("It is already confirmed.", (until_final,)) if stage is ApplyStage.CONFIRMED else ("", ())


def _follows(run: Run) -> str:
    rule = rule_of(run.status)
    return rule.follows if rule else ""


def _again(
    refusal: TfrunsError, facts: dict[str, Fact], solution: str, next_actions: Sequence[NextAction] = ()
) -> TfrunsError:
    """The same refusal with more facts and another solution."""
    return type(refusal)(
        refusal.message,
        status=refusal.status,
        cause=refusal.cause,
        solution=solution,
        request_id=refusal.request_id,
        facts={**refusal.facts, **facts},
        next_actions=next_actions,
    )
