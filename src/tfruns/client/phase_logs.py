"""The logs of a run's phases: which phase has one, and reading a part of it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from tfruns.lifecycle import has_taken_effect
from tfruns.phases import has_phase_begun, phase_status_of
from tfruns.vocabulary import PhaseStatus, RunAction, RunPhase
from tfruns.wire.plans import Apply, Plan
from tfruns.wire.runs import Run

if TYPE_CHECKING:
    from tfruns.client.phases import Applies, Plans
    from tfruns.client.runs import Runs

PhaseName = Literal["plan", "apply"]
Read = Callable[[int, int], Awaitable[bytes]]
"""Reads so many bytes (second) from an offset (first)."""


class RunReader(Protocol):
    """Reads runs and their phases. `Client` is one."""

    @property
    def runs(self) -> "Runs": ...
    @property
    def plans(self) -> "Plans": ...
    @property
    def applies(self) -> "Applies": ...


class RunPhases(NamedTuple):
    """The part of a client that reads runs and their phases."""

    runs: "Runs"
    plans: "Plans"
    applies: "Applies"


def running_phase(run_status: str) -> PhaseName | None:
    """The phase that is writing its log in this run status."""
    phase, status = phase_status_of(run_status) or (None, None)
    if status is not PhaseStatus.RUNNING:
        return None
    return "plan" if phase is RunPhase.PLAN else "apply"


def may_have_applied(run: Run) -> bool:
    """Whether the run's apply may have started, from its status and timestamps."""
    return has_taken_effect(RunAction.APPLY, run.status, run.passed)


async def read_phase(client: RunReader, run: Run, name: PhaseName) -> Plan | Apply | None:
    """The plan or the apply of a run; None where it has none.

    Raises:
        TfrunsError: it cannot be read.
    """
    if name == "plan":
        return await client.plans.read(run.plan.id) if run.plan else None
    return await client.applies.read(run.apply.id) if run.apply else None


async def phase_with_log(client: RunReader, run: Run, asked: str) -> tuple[PhaseName, Plan | Apply] | None:
    """The requested phase, or for `auto` the apply if it began, else the plan; None if it has no log."""
    found = await _phase_of(client, run, asked)
    return None if found is None or found[1].log_read_url is None or not has_phase_begun(found[1].status) else found


async def _phase_of(client: RunReader, run: Run, asked: str) -> tuple[PhaseName, Plan | Apply] | None:
    if asked == "apply" or (asked == "auto" and may_have_applied(run)):
        apply = await read_phase(client, run, "apply")
        if apply is not None and (asked == "apply" or has_phase_begun(apply.status)):
            return "apply", apply
    if asked == "apply":
        return None
    plan = await read_phase(client, run, "plan")
    return ("plan", plan) if plan is not None else None


def reader(client: RunReader, phase: Plan | Apply) -> Read:
    """What reads parts of the phase's log."""

    async def read(offset: int, max_bytes: int) -> bytes:
        if isinstance(phase, Plan):
            return await client.plans.read_log(phase, offset=offset, max_bytes=max_bytes)
        return await client.applies.read_log(phase, offset=offset, max_bytes=max_bytes)

    return read
