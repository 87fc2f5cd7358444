"""What mode `plan` keeps its promise with: nothing is applied, by whatever way.

To discard or cancel a run that holds its workspace frees the next one, and that one may apply by itself. To cancel an
apply interferes with one that a person confirmed.
"""

from tfruns.client.client import Client
from tfruns.client.run_filters import RunFilters
from tfruns.errors import RefusedByMode
from tfruns.lifecycle import is_queued, rule_of
from tfruns.tools.policy import Mode
from tfruns.tools.registry import Context
from tfruns.vocabulary import RunAction, RunPhase, StatusGroup
from tfruns.wire.runs import Run

_APPLY_PHASES = {RunPhase.PRE_APPLY, RunPhase.APPLY, RunPhase.POST_APPLY}


async def refuse_what_leads_to_an_apply(context: Context, run_id: str, action: RunAction) -> None:
    """Refuse to discard or cancel a run that is applying, or that keeps another from applying by itself.

    Raises:
        RefusedByMode: in a mode below `apply`; nothing was sent.
    """
    if context.policy.mode.includes(Mode.APPLY):
        return
    run = await context.client.runs.read(run_id)
    rule = rule_of(run.status)
    if rule is None or rule.phase in _APPLY_PHASES:
        raise RefusedByMode(
            f"The run is {run.status}: to {action.value} an apply is not possible in this server's mode.",
            facts={"run_status": str(run.status)},
        )
    waiting = await _would_apply_next(context.client, run)
    if waiting:
        raise RefusedByMode(
            f"To {action.value} this run would let others go on that apply by themselves.",
            facts={"waiting_run_ids": waiting},
        )


async def _would_apply_next(client: Client, run: Run) -> list[str]:
    """The pending runs that apply by themselves, and for which this run may be what keeps them waiting."""
    if not is_queued(run.operation) or run.workspace is None:
        return []
    unfinished = RunFilters(status_group=StatusGroup.NON_FINAL)
    return [
        other.id
        async for other in client.runs.list_for_workspace(run.workspace.id, unfinished)
        if other.auto_apply and other.id != run.id and _waits(other)
    ]


def _waits(run: Run) -> bool:
    """Whether the run has not been planned yet; one whose status is not known may be such."""
    rule = rule_of(run.status)
    return rule is None or rule.phase in {RunPhase.PENDING, RunPhase.FETCH, RunPhase.PRE_PLAN}
