"""Waiting for a run until it needs a person, is planned, or is final.

The outcome depends on the run itself: its status, its actions, and the stages that follow. `Runs.wait` and the tool
`wait_for_run` share these rules.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

import anyio

from tfruns.checks import awaits_override, is_check_expected
from tfruns.client.clock import Clock
from tfruns.errors import BadRequest, InvalidInput, TfrunsError
from tfruns.lifecycle import is_final, is_planned, timestamp_key
from tfruns.next_actions import Argument
from tfruns.wire.checks import TaskStage
from tfruns.wire.runs import Run

Until = Literal["attention", "planned", "final"]
"""The end of a wait: the run needs a person or is final; it is planned, or one of these; it is final."""

Outcome = Literal["attention", "planned", "final", "timeout"]

_FIRST_INTERVAL_S = 0.5
_MAX_INTERVAL_S = 5.0
_SETTLED_S = 10.0  # a run that could continue and has not for this long waits for a person
_OUTAGE_S = 60.0  # how long the API may be unavailable between two reads; each read is also retried for some seconds
_GRACE_S = 5.0  # for the last read, beyond the timeout
_TASK_STAGES = "task_stages"


def check_until(until: str) -> None:
    """Refuse an unknown condition. Type checkers do, too; a program may not be checked.

    Raises:
        InvalidInput: the condition is unknown; nothing was sent.
    """
    known = get_args(Until)
    if until not in known:
        raise InvalidInput((Argument("until"), f" must be one of {', '.join(known)}."))


def outcome_of(run: Run, until: Until) -> Outcome | None:
    """The outcome of a wait for the run in its current state; None if the wait continues."""
    if is_final(run.status):
        return "final"
    if until == "final":
        return None
    if until == "planned" and is_planned(run.status, run.passed):
        return "planned"
    return "attention" if needs_person(run) else None


def _is_check_expected(run: Run) -> bool:
    return is_check_expected(
        run.status,
        run.passed,
        has_estimate=run.cost_estimate is not None,
        has_policies=bool(run.policy_checks),
        task_stages=[stage.status for stage in _stages(run)],
    )


def needs_person(run: Run) -> bool:
    """Whether a run that was read with its task stages waits for a person."""
    return run.needs_person or any(awaits_override(stage.status) for stage in _stages(run))


def _stages(run: Run) -> list[TaskStage]:
    """The included task stages of the run."""
    return [stage for related in run.task_stages if (stage := run.follow(related, TaskStage))]


@dataclass
class RunWait:
    """One wait, from the first read to its outcome.

    Attributes:
        read: reads the run with these related resources.
        clock: measures the wait.
        until: the condition.
        timeout_s: the longest time to wait; None for no limit.
        include: related resources to read with the run, in addition to its task stages.
        longest_interval_s: the longest time between two reads.
        trouble: the error of the last read, while the API is unavailable.
    """

    read: Callable[[Sequence[str]], Awaitable[Run]]
    clock: Clock
    until: Until
    timeout_s: float | None
    include: Sequence[str] = ()
    longest_interval_s: float = _MAX_INTERVAL_S
    trouble: TfrunsError | None = None
    _has_stages: bool = True
    _began: float = field(init=False)
    _read_at: float = field(init=False)
    _changed_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._read_at = self._changed_at = self.clock.monotonic()

    async def finish(self, watch: Callable[[Run], Awaitable[None]]) -> tuple[Run, Outcome]:
        """Read the run until there is an outcome.

        Args:
            watch: called with each state of the run that does not end the wait.

        Raises:
            TfrunsError: the run cannot be read, now or for a minute.
        """
        run = await self._read()
        interval = _FIRST_INTERVAL_S
        while (outcome := self._outcome(run)) is None and self.left_s > 0:
            await watch(run)
            await self.clock.sleep(min(interval, self.left_s))
            before, run = run, await self._read_again(run)
            if run.status != before.status:
                self._changed_at, interval = self.clock.monotonic(), _FIRST_INTERVAL_S
            else:
                interval = min(interval * 1.5, self.longest_interval_s)
        return run, outcome or "timeout"

    @property
    def elapsed_s(self) -> float:
        return self.clock.monotonic() - self._began

    @property
    def left_s(self) -> float:
        """The time until the timeout; infinite without one."""
        return float("inf") if self.timeout_s is None else self.timeout_s - self.elapsed_s

    def _outcome(self, run: Run) -> Outcome | None:
        outcome = outcome_of(run, self.until)
        return None if outcome == "attention" and _is_check_expected(run) and not self._is_settled(run) else outcome

    def _is_settled(self, run: Run) -> bool:
        """Whether the run has been unchanged for so long that it waits for a person."""
        if self.clock.monotonic() - self._changed_at >= _SETTLED_S:
            return True
        since = run.status_timestamps.get(timestamp_key(run.status))
        return since is not None and self.clock.now() - since > timedelta(minutes=5)  # two machines' clocks

    async def _read(self) -> Run:
        if self._has_stages:
            try:
                return await self.read((*self.include, _TASK_STAGES))
            except BadRequest:
                self._has_stages = False  # an older Terraform Enterprise without task stages
        return await self.read(self.include)

    async def _read_again(self, run: Run) -> Run:
        """The current run, or the given one while the API is unavailable for a short time."""
        found: Run | None = None
        try:
            with anyio.move_on_after(self.left_s + _GRACE_S):
                found = await self._read()
        except TfrunsError as error:
            if not error.is_retryable or self.clock.monotonic() - self._read_at > _OUTAGE_S:
                raise
            self.trouble = error
        if found is None:
            return run
        self._read_at, self.trouble = self.clock.monotonic(), None
        return found
