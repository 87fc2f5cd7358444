"""Override the policies that block a run: Sentinel policy checks, task stages with OPA policies, Terraform policies.

Sources: HCP Terraform API, "Policy Checks", "Run Task Stages"; the OpenAPI document.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import Field

from tfruns.arguments import RunId
from tfruns.checks import awaits_override
from tfruns.client.client import Client
from tfruns.client.listing import Listing
from tfruns.errors import Fact, Forbidden, InvalidInput, NotFound, TfrunsError, TransitionNotAllowed
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.lifecycle import is_final
from tfruns.masking.text import one_line
from tfruns.next_actions import GET_RUN_DETAILS, NextAction
from tfruns.policy import Toolset
from tfruns.runs.impact_parts import LET_A_PERSON, listed, named_run, read_run, text_lines
from tfruns.runs.plan_impact import PlanImpact, plan_impact
from tfruns.tool import Context, Proof, Result, Role, tool
from tfruns.views.runs import ActionView, Overridden, action_view
from tfruns.vocabulary import CheckStatus, RunStatus
from tfruns.wire.base import Resource
from tfruns.wire.checks import PolicyCheck, TaskStage, TfPolicyEvaluation
from tfruns.wire.runs import Run

Reason = Annotated[str, Field(description="Reason; recorded with the run"), Role.COMMENT]

_MAX_REASON = 10_000  # characters


@dataclass(frozen=True, slots=True)
class _Hold:
    """A failed check that blocks the run.

    Attributes:
        id: the id of the policy check or task stage.
        kind: `policy_check` or `task_stage`, with its stage.
        is_overridable: whether it can be overridden at all.
        may_override: whether this token may override it; None if unknown.
        send: overrides it.
    """

    id: str
    kind: str
    is_overridable: bool
    may_override: bool | None
    send: Callable[[], Awaitable[PolicyCheck | TaskStage | TfPolicyEvaluation]]


async def impact_of_override(client: Client, values: Mapping[str, Any]) -> Impact:
    """An override of an auto-apply run leads to its apply without another confirmation."""
    run = await read_run(client, values)
    if is_final(run.status):
        return NO_IMPACT
    checks: list[PolicyCheck | TaskStage | TfPolicyEvaluation] = [
        *await _all(client.policy_checks.list_for_run(run.id)),
        *await _all(client.task_stages.list_for_run(run.id)),
        *await _all(client.tf_policy_evaluations.list_for_run(run.id)),
    ]
    found = [_line(check) for check in sorted(checks, key=lambda check: check.status == CheckStatus.PASSED)]
    applies = run.auto_apply is not False
    plan = await _plan_after_override(client, run) if applies else None
    return Impact(
        kinds=frozenset({ImpactKind.OVERRIDE, *({ImpactKind.UNSEEN_APPLY} if applies else ())}),
        question=f"Override the failed policies of {named_run(run)}?",
        at_stake=(
            *(("Then it is applied to real infrastructure, without another confirmation.",) if applies else ()),
            *(plan.lines if plan else ()),
            *listed(found, "Its checks:"),
            *await text_lines(client, run, values),
        ),
        state=[run.id, str(run.status), run.auto_apply, found, plan.state if plan else None],
        instead=f"{LET_A_PERSON} Or discard the run and create one without auto_apply.",
    )


async def _plan_after_override(client: Client, run: Run) -> PlanImpact | None:
    with suppress(TfrunsError):  # the plan does not exist yet
        return await plan_impact(client, run)
    return None


def _line(check: PolicyCheck | TaskStage | TfPolicyEvaluation) -> str:
    failed: int | None = None
    if isinstance(check, PolicyCheck):
        kind, failed = f"policy check {check.id}", check.result.total_failed if check.result else None
    elif isinstance(check, TaskStage):
        kind = f"task stage {check.id} ({one_line(check.stage or 'unknown', 20)})"
    else:
        kind = f"Terraform policies {check.id} ({one_line(check.stage_type or 'unknown', 20)})"
        failed = check.result_count.mandatory_failed if check.result_count else None
    return f"- {kind}: {one_line(check.status, 40)}" + (f", {failed} failed" if failed else "")


@tool(
    title="Override a policy check",
    toolset=Toolset.POLICY,
    order=180,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_override,
    proofs=(Proof.CODE,),
    instruction="override_policy_check only if a person asks for it.",
)
async def override_policy_check(context: Context, run_id: RunId, comment: Reason) -> Result[ActionView] | ActionView:
    """Override the failed policies that block a run: Sentinel, OPA (task stages) and Terraform policies.

    Only if a person asks for it. With auto-apply the run continues to its apply.
    """
    reason = comment.strip()
    if not reason:
        raise InvalidInput("The comment is empty. An override requires a reason.")
    if len(reason) > _MAX_REASON:
        raise InvalidInput(f"The comment has more than {_MAX_REASON} characters.", solution="Shorten it.")
    client = context.client
    run = await client.runs.read(run_id)
    holds, mandatory = await _find_holds(client, run, reason)
    _refuse_what_cannot_be(run, holds, mandatory)
    overridden, failure = await _override(holds)
    recorded = await _record(client, run.id, overridden, reason)
    if failure is not None:
        raise _partly(failure, holds, overridden) if overridden else failure
    return await _answer(context, run.id, overridden, is_recorded=recorded)


async def is_overridable(client: Client, run: Run) -> bool:
    """Whether this token may override all failed policies that block a run.

    Raises:
        TfrunsError: the checks cannot be read.
    """
    if is_final(run.status):
        return False
    holds, mandatory = await _find_holds(client, run, "")
    try:
        _refuse_what_cannot_be(run, holds, mandatory)
    except (TransitionNotAllowed, Forbidden):
        return False
    return True


async def _find_holds(client: Client, run: Run, reason: str) -> tuple[list[_Hold], list[str]]:
    """The failed checks that block a run, and the ids of those that cannot be overridden."""
    checks = await _all(client.policy_checks.list_for_run(run.id))
    stages = await _all(client.task_stages.list_for_run(run.id))
    holds = [_hold_of_check(client, check, run) for check in checks if awaits_override(check.status)]
    holds += [_hold_of_stage(client, stage, reason) for stage in stages if awaits_override(stage.status)]
    evaluations = await _all(client.tf_policy_evaluations.list_for_run(run.id))
    holds += [_hold_of_tf_policies(client, found, reason) for found in evaluations if awaits_override(found.status)]
    failed = [found.id for found in evaluations if found.status == CheckStatus.FAILED]  # final: with mandatory policies
    return holds, [*(check.id for check in checks if _is_hard(check)), *failed]


R = TypeVar("R", bound=Resource)


async def _all(listing: Listing[R]) -> list[R]:
    """The complete list; empty if the API, such as an older Terraform Enterprise, does not have it."""
    try:
        return [item async for item in listing]
    except NotFound:
        return []


def _is_hard(check: PolicyCheck) -> bool:
    return check.status == CheckStatus.HARD_FAILED or bool(check.result and check.result.hard_failed)


def _hold_of_check(client: Client, check: PolicyCheck, run: Run) -> _Hold:
    may = check.permissions.can_override if check.permissions else None
    if may is None and run.permissions:
        may = run.permissions.can_override_policy_check
    return _Hold(
        id=check.id,
        kind="policy_check",
        is_overridable=check.actions is None or check.actions.is_overridable is not False,
        may_override=may,
        send=partial(client.policy_checks.override, check.id),
    )


def _hold_of_stage(client: Client, stage: TaskStage, reason: str) -> _Hold:
    return _Hold(
        id=stage.id,
        kind=f"task_stage {stage.stage}" if stage.stage else "task_stage",
        is_overridable=stage.actions is None or stage.actions.is_overridable is not False,
        may_override=stage.permissions.can_override if stage.permissions else None,
        send=partial(client.task_stages.override, stage.id, comment=reason),
    )


def _hold_of_tf_policies(client: Client, evaluation: TfPolicyEvaluation, reason: str) -> _Hold:
    return _Hold(
        id=evaluation.id,
        kind="tf_policy_evaluation",
        is_overridable=evaluation.actions is None or evaluation.actions.is_overridable is not False,
        may_override=evaluation.permissions.can_override if evaluation.permissions else None,
        send=partial(client.tf_policy_evaluations.override, evaluation.id, comment=reason),
    )


def _refuse_what_cannot_be(run: Run, holds: Sequence[_Hold], hard: Sequence[str]) -> None:
    """Refuse an override that is useless or not allowed, before anything is sent.

    Raises:
        TransitionNotAllowed: nothing awaits an override, or a mandatory check failed.
        Forbidden: this token may not override it.
    """
    facts: dict[str, Fact] = {"run_status": str(run.status), "allowed_actions": list(run.allowed_actions)}
    mandatory = [*hard, *(hold.id for hold in holds if not hold.is_overridable)]
    if mandatory:
        raise TransitionNotAllowed(
            f"These cannot be overridden: {', '.join(mandatory)}. Nothing was sent.",
            cause="A hard-mandatory policy or a mandatory run task failed.",
            solution="Change the configuration (or the policy), and create a new run.",
            facts=facts | {"not_overridable": mandatory},
        )
    if is_final(run.status) or not holds:
        raise TransitionNotAllowed(
            f"The run is {run.status}, and nothing in it awaits an override. Nothing was sent.",
            cause="No policy check failed softly, and no task stage or Terraform policy awaits an override; or the run "
            "is final.",
            solution=_INSTEAD.get(str(run.status), "Read the run to see what it waits for."),
            facts=facts,
        )
    forbidden = [hold.id for hold in holds if hold.may_override is False]
    if forbidden:
        raise Forbidden(
            f"This token may not override {', '.join(forbidden)}. Nothing was sent.",
            cause='An override requires the permission "manage policy overrides" (for run tasks, on the workspace).',
            solution="Let an authorized person override it, use a token of such a person, or discard the run.",
            facts=facts,
        )


_INSTEAD = {
    RunStatus.TF_POLICY_OVERRIDE.value: "Its Terraform policies cannot be read by this token, or are hidden by this "
    "API. Override them in the browser, or discard the run."
}


async def _override(holds: Sequence[_Hold]) -> tuple[list[_Hold], TfrunsError | None]:
    """Override one after the other until one fails, and return the overridden ones and the failure."""
    overridden: list[_Hold] = []
    for hold in holds:
        try:
            await hold.send()
        except TfrunsError as error:
            return overridden, error
        overridden.append(hold)
    return overridden, None


async def _record(client: Client, run_id: str, overridden: Sequence[_Hold], reason: str) -> bool:
    """Record the reason as a comment if the override itself accepts none. Returns whether it is recorded."""
    if any(hold.kind == "policy_check" for hold in overridden):
        try:
            await client.comments.create(run_id, reason)
        except TfrunsError:
            return False
    return True


def _partly(failure: TfrunsError, holds: Sequence[_Hold], overridden: Sequence[_Hold]) -> TfrunsError:
    """The failure, with the checks that were overridden before it."""
    done = [hold.id for hold in overridden]
    failed, *rest = [hold.id for hold in holds[len(done) :]]
    return type(failure)(
        f"Overridden: {', '.join(done)}. Not overridden: {failed}: {failure.message}",
        status=failure.status,
        cause=failure.cause,
        solution=failure.solution,
        retry_after_s=failure.retry_after_s,
        request_id=failure.request_id,
        facts=failure.facts | {"overridden": done, "failed": failed, "not_tried": rest},
    )


async def _answer(
    context: Context, run_id: str, overridden: Sequence[_Hold], *, is_recorded: bool
) -> Result[ActionView] | ActionView:
    done = tuple(Overridden(hold.id, hold.kind) for hold in overridden)
    note = "" if is_recorded else "The comment may not have been recorded: check the run's comments."
    try:
        run = await context.client.runs.read(run_id)
    except TfrunsError as error:
        return ActionView(
            id=run_id,
            status="unknown",
            follows=f"It was overridden, but the run could not be read afterwards: {error.message}",
            next_actions=(NextAction.for_run(GET_RUN_DETAILS, run_id, "shows the run"),),
            overridden=done,
            note=note,
        )

    async def view() -> ActionView:
        return replace(action_view(run), overridden=done, note=note)

    return Result(view, run.document)
