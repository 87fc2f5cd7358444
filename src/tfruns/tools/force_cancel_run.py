"""Force-cancel a run. Source: HCP Terraform API, "Forcefully cancel a run"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import Comment, RunId
from tfruns.client.client import Client
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.lifecycle import is_final
from tfruns.policy import Toolset
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
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction


async def impact_of_force_cancel(client: Client, values: Mapping[str, Any]) -> Impact:
    """A killed apply can lose what it was changing."""
    run = await read_run(client, values)
    if is_final(run.status):
        return NO_IMPACT
    is_apply = is_applying(run)
    loses = ("What the apply is changing just now can be lost from the state.",) if is_apply else ()
    released = await released_auto_applies(client, run)
    return Impact(
        kinds=frozenset({ImpactKind.KILL_APPLY if is_apply else ImpactKind.KILL, *unseen(released)}),
        question=f"Kill {named_run(run)}, which is {status_line(run)}, and unlock its workspace?",
        at_stake=(*loses, *released_lines(released), *await text_lines(client, run, values)),
        state=[run.id, str(run.status), released],
        instead=instead_of_releasing(released),
        facts=facts(run, released),
    )


@tool(
    title="Force-cancel a run",
    toolset=Toolset.RUNS,
    order=80,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_force_cancel,
    proofs=(Proof.CODE,),
    command="run force-cancel",
    instruction="force_cancel_run only when a person has decided it.",
)
async def force_cancel_run(context: Context, run_id: RunId, comment: Comment = "") -> Result[ActionView] | ActionView:
    """Kill a run that did not stop after cancel_run, and unlock its workspace.

    Only if cancel_run did not help, and after its cool-off: during an apply, the state can lose resources.
    """
    runs = context.client.runs
    return await act(context, run_id, RunAction.FORCE_CANCEL, lambda: runs.force_cancel(run_id, comment=comment))
