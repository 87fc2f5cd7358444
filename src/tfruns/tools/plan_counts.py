"""The numbers of a plan or an apply, as the API counts them."""

from tfruns.client.client import Client
from tfruns.errors import TfrunsError
from tfruns.jsonapi import JSON
from tfruns.lifecycle import is_planned
from tfruns.vocabulary import PhaseStatus
from tfruns.wire.plans import Apply, Plan
from tfruns.wire.runs import Run


async def plan_counts(client: Client, run: Run) -> dict[str, JSON]:
    """What the plan of a run would do; nothing where there is no plan yet, or it cannot be read."""
    if run.plan is None or not is_planned(run.status, [key for key, at in run.status_timestamps.items() if at]):
        return {}
    try:
        plan = await client.plans.read(run.plan.id)
    except TfrunsError:
        return {}
    return counts_of(plan) if plan.status == PhaseStatus.FINISHED else {}


def counts_of(phase: Plan | Apply) -> dict[str, JSON]:
    """The numbers of resources; those that are not said are left out."""
    counts: dict[str, JSON] = {
        "add": phase.resource_additions,
        "change": phase.resource_changes,
        "destroy": phase.resource_destructions,
        "import": phase.resource_imports or None,
    }
    return {name: count for name, count in counts.items() if count is not None}
