"""Wait for a run until it needs a person, is planned, or is final.

At the timeout, the tool returns a result, not an error. Canceling the call cancels the wait, not the run.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import anyio
from anyio import to_thread
from pydantic import Field

from tfruns.arguments import RunId
from tfruns.client.client import Client
from tfruns.client.phase_logs import PhaseName, running_phase
from tfruns.client.run_wait import Outcome, RunWait, Until, needs_person
from tfruns.errors import InvalidInput, TfrunsError
from tfruns.lifecycle import is_queued
from tfruns.logs.lines import last_line
from tfruns.masking.secrets import Mask
from tfruns.masking.text import one_line
from tfruns.next_actions import DIAGNOSE_RUN, REVIEW_RUN, WAIT_FOR_RUN, Argument, NextAction
from tfruns.policy import Toolset
from tfruns.progress import NoProgress, Progress
from tfruns.runs.logs import Follower
from tfruns.runs.masks import masker
from tfruns.runs.plans import plan_counts
from tfruns.runs.tolerant import Reads
from tfruns.runs.workspace_queue import blocked_by, by_itself
from tfruns.tool import Context, Result, tool
from tfruns.views.diagnosis import WaitsFor
from tfruns.views.runs import INCLUDE, next_actions, what_comes_next
from tfruns.views.wait import WaitView
from tfruns.vocabulary import RunStatus
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

MAX_TIMEOUT_S = 3_600
_QUEUE_POLLS = 10  # reads of the run per read of the queue: lists have a lower rate limit
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

    outcome timeout is not an error: call again to keep waiting, unless blocked_by names something that only a person
    can resolve. Canceling the call stops the wait, not the run.
    """
    if not 0 <= timeout_s <= MAX_TIMEOUT_S:
        raise InvalidInput((Argument("timeout_s"), f" must be between 0 and {MAX_TIMEOUT_S}."))
    client = context.client

    def read(include: Sequence[str]) -> Awaitable[Run]:
        return client.runs.read(run_id, include=include)

    wait = RunWait(read, client.clock, until, float(timeout_s), INCLUDE)
    run, outcome = await wait.finish(_Reports(client, context.progress, wait).report)
    waited = _Waited(run, outcome, until, round(wait.elapsed_s, 1), wait.trouble)
    return Result(partial(_view, context, waited), run.document)


@dataclass(frozen=True, slots=True)
class _Waited:
    run: Run
    outcome: Outcome
    until: Until
    waited_s: float
    trouble: TfrunsError | None


@dataclass
class _Reports:
    """Reports the progress of a wait: the status of the run, its position in the queue, the last line of its log."""

    client: Client
    progress: Progress
    wait: RunWait
    _polls: int = 0
    _queue: str = ""
    _follower: tuple[PhaseName, Follower, Mask] | None = None
    _reported: tuple[str, float] = ("", 0.0)

    async def report(self, run: Run) -> None:
        """Report progress after a change, and periodically to show that the wait continues."""
        if isinstance(self.progress, NoProgress):
            return
        message = one_line(f"{run.status}{await self._detail(run)}", 2 * _MAX_LINE)
        now = self.client.clock.monotonic()
        reported, at = self._reported
        if message != reported or now - at >= _SAME_REPORT_S:
            self._reported = (message, now)
            done = round(self.wait.elapsed_s, 3)
            await self.progress.report(message, done=done, total=self.wait.timeout_s or None)

    async def _detail(self, run: Run) -> str:
        if self.wait.trouble:
            return f" (the API does not respond: {one_line(self.wait.trouble.message, _MAX_LINE)})"
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
            with anyio.move_on_after(self.wait.left_s):
                if self._follower is None or self._follower[0] != phase:
                    self._follower = (phase, Follower(self.client, run, phase), await masker(self.client, run))
                _, follower, mask = self._follower
                return await to_thread.run_sync(shown_line, await follower.last_lines(), mask)
        except TfrunsError:
            pass  # the wait needs only the run
        return ""


def shown_line(data: bytes, mask: Mask) -> str:
    """The last line of a log, with secrets masked."""
    return one_line(mask(last_line(data)), _MAX_LINE)


async def queue_words(client: Client, run: Run) -> str:
    """What blocks a pending run, in a few words."""
    return _queue_text(await blocked_by(client, run, Reads()))


def _queue_text(waits: WaitsFor) -> str:
    words: list[str] = []
    if waits.position is not None:
        words.append(f"{waits.position - 1} before it in the queue" if waits.position > 1 else "next in the queue")
    if waits.held_by is not None:
        person = ", which waits for a person" if waits.needs_person else ""
        words.append(f"current run {waits.held_by.id}{person}")
    if waits.locked_by:
        words.append(f"the workspace is locked by {waits.locked_by}")
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
        auto_apply=None if waited.outcome == "final" else run.auto_apply,
        has_changes=run.has_changes,
        plan=await plan_counts(context.client, run),
        workspace_name=workspace.name if workspace else None,
        note=f"The run as it was before the API stopped responding: {waited.trouble.message}" if waited.trouble else "",
    )
    return await _with_progress(context.client, waited, view) if waited.outcome == "timeout" else view


async def _with_progress(client: Client, waited: _Waited, view: WaitView) -> WaitView:
    """The view of an unfinished run with what blocks it, its position in the queue, or the last line of its log."""
    run = waited.run
    if needs_person(run):
        return replace(view, blocked_by=by_itself(run), next_actions=_steps(run))
    if run.status == RunStatus.PENDING and is_queued(run.operation):
        waits = await blocked_by(client, run, Reads())
        view = replace(view, queue=_queue_text(waits))
        return replace(view, blocked_by=waits, next_actions=_unblocking(waits)) if waits.needs_person else view
    phase = running_phase(run.status)
    if phase is None:
        return view
    try:
        data = await Follower(client, run, phase).last_lines()
        line = await to_thread.run_sync(shown_line, data, await masker(client, run))
    except TfrunsError:
        return view
    return replace(view, last_log_line=line)


def _unblocking(waits: WaitsFor) -> tuple[NextAction, ...]:
    """The call that shows what a person has to decide about another run."""
    if waits.held_by is None:
        return ()
    tool = REVIEW_RUN if "applying" in waits.freed_by else DIAGNOSE_RUN
    return (NextAction.for_run(tool, waits.held_by.id, "shows what a person has to decide"),)


def _steps(run: Run) -> tuple[NextAction, ...]:
    """The calls that follow for a run, which may wait for a person in a task stage only."""
    if needs_person(run) and not run.needs_person:
        return (NextAction.for_run(DIAGNOSE_RUN, run.id, "shows what has to be decided"),)
    return next_actions(run)


def _next_actions(waited: _Waited) -> tuple[NextAction, ...]:
    if waited.outcome != "timeout":
        return _steps(waited.run)
    until = {} if waited.until == "attention" else {"until": waited.until}
    return (NextAction.for_run(WAIT_FOR_RUN, waited.run.id, "continues to wait", **until),)
