"""Discard a run. Source: HCP Terraform API, "Discard a Run"."""

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
from tfruns.runs.workspace_queue import has_started, released_auto_applies
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction


async def impact_of_discard(client: Client, values: Mapping[str, Any]) -> Impact:
    """A discarded plan can never be applied."""
    run = await read_run(client, values)
    if is_final(run.status):
        return NO_IMPACT
    released = await released_auto_applies(client, run)
    waiting = {ImpactKind.DISCARD_PLAN} if has_started(run) and not is_applying(run) else set()
    applying = {ImpactKind.INTERRUPT_APPLY} if is_applying(run) else set()
    return Impact(
        kinds=frozenset({*waiting, *applying, *unseen(released)}),
        question=f"Discard {named_run(run)}, which is {status_line(run)}?",
        at_stake=(
            "Its plan can never be applied then.",
            *released_lines(released),
            *await text_lines(client, run, values),
        ),
        state=[run.id, str(run.status), released],
        instead=instead_of_releasing(released),
        facts=facts(run, released),
    )


@tool(
    title="Discard a run",
    toolset=Toolset.RUNS,
    order=60,
    mode=Mode.PLAN,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_discard,
    command="run discard",
)
async def discard_run(context: Context, run_id: RunId, comment: Comment = "") -> Result[ActionView] | ActionView:
    """Discard a run that waits for confirmation or is pending.

    It can never be applied afterwards. The next run of the workspace continues.
    """
    runs = context.client.runs
    return await act(context, run_id, RunAction.DISCARD, lambda: runs.discard(run_id, comment=comment))
