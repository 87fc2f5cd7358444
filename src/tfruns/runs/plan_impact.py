"""The impact of applying a run's plan: its counts, its dangerous changes, and the actions that it invokes."""

from contextlib import suppress
from dataclasses import dataclass

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TfrunsError, TooLarge
from tfruns.impact import ImpactKind
from tfruns.jsonapi import JSON
from tfruns.review.headline import headline
from tfruns.review.summary import danger_lines, shown_address
from tfruns.runs.plan_reading import OpenPlan
from tfruns.runs.plans import open_plan
from tfruns.wire.runs import Run

_MAX_ACTIONS = 20


@dataclass(frozen=True, slots=True)
class PlanImpact:
    """The impact of applying a plan.

    Attributes:
        kinds: the kinds of impact, which decide about consent.
        lines: the lines for the person who confirms.
        state: identifies the plan.
        fingerprint: the fingerprint of the plan, if the plan can be read.
    """

    kinds: frozenset[ImpactKind]
    lines: tuple[str, ...]
    state: JSON
    fingerprint: str | None = None


async def plan_impact(client: Client, run: Run) -> PlanImpact:
    """Read the plan from the API, even if it was read before, and summarize its impact.

    Raises:
        TfrunsError: the API does not respond.
    """
    try:
        async with open_plan(client, run) as plan:
            if plan is not None:
                return _of_plan(run, plan)
    except (NotFound, Forbidden, TooLarge):
        pass
    return await _by_counts(client, run)


def _of_plan(run: Run, plan: OpenPlan) -> PlanImpact:
    document, summary = plan.document, plan.known.summary
    deferred = [change for change in document.deferred if change.is_invocation]
    kinds = {ImpactKind.APPLY}
    if summary.is_destructive:
        kinds.add(ImpactKind.DESTRUCTIVE_APPLY)
    if document.invocations or deferred:
        kinds.add(ImpactKind.ACTION_APPLY)
    lines = [headline(summary, is_refresh_only=bool(run.refresh_only), has_changes=run.has_changes)]
    if dangers := danger_lines(summary.dangers):
        lines += ["Dangerous changes (data from the plan):", *dangers]
    if deferred:
        named = ", ".join(shown_address(change, plan.known.secrets) for change in deferred[:_MAX_ACTIONS])
        more = len(deferred) - _MAX_ACTIONS
        lines.append(
            f"Actions: {len(deferred)} deferred to a later run: {named}{f' and {more} more' if more > 0 else ''}"
        )
    fingerprint = summary.fingerprint
    return PlanImpact(frozenset(kinds), tuple(lines), [document.plan_id, fingerprint], fingerprint)


async def _by_counts(client: Client, run: Run) -> PlanImpact:
    """The impact of a plan whose JSON cannot be read: its counts, which omit actions and forgotten resources.

    So a count of zero to destroy does not prove that nothing is lost.
    """
    plan_id = run.plan.id if run.plan else None
    line = "The changes of the plan cannot be read."
    if plan_id is not None:
        with suppress(TfrunsError):
            plan = await client.plans.read(plan_id)
            if plan.resource_destructions is not None:
                line = (
                    f"Plan: {plan.resource_additions or 0} to add, {plan.resource_changes or 0} to change, "
                    f"{plan.resource_destructions} to destroy."
                )
    lines = (line, "The individual changes cannot be read: actions and forgotten resources are unknown.")
    return PlanImpact(frozenset({ImpactKind.DESTRUCTIVE_APPLY}), lines, [plan_id, line])
