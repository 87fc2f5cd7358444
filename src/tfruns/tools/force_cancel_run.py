"""Force-cancel a run. Source: HCP Terraform API, "Forcefully cancel a run"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import Comment, RunId
from tfruns.client.client import Client
from tfruns.client.conflict_details import not_allowed_now
from tfruns.impact import Impact, ImpactKind
from tfruns.policy import Toolset
from tfruns.runs.impact_parts import impact_of_stop, is_applying
from tfruns.runs.results import act
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction
from tfruns.wire.runs import Run


async def impact_of_force_cancel(client: Client, values: Mapping[str, Any]) -> Impact:
    """The state can lack the changes that a killed apply was making."""
    lost = "The state can lack the changes that the apply is making now."
    return await impact_of_stop(
        client,
        values,
        verb="Kill",
        kinds=lambda run: {ImpactKind.KILL_APPLY if is_applying(run) else ImpactKind.KILL},
        effects=lambda run: (lost,) if is_applying(run) else (),
        also=", and unlock its workspace",
        refuse=_refuse_early,
    )


def _refuse_early(run: Run) -> None:
    """Refuse a force-cancel without a cancel before it, or before its cool-off has passed.

    It is refused here and not left to the API: the cool-off could pass between the question, which is not asked, and
    the request.

    Raises:
        TransitionNotAllowed: the API excludes it.
    """
    if run.actions is not None and RunAction.FORCE_CANCEL not in run.possible_actions:
        raise not_allowed_now(run, RunAction.FORCE_CANCEL)


@tool(
    title="Force-cancel a run",
    toolset=Toolset.RUNS,
    order=80,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_force_cancel,
    proofs=(Proof.CODE,),
    command="run force-cancel",
    instruction="force_cancel_run only if a person asks for it.",
)
async def force_cancel_run(context: Context, run_id: RunId, comment: Comment = "") -> Result[ActionView] | ActionView:
    """Kill a run that did not stop after cancel_run, and unlock its workspace.

    Only if cancel_run had no effect, and after the cool-off. Killing an apply can lose resources from the state.
    """
    return await act(context, run_id, RunAction.FORCE_CANCEL, comment)
