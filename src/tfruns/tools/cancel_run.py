"""Cancel a run. Source: HCP Terraform API, "Cancel a Run"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import Comment, RunId
from tfruns.client.client import Client
from tfruns.impact import Impact, ImpactKind
from tfruns.policy import Mode, Toolset
from tfruns.runs.impact_parts import impact_of_stop, is_applying
from tfruns.runs.results import act
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction


async def impact_of_cancel(client: Client, values: Mapping[str, Any]) -> Impact:
    """An interrupted apply leaves its changes half done; an interrupted plan leaves nothing."""
    return await impact_of_stop(
        client,
        values,
        verb="Cancel",
        kinds=lambda run: {ImpactKind.INTERRUPT_APPLY} if is_applying(run) else (),
        effects=lambda run: ("Changes that the apply has already made stay.",) if is_applying(run) else (),
    )


@tool(
    title="Cancel a run",
    toolset=Toolset.RUNS,
    order=70,
    mode=Mode.PLAN,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_cancel,
    command="run cancel",
    instruction="cancel_run interrupts a run.",
)
async def cancel_run(context: Context, run_id: RunId, comment: Comment = "") -> Result[ActionView] | ActionView:
    """Interrupt a run that is planning or applying, like Ctrl-C. A pending run is canceled immediately.

    Terraform stops as safely as it can; changes that an apply has already made stay. The status changes when Terraform
    has stopped.
    """
    return await act(context, run_id, RunAction.CANCEL, comment)
