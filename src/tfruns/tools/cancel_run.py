"""Cancel a run. Source: HCP Terraform API, "Cancel a Run"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import Comment, RunId
from tfruns.client.client import Client
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.lifecycle import is_final
from tfruns.policy import Mode, Toolset
from tfruns.runs.impact_parts import (
    facts,
    instead_of_releasing,
    is_applying,
    named_run,
    read_run,
    released_lines,
    status_line,
    text_lines,
    unseen,
)
from tfruns.runs.results import act
from tfruns.runs.workspace_queue import released_auto_applies
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction


async def impact_of_cancel(client: Client, values: Mapping[str, Any]) -> Impact:
    """An interrupted apply leaves its changes half done; a plan that is interrupted leaves nothing."""
    run = await read_run(client, values)
    if is_final(run.status):
        return NO_IMPACT
    released = await released_auto_applies(client, run)
    applying = {ImpactKind.INTERRUPT_APPLY} if is_applying(run) else set()
    half_done = ("What the apply has changed until then stays.",) if applying else ()
    return Impact(
        kinds=frozenset({*applying, *unseen(released)}),
        question=f"Cancel {named_run(run)}, which is {status_line(run)}?",
        at_stake=(*half_done, *released_lines(released), *await text_lines(client, run, values)),
        state=[run.id, str(run.status), released],
        instead=instead_of_releasing(released),
        facts=facts(run, released),
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
    runs = context.client.runs
    return await act(context, run_id, RunAction.CANCEL, lambda: runs.cancel(run_id, comment=comment))
