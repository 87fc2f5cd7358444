"""Apply a run. Source: HCP Terraform API, "Apply a Run"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import Comment, RunId
from tfruns.client.client import Client
from tfruns.errors import TransitionNotAllowed
from tfruns.impact import NO_IMPACT, Impact
from tfruns.lifecycle import is_final
from tfruns.policy import Toolset
from tfruns.runs.impact_parts import named_run, read_run, text_lines
from tfruns.runs.plan_impact import plan_impact
from tfruns.runs.results import act
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction


async def impact_of_apply(client: Client, values: Mapping[str, Any]) -> Impact:
    """The impact is that of the run's plan, which never changes: the plan that is shown is the one that is applied."""
    run = await read_run(client, values)
    if is_final(run.status):
        return NO_IMPACT  # the API refuses the call with a reason
    if RunAction.APPLY not in run.allowed_actions and RunAction.APPLY not in run.forbidden_actions:
        raise TransitionNotAllowed(
            f"The run is {run.status} and does not wait for confirmation. Nothing was sent.",
            facts={"run_status": str(run.status), "allowed_actions": list(run.allowed_actions)},
        )
    plan = await plan_impact(client, run)
    return Impact(
        kinds=plan.kinds,
        question=f"Apply {named_run(run)} to real infrastructure?",
        at_stake=(*plan.lines, *await text_lines(client, run, values)),
        state=[run.id, plan.state],
        fingerprint=plan.fingerprint,
    )


@tool(
    title="Apply a run",
    toolset=Toolset.RUNS,
    order=50,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_apply,
    proofs=(Proof.CODE, Proof.FINGERPRINT),
    command="run apply",
    instruction="apply_run applies only a plan that the person has seen and approved, with the fingerprint of "
    "review_run; otherwise use discard_run.",
)
async def apply_run(context: Context, run_id: RunId, comment: Comment = "") -> Result[ActionView] | ActionView:
    """Confirm a run that waits for confirmation. Its plan is applied to real infrastructure.

    Review the plan first. The result says that the apply was accepted, not that it has finished: wait until the
    status is applied or errored. Do not repeat it.
    """
    return await act(context, run_id, RunAction.APPLY, comment)
