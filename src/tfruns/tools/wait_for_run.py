"""Wait for a run until it needs a person, is planned, or is final.

The outcome depends on the run itself: its status, its actions, the stages that are still to come. When the time is up,
the wait ends with an answer, not with an error. Canceling the call cancels the wait, not the run.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

import anyio
from anyio import to_thread
from pydantic import Field

from tfruns.arguments import RunId
from tfruns.checks import awaits_override, is_check_expected
from tfruns.client.client import Client
from tfruns.errors import BadRequest, InvalidInput, TfrunsError
from tfruns.lifecycle import is_final, is_planned, is_queued, timestamp_key
from tfruns.logs.lines import last_line
from tfruns.masking.secrets import Mask
from tfruns.masking.text import one_line
from tfruns.next_actions import WAIT_FOR_RUN, Argument, NextAction
from tfruns.policy import Toolset
from tfruns.progress import NoProgress, Progress
from tfruns.runs.logs import Follower, PhaseName, running_phase
from tfruns.runs.masks import masker
from tfruns.runs.plans import plan_counts
from tfruns.runs.workspace_queue import unfinished_before
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import INCLUDE, next_actions, what_comes_next
from tfruns.views.wait import Outcome, WaitView
from tfruns.vocabulary import RunStatus
from tfruns.wire.checks import TaskStage
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

Until = Literal["attention", "planned", "final"]

MAX_TIMEOUT_S = 3_600
_FIRST_INTERVAL_S = 0.5
_LONGEST_INTERVAL_S = 5.0
_SETTLED_S = 10.0  # a run that could continue and has not for this long waits for a person
_OUTAGE_S = 60.0  # how long the API may be away in between; each read of it is repeated for some seconds besides
_GRACE_S = 5.0  # for the last read, beyond the time that was given
_QUEUE_POLLS = 10  # every how many reads the queue is looked at: lists have a rate limit of their own
_SAME_REPORT_S = 10.0
_MAX_LINE = 160


@tool(
    title="Wait for a run",
    toolset=Toolset.RUNS,
    order=100,
    is_read_only=True,
    command="run wait",
    instruction="wait_for_run waits until a run needs a person or is final.",
)
async def wait_for_run(
    context: Context,
    run_id: RunId,
    until: Annotated[Until, Field(description="attention: needs a person, or final")] = "attention",
    timeout_s: Annotated[int, Field(description="0 to 3600")] = 50,
) -> Result[WaitView]:
    """Wait until a run needs a person (confirmation, policy override), is planned, or is final.

    outcome timeout is not an error: call again to keep waiting. Canceling the call stops the wait, not the run.
    """
    if not 0 <= timeout_s <= MAX_TIMEOUT_S:
        raise InvalidInput((Argument("timeout_s"), f" must be between 0 and {MAX_TIMEOUT_S}."))
    waited = await _Wait(context.client, context.progress, run_id, until, float(timeout_s)).finish()
    return Result(partial(_view, context, waited), waited.run.document)


def outcome_of(run: Run, until: Until) -> Outcome | None:
    """How a wait for this ends with the run as it is now; None to wait on."""
    if is_final(run.status):
        return "final"
    if until == "final":
        return None
    if until == "planned" and is_planned(run.status, run.passed):
        return "planned"
    return "attention" if _needs_person(run) else None


def _is_check_expected(run: Run) -> bool:
    return is_check_expected(
        run.status,
        run.passed,
        has_estimate=run.cost_estimate is not None,
        has_policies=bool(run.policy_checks),
        task_stages=[stage.status for stage in _stages(run)],
    )


def _needs_person(run: Run) -> bool:
    return run.needs_person or any(awaits_override(stage.status) for stage in _stages(run))


def _stages(run: Run) -> list[TaskStage]:
    """The included task stages of the run."""
    return [stage for related in run.task_stages if (stage := run.follow(related, TaskStage))]


@dataclass(frozen=True, slots=True)
class _Waited:
    run: Run
    outcome: Outcome
    until: Until
    waited_s: float
    trouble: TfrunsError | None


@dataclass
class _Wait:
    """One wait, from the first read to its outcome."""

    client: Client
    progress: Progress
    run_id: str
    until: Until
    timeout_s: float
    _include: tuple[str, ...] = (*INCLUDE, "task_stages")
    _polls: int = 0
    _queue: str = ""
    _follower: tuple[PhaseName, Follower, Mask] | None = None
    _reported: tuple[str, float] = ("", 0.0)
    _trouble: TfrunsError | None = None
    _began: float = field(init=False)
    _read_at: float = field(init=False)
    _changed_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._read_at = self._changed_at = self.client.clock.monotonic()

    async def finish(self) -> _Waited:
        """Read the run until there is an outcome.

        Raises:
            TfrunsError: the run cannot be read, now or for a minute.
        """
        run = await self._read()
        interval = _FIRST_INTERVAL_S
        while (outcome := self._outcome(run)) is None and self._left_s > 0:
            await self._report(run)
            await self.client.clock.sleep(min(interval, self._left_s))
            before, run = run, await self._read_again(run)
            if run.status != before.status:
                self._changed_at, interval = self._now, _FIRST_INTERVAL_S
            else:
                interval = min(interval * 1.5, _LONGEST_INTERVAL_S)
        return _Waited(run, outcome or "timeout", self.until, round(self._elapsed_s, 1), self._trouble)

    def _outcome(self, run: Run) -> Outcome | None:
        outcome = outcome_of(run, self.until)
        return None if outcome == "attention" and _is_check_expected(run) and not self._is_settled(run) else outcome

    def _is_settled(self, run: Run) -> bool:
        """Whether the run has been unchanged for so long that it waits for a person."""
        if self._now - self._changed_at >= _SETTLED_S:
            return True
        since = run.status_timestamps.get(timestamp_key(run.status))
        return since is not None and self.client.clock.now() - since > timedelta(minutes=5)  # two machines' clocks

    # -- reading ------------------------------------------------------------------------------------------------------

    async def _read(self) -> Run:
        try:
            return await self.client.runs.read(self.run_id, include=self._include)
        except BadRequest:
            if self._include == INCLUDE:
                raise
            self._include = INCLUDE  # an older Terraform Enterprise without task stages
            return await self.client.runs.read(self.run_id, include=INCLUDE)

    async def _read_again(self, run: Run) -> Run:
        """The run as it is now, or as it was as long as the API is away for a while."""
        found: Run | None = None
        try:
            with anyio.move_on_after(self._left_s + _GRACE_S):
                found = await self._read()
        except TfrunsError as error:
            if not error.is_retryable or self._now - self._read_at > _OUTAGE_S:
                raise
            self._trouble = error
        if found is None:
            return run
        self._read_at, self._trouble = self._now, None
        return found

    # -- telling where it is ------------------------------------------------------------------------------------------

    async def _report(self, run: Run) -> None:
        """Report progress after a change, and periodically to show that the wait continues."""
        if isinstance(self.progress, NoProgress):
            return
        message = one_line(f"{run.status}{await self._detail(run)}", 2 * _MAX_LINE)
        reported, at = self._reported
        if message != reported or self._now - at >= _SAME_REPORT_S:
            self._reported = (message, self._now)
            await self.progress.report(message, done=round(self._elapsed_s, 3), total=self.timeout_s or None)

    async def _detail(self, run: Run) -> str:
        if self._trouble:
            return f" (the API does not answer: {one_line(self._trouble.message, _MAX_LINE)})"
        if run.status == RunStatus.PENDING and is_queued(run.operation):
            if self._polls % _QUEUE_POLLS == 0:
                self._queue = await queue_words(self.client, run)
            self._polls += 1
            return f": {self._queue}" if self._queue else ""
        phase = running_phase(run.status)
        line = await self._last_line(run, phase) if phase else ""
        return f": {line}" if line else ""

    async def _last_line(self, run: Run, phase: PhaseName) -> str:
        try:
            with anyio.move_on_after(self._left_s):
                if self._follower is None or self._follower[0] != phase:
                    self._follower = (phase, Follower(self.client, run, phase), await masker(self.client, run))
                _, follower, mask = self._follower
                return await to_thread.run_sync(shown_line, await follower.last_lines(), mask)
        except TfrunsError:
            pass  # the run itself is what counts
        return ""

    # -- time ---------------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return self.client.clock.monotonic()

    @property
    def _elapsed_s(self) -> float:
        return self._now - self._began

    @property
    def _left_s(self) -> float:
        return self.timeout_s - self._elapsed_s


def shown_line(data: bytes, mask: Mask) -> str:
    """The last line of a log, without what must not be shown."""
    return one_line(mask(last_line(data)), _MAX_LINE)


async def queue_words(client: Client, run: Run) -> str:
    """What a pending run waits for, in a few words."""
    workspace = run.follow(run.workspace, Workspace)
    words = []
    try:
        before = len(await unfinished_before(client, run))
        words.append(f"{before} before it in the queue" if before else "next in the queue")
    except TfrunsError:
        pass  # the list has its own rate limit and permission
    if workspace and workspace.current_run and workspace.current_run.id != run.id:
        words.append(f"current run {workspace.current_run.id}")
    if workspace and workspace.locked and not (workspace.locked_by and workspace.locked_by.type == "runs"):
        words.append("the workspace is locked")
    return ", ".join(words)


async def _view(context: Context, waited: _Waited) -> WaitView:
    run = waited.run
    workspace = run.follow(run.workspace, Workspace)
    view = WaitView(
        id=run.id,
        status=str(run.status),
        outcome=waited.outcome,
        waited_s=waited.waited_s,
        allowed_actions=run.allowed_actions,
        follows=what_comes_next(run),
        next_actions=_next_actions(waited),
        auto_apply=run.auto_apply,
        has_changes=run.has_changes,
        plan=await plan_counts(context.client, run),
        workspace_name=workspace.name if workspace else None,
        note=f"The run as it was before the API stopped answering: {waited.trouble.message}" if waited.trouble else "",
    )
    return await _with_progress(context.client, run, view) if waited.outcome == "timeout" else view


async def _with_progress(client: Client, run: Run, view: WaitView) -> WaitView:
    """The view of an unfinished run with its position in the queue, or with the last line of its log."""
    if run.status == RunStatus.PENDING and is_queued(run.operation):
        return replace(view, queue=await queue_words(client, run))
    phase = running_phase(run.status)
    if phase is None:
        return view
    try:
        data = await Follower(client, run, phase).last_lines()
        line = await to_thread.run_sync(shown_line, data, await masker(client, run))
    except TfrunsError:
        return view
    return replace(view, last_log_line=line)


def _next_actions(waited: _Waited) -> tuple[NextAction, ...]:
    if waited.outcome != "timeout":
        return next_actions(waited.run)
    until = {} if waited.until == "attention" else {"until": waited.until}
    return (NextAction.for_run(WAIT_FOR_RUN, waited.run.id, "continues to wait", **until),)
