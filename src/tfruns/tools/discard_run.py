"""Discard a run. Source: HCP Terraform API, "Discard a Run"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import Comment, RunId
from tfruns.client.client import Client
from tfruns.impact import Impact, ImpactKind
from tfruns.lifecycle import has_left_queue
from tfruns.policy import Mode, Toolset
from tfruns.runs.impact_parts import impact_of_stop, is_applying
from tfruns.runs.results import act
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction
from tfruns.wire.runs import Run


async def impact_of_discard(client: Client, values: Mapping[str, Any]) -> Impact:
    """A discarded plan can never be applied."""
    return await impact_of_stop(
        client, values, verb="Discard", kinds=_kinds, effects=lambda _: ("Its plan can never be applied afterwards.",)
    )


def _kinds(run: Run) -> set[ImpactKind]:
    if is_applying(run):
        return {ImpactKind.INTERRUPT_APPLY}
    return {ImpactKind.DISCARD_PLAN} if has_left_queue(run.status) else set()


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
    return await act(context, run_id, RunAction.DISCARD, comment)
