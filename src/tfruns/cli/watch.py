"""Watching a run, with its log, until it needs a person or is final.

`wait_for_run` reports the status and decides when the wait ends. `LogStream` follows the log.
"""

import asyncio
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from typing import Any

import anyio

from tfruns.cli.display import Display, display
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import NO_JOB, JobOptions
from tfruns.cli.person import ask
from tfruns.cli.session import Session
from tfruns.cli.step_summary import write_ci_report
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.terminal import can_ask, say
from tfruns.client.log_stream import LogStream
from tfruns.client.phase_logs import PhaseName, running_phase
from tfruns.client.run_wait import Until
from tfruns.errors import TfrunsError
from tfruns.gate.person import Answer
from tfruns.lifecycle import ending_of, is_final, is_planned
from tfruns.runs.masks import masker
from tfruns.tools.wait_for_run import MAX_TIMEOUT_S
from tfruns.views.base import shown_time
from tfruns.views.diagnosis import WaitsFor
from tfruns.views.runs import ActionView
from tfruns.views.wait import WaitView
from tfruns.vocabulary import RunEnding
from tfruns.wording import counted

_FIRST_INTERVAL_S = 0.5
_MAX_INTERVAL_S = 3.0


@dataclass(frozen=True, slots=True)
class Watch:
    """The subject and the limits of a watch.

    Attributes:
        run_id: the run.
        until: the condition, as for `wait_for_run`.
        timeout_s: the longest time to wait; None for no limit.
        phases: the phases whose logs are shown; None for those that are not finished.
        is_log_data: the log is the result, and goes to standard output.
        job: the options for a CI job.
    """

    run_id: str
    until: Until = "attention"
    timeout_s: int | None = None
    phases: tuple[PhaseName, ...] | None = None
    is_log_data: bool = False
    job: JobOptions = NO_JOB


async def watch(session: Session, what: Watch) -> WaitView | None:
    """Watch a run, and return the result of `wait_for_run`.

    Ctrl-C asks the person whether to cancel the run. If so, it is watched until it is canceled. Without a terminal, a
    signal stops the wait, or cancels the run if that is requested.

    Returns:
        The result; None if the person stopped waiting.

    Raises:
        TfrunsError: the run cannot be read, or cannot be canceled.
    """
    task = asyncio.current_task()
    with terminated_as_interrupted(task):
        try:
            return await _watched(session, what)
        except asyncio.CancelledError:  # SIGINT or SIGTERM
            if what.is_log_data or task is None:
                raise KeyboardInterrupt from None
            task.uncancel()
        try:
            return await _interrupted(session, what)
        except asyncio.CancelledError:  # a second one
            raise KeyboardInterrupt from None


@contextmanager
def terminated_as_interrupted(task: asyncio.Task[Any] | None) -> Iterator[None]:
    """Treat SIGTERM, with which a CI system ends a job, as Ctrl-C."""
    loop = asyncio.get_running_loop()
    if task is None or os.name != "posix":
        yield
        return
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _interrupted(session: Session, what: Watch) -> WaitView | None:
    """Cancel the run if that is wanted, and wait until it is canceled."""
    question = f"Cancel {what.run_id}? Otherwise tfruns stops waiting, and the run continues."
    is_canceled = what.job.cancel_on_interrupt or (can_ask() and ask(question) is Answer.YES)
    if not is_canceled:
        say(f"The run continues. To resume waiting: {session.command('run', 'wait', what.run_id)}")
        return None
    await session.with_consent().call("cancel_run", ActionView, run_id=what.run_id)
    say(f"Canceling {what.run_id}: Terraform is stopping gracefully. A second Ctrl-C or signal stops waiting.")
    return await _watched(session, replace(what, until="final"))


async def _watched(session: Session, what: Watch) -> WaitView:
    with session.line.shown(f"Reading {what.run_id}"):
        phases = what.phases or await _unfinished_phases(session, what.run_id)
    with display(is_log_data=what.is_log_data) as shown:
        log = RunLogs(session, what.run_id, shown, phases)
        following = asyncio.create_task(log.follow())
        try:
            view = await _wait(session.with_progress(_WatchProgress(shown, log)), what)
            log.finish()
            await following
        finally:
            following.cancel()
            await asyncio.wait([following])
    return view


async def _unfinished_phases(session: Session, run_id: str) -> tuple[PhaseName, ...]:
    """The phases that have not finished when the watch begins."""
    run = await session.gate.client.runs.read(run_id)
    if is_final(run.status):
        return ()
    return ("apply",) if is_planned(run.status, run.passed) else ("plan", "apply")


async def _wait(session: Session, what: Watch) -> WaitView:
    """Call `wait_for_run` repeatedly, because the time of one call is limited."""
    left = what.timeout_s
    while True:
        now = MAX_TIMEOUT_S if left is None else min(left, MAX_TIMEOUT_S)
        view = await session.call("wait_for_run", WaitView, run_id=what.run_id, until=what.until, timeout_s=now)
        left = None if left is None else left - now
        if view.outcome != "timeout" or left == 0:
            return view


@dataclass
class _WatchProgress:
    """Passes the status of the run to the display, and the running phase to the log."""

    shown: Display
    log: "RunLogs"

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:  # noqa: ARG002
        """Show the status, without the last line of the log, which the log itself shows."""
        status, _, detail = message.partition(": ")
        phase = running_phase(status)
        self.log.begin(phase)
        self.shown.status(status if phase or not detail else f"{status}: {detail}")


@dataclass
class RunLogs:
    """The logs of some phases, followed one after the other."""

    session: Session
    run_id: str
    shown: Display
    phases: Iterable[PhaseName]
    is_finished: anyio.Event = field(default_factory=anyio.Event)
    _change: anyio.Event = field(default_factory=anyio.Event)
    _begun: set[PhaseName] = field(default_factory=set)

    def begin(self, phase: PhaseName | None) -> None:
        """Note that a phase writes its log. Earlier phases have finished by then, also unnoticed, and have theirs."""
        if phase is not None and phase not in self._begun:
            self._begun |= {phase, *takewhile(lambda earlier: earlier != phase, self.phases)}
            self._change.set()

    def finish(self) -> None:
        """Note that the watch ends. The log up to now is still shown."""
        self.is_finished.set()
        self._change.set()

    async def follow(self) -> None:
        """Show the logs until they end. A log that cannot be read does not end the watch of the run."""
        for phase in self.phases:
            while phase not in self._begun and not self.is_finished.is_set():
                self._change = anyio.Event()
                await self._change.wait()
            try:
                await self._show(phase)
            except TfrunsError as error:
                self.shown.status(f"The log cannot be read: {error.message}")

    async def _show(self, phase: PhaseName) -> None:
        """Show the log of a phase until it ends, or until the watch ends."""
        client = self.session.gate.client
        log, interval = LogStream(client, self.run_id, phase, partial(masker, client)), _FIRST_INTERVAL_S
        while not log.is_over:
            was_finished = self.is_finished.is_set()
            if lines := await log.more():
                self.shown.lines(lines)
                interval = _FIRST_INTERVAL_S
            elif was_finished:
                return
            else:
                interval = min(interval * 1.5, _MAX_INTERVAL_S)
                await client.clock.wait_for(self.is_finished, interval)


_EXIT_CODES = {"attention": ExitCode.NEEDS_PERSON, "planned": ExitCode.DONE, "timeout": ExitCode.STOPPED_WAITING}


async def watch_and_report(session: Session, what: Watch) -> ExitCode:
    """Watch a run, print the result, and return the exit code for it.

    Raises:
        TfrunsError: the run cannot be read.
    """
    view = await watch(session, what)
    if view is None:
        return ExitCode.STOPPED_WAITING
    session.show(view, partial(_print, session))
    await write_ci_report(session, view.id, outcome=view.outcome, summary_file=what.job.summary_file)
    return exit_code_of(view)


def exit_code_of(view: WaitView) -> ExitCode:
    """The exit code for a result of `wait_for_run`."""
    if view.outcome != "final":
        return _EXIT_CODES[view.outcome]
    return ExitCode.FAILED if ending_of(view.status) is not RunEnding.DONE else ExitCode.DONE


def counts_line(counts: Mapping[str, int], *, has_changes: bool | None) -> str:
    """The counts of a plan: `2 to add, 1 to destroy`.

    Args:
        counts: the counts in a result of `wait_for_run`.
        has_changes: whether the plan has changes; None if the API does not report it.
    """
    found = ", ".join(_counted(name, number) for name, number in counts.items() if number)
    if has_changes is False:
        return f"nothing to apply ({found})" if found else "no changes"
    if found:
        return found
    if has_changes:
        return "changes that the API does not count"
    return "no changes that the API counts"


def _counted(name: str, number: int) -> str:
    one, many = _COUNTED.get(name, (f"to {name}", f"to {name}"))
    return counted(number, one, many)


_COUNTED = {
    "invoke": ("action to invoke", "actions to invoke"),
    "unknown": ("change that tfruns does not know", "changes that tfruns does not know"),
    "deferred": ("deferred to a later run", "deferred to a later run"),
    "outputs": ("output change", "output changes"),
    "drift": ("resource changed outside of Terraform", "resources changed outside of Terraform"),
}


def _print(session: Session, view: WaitView) -> None:
    print_fields(
        {
            "run": view.id,
            "status": status_text(view.status, needs_attention=view.outcome == "attention"),
            "workspace": view.workspace_name,
            "plan": counts_line(view.plan, has_changes=view.has_changes) if view.plan else None,
            "queue": view.queue or None,
            "blocked by": _blocking(view.blocked_by) if view.blocked_by else None,
            "allowed": ", ".join(view.allowed_actions) or None,
            "next": session.next_text(view.follows, view.next_actions),
            "note": view.note or None,
        }
    )


def _blocking(waits: WaitsFor) -> str:
    """The obstacle that only a person can remove, in one line."""
    lock = f"the lock of {waits.locked_by}" if waits.locked_by else ""
    since = f" since {shown_time(waits.locked_since)}" if waits.locked_since else ""
    reason = f" ({waits.lock_reason})" if waits.lock_reason else ""
    other = f"{waits.held_by.id}, which is {waits.held_by.status}" if waits.held_by else ""
    return f"{lock}{since}{reason}{other}" or waits.freed_by
