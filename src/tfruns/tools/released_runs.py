"""The runs that apply by themselves once another run makes way for them."""

from tfruns.client.client import Client
from tfruns.client.run_filters import RunFilters
from tfruns.lifecycle import is_final, is_queued, rule_of
from tfruns.vocabulary import RunPhase, StatusGroup
from tfruns.wire.runs import Run

_NOT_STARTED = {RunPhase.PENDING, RunPhase.FETCH, RunPhase.PRE_PLAN}
_APPLYING = {RunPhase.PRE_APPLY, RunPhase.APPLY, RunPhase.POST_APPLY}


async def released_auto_applies(client: Client, run: Run) -> list[str]:
    """The runs that would apply without a question if this one ended now, and would not otherwise.

    A run that applies makes way for them anyway, and a run in the queue blocks them only if it is the first.

    Raises:
        TfrunsError: the queue cannot be read.
    """
    rule = rule_of(run.status)
    if not is_queued(run.operation) or run.workspace is None or (rule is not None and rule.phase in _APPLYING):
        return []
    unfinished = RunFilters(status_group=StatusGroup.NON_FINAL)
    others = [
        other
        async for other in client.runs.list_for_workspace(run.workspace.id, unfinished)
        if other.id != run.id and is_queued(other.operation) and not is_final(other.status)
    ]
    if not has_started(run) and any(has_started(other) for other in others):
        return []  # another run holds the workspace
    return [other.id for other in others if other.auto_apply is not False and not has_started(other)]


def has_started(run: Run) -> bool:
    """Whether the run is beyond the queue; one whose status is not known counts as not started."""
    rule = rule_of(run.status)
    return rule is not None and rule.phase not in _NOT_STARTED
