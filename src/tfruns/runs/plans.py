"""The plan of a run, in the form that this token may read, and the results that are cached.

A plan never changes once its JSON exists, so small results are cached for the life of the client. Each client has its
own cache, because another client may have a token with fewer permissions.

Several readers of one plan share one download and one document, which exists as long as one of them uses it. The
documents of all plans that a client has open share one budget of bytes.

A large plan takes seconds to process, in threads, so that other calls are not blocked.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import anyio

from tfruns.client.byte_budget import ByteBudget, Reservation
from tfruns.client.client import Client
from tfruns.errors import TfrunsError
from tfruns.jsonapi import JSON
from tfruns.lifecycle import is_planned
from tfruns.masking.secrets import NO_SECRETS, Secrets
from tfruns.vocabulary import PhaseStatus
from tfruns.wire.plans import Plan
from tfruns.wire.runs import Run

if TYPE_CHECKING:
    from tfruns.review.summary import PlanSummary
    from tfruns.runs.plan_reading import Known, OpenPlan

_MAX_BYTES = 128_000_000  # of the JSON of all open plans together; a parsed plan takes about five times as much memory
_MAX_KEPT = 32  # plans of one client


class _Flight:
    """One download of a plan for all concurrent readers. If the reader is canceled, the next one continues."""

    def __init__(self, budget: ByteBudget) -> None:
        self.room = Reservation(budget)
        self.readers = 0
        self.plan: OpenPlan | None = None
        self._error: TfrunsError | None = None
        self._is_done = False
        self._lock = anyio.Lock()

    @property
    def has_failed(self) -> bool:
        """Whether it finished without a plan; a later attempt may find one."""
        return self._is_done and self.plan is None

    async def result(self, read: Callable[[Reservation], Awaitable["OpenPlan | None"]]) -> "OpenPlan | None":
        async with self._lock:
            if not self._is_done:
                try:
                    self.plan = await read(self.room)
                except TfrunsError as error:
                    self._error = error
                self._is_done = True
        if self._error is not None:
            raise copy(self._error)  # each reader extends its own traceback
        return self.plan


@dataclass(slots=True)
class _Plans:
    """The plans of one client: current downloads, and cached results."""

    budget: ByteBudget = field(default_factory=lambda: ByteBudget(_MAX_BYTES))
    flights: dict[str, _Flight] = field(default_factory=dict)
    kept: OrderedDict[str, "Known"] = field(default_factory=OrderedDict)

    def join(self, plan_id: str) -> _Flight:
        """The flight that is in progress for a plan, or a new one."""
        flight = self.flights.get(plan_id)
        if flight is None or flight.has_failed:
            flight = self.flights[plan_id] = _Flight(self.budget)
        flight.readers += 1
        return flight

    def leave(self, plan_id: str, flight: _Flight) -> None:
        """Drop the plan with its last reader."""
        flight.readers -= 1
        if not flight.readers:
            flight.room.release()
            if self.flights.get(plan_id) is flight:
                del self.flights[plan_id]

    def keep(self, plan_id: str, known: "Known") -> None:
        self.kept[plan_id] = known
        while len(self.kept) > _MAX_KEPT:
            self.kept.popitem(last=False)


@asynccontextmanager
async def open_plan(client: Client, run: Run) -> AsyncIterator["OpenPlan | None"]:
    """Read a run's plan: the full JSON if the token may read it, else the redacted form.

    The redacted form is also used if Terraform marked too little of the plan as sensitive. The plan counts towards the
    budget of its client until it is closed.

    Yields:
        The plan; None if it does not exist yet, or never will because the run stopped first.

    Raises:
        NotFound, Forbidden: the token may read neither form.
        TooLarge: both forms are too large.
        UnexpectedResponse: it is not JSON.
    """
    if run.plan is None:
        yield None
        return
    from tfruns.runs.plan_reading import read_plan  # noqa: PLC0415  # imports the review

    plans = client.derived(_Plans)
    flight = plans.join(run.plan.id)
    try:
        plan = await flight.result(partial(read_plan, client, run, run.plan.id))
        if plan is not None:
            plans.keep(run.plan.id, plan.known)
        yield plan
    finally:
        plans.leave(run.plan.id, flight)


async def secrets_of(client: Client, run: Run, *, before_plan: Secrets = NO_SECRETS) -> Secrets:
    """The sensitive values of a run's plan, for masking its logs and messages; others before the plan exists.

    The plan is read once for all callers. If the token may read only the redacted form, the values are unknown,
    and only Terraform's own masking applies.

    Raises: as `open_plan`.
    """
    known = await _know(client, run)
    return known.secrets if known else before_plan


def known_secrets(client: Client, run_id: str, *, before_plan: Secrets = NO_SECRETS) -> Secrets:
    """The sensitive values of a run's plan, if it was read before. Thread-safe; never reads the plan."""
    plans = client.derived(_Plans)
    return next((known.secrets for known in list(plans.kept.values()) if known.run_id == run_id), before_plan)


def all_known_secrets(client: Client) -> list[Secrets]:
    """The sensitive values of each plan that was read before. Thread-safe."""
    return [known.secrets for known in list(client.derived(_Plans).kept.values())]


async def plan_summary(client: Client, run: Run) -> "PlanSummary | None":
    """The counts, dangers and fingerprint of a run's plan; None before the plan exists.

    The fingerprint is the one that `review_run` shows to the same token. The plan is read once for all callers.

    Raises: as `open_plan`.
    """
    known = await _know(client, run)
    return known.summary if known else None


async def _know(client: Client, run: Run) -> "Known | None":
    plans = client.derived(_Plans)
    if run.plan is not None and run.plan.id in plans.kept:
        return plans.kept[run.plan.id]
    async with open_plan(client, run) as plan:
        return plan.known if plan else None


# -- the counts of a plan ----------------------------------------------------------------------------------------------


async def plan_counts(client: Client, run: Run) -> dict[str, JSON]:
    """The counts of the changes in a run's plan; empty if there is no plan or it cannot be read.

    The API does not count outputs, moves, forgotten resources and actions. They are counted in the plan itself, unless
    the API reports no changes.
    """
    if run.plan is None or not is_planned(run.status, run.passed):
        return {}
    try:
        plan = await client.plans.read(run.plan.id)
    except TfrunsError:
        return {}
    if plan.status != PhaseStatus.FINISHED:
        return {}
    counts = counted_by_api(plan)
    if run.has_changes is False and not run.refresh_only and not any(counts.values()):
        return counts
    try:
        found = await plan_summary(client, run)
    except TfrunsError:
        return counts
    return counts | _not_counted(found, is_refresh_only=bool(run.refresh_only)) if found else counts


def counted_by_api(plan: Plan) -> dict[str, JSON]:
    """The API's counts, without missing ones."""
    counts: dict[str, JSON] = {
        "add": plan.resource_additions,
        "change": plan.resource_changes,
        "destroy": plan.resource_destructions,
        "import": plan.resource_imports or None,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _not_counted(found: "PlanSummary", *, is_refresh_only: bool) -> dict[str, JSON]:
    """The counts that the API omits, without zeros."""
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
