"""The numbers of a plan: resources as the API counts them, and what it does not count."""

from tfruns.client.client import Client
from tfruns.errors import TfrunsError
from tfruns.jsonapi import JSON
from tfruns.lifecycle import is_planned
from tfruns.review.summary import Summary
from tfruns.tools.plan_source import plan_summary
from tfruns.vocabulary import PhaseStatus
from tfruns.wire.plans import Plan
from tfruns.wire.runs import Run


async def plan_counts(client: Client, run: Run) -> dict[str, JSON]:
    """What the plan of a run would do; empty while there is no plan, or if it cannot be read.

    The API counts neither outputs, moves, forgotten resources nor actions: they are read from the plan itself, unless
    the API says that there are no changes.
    """
    if run.plan is None or not is_planned(run.status, run.passed):
        return {}
    try:
        plan = await client.plans.read(run.plan.id)
    except TfrunsError:
        return {}
    if plan.status != PhaseStatus.FINISHED:
        return {}
    counts = _counted(plan)
    if run.has_changes is False and not run.refresh_only and not any(counts.values()):
        return counts
    try:
        found = await plan_summary(client, run)
    except TfrunsError:
        return counts
    return counts | _not_counted(found, is_refresh_only=bool(run.refresh_only)) if found else counts


def _counted(plan: Plan) -> dict[str, JSON]:
    """The numbers of the API; a missing one is left out."""
    counts: dict[str, JSON] = {
        "add": plan.resource_additions,
        "change": plan.resource_changes,
        "destroy": plan.resource_destructions,
        "import": plan.resource_imports or None,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _not_counted(found: Summary, *, is_refresh_only: bool) -> dict[str, JSON]:
    """What the API does not count, without zeros."""
    counts: dict[str, JSON] = {
        "forget": found.counts.forget,
        "move": found.counts.move + (found.moved if is_refresh_only else 0),
        "invoke": found.counts.invoke,
        "unknown": found.counts.unknown,
        "deferred": found.counts.deferred,
        "outputs": found.outputs,
        "drift": found.drifted if is_refresh_only else 0,
    }
    return {name: count for name, count in counts.items() if count}
