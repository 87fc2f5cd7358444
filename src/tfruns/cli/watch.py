"""Watching a run until it needs a person or is over, with its log as it grows.

`wait_for_run` tells where the run is and when the wait ends; `LogStream` reads the log as it grows.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import anyio

from tfruns.cli.display import Display, display
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.person import ask
from tfruns.cli.session import Session
from tfruns.cli.step_summary import write_step_summary
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.terminal import can_ask, in_commands, say
from tfruns.errors import TfrunsError
from tfruns.gate.person import Answer
from tfruns.lifecycle import ending_of, is_final, is_planned
from tfruns.runs.log_stream import LogStream
from tfruns.runs.logs import PhaseName, running_phase
from tfruns.tool import View
from tfruns.tools.wait_for_run import MAX_TIMEOUT_S, Until
from tfruns.vocabulary import RunEnding

_FIRST_INTERVAL_S = 0.5
_LONGEST_INTERVAL_S = 3.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What to watch.

    Attributes:
        run_id: the run.
        until: as `wait_for_run` takes it.
        timeout_s: how long at most; without an end where it is None.
        phases: whose logs are shown; None for those that are not over yet.
        is_log_data: the log is what was asked for.
    """

    run_id: str
    until: Until = "attention"
    timeout_s: int | None = None
    phases: tuple[PhaseName, ...] | None = None
    is_log_data: bool = False


async def watch(session: Session, what: Watch) -> View | None:
    """Watch a run, and answer with the result of `wait_for_run`.

    With Ctrl-C the person is asked whether the run is to be canceled. If so it is watched until it is.

    Returns:
        The result; None where the person stopped waiting.

    Raises:
        TfrunsError: the run cannot be read, or cannot be canceled.
    """
    try:
        return await _watched(session, what)
    except asyncio.CancelledError:  # Ctrl-C; a second one is not caught
        task = asyncio.current_task()
        if what.is_log_data or task is None or not can_ask():
            raise
        task.uncancel()
    question = f"Cancel {what.run_id}? Otherwise the waiting ends, and the run goes on."
    if ask(question) is not Answer.YES:
        say(f"The run goes on. To wait on: tfruns run wait {what.run_id}")
        return None
    await session.with_agreement().call("cancel_run", run_id=what.run_id)
    say("Canceling: Terraform stops as safely as it can. Ctrl-C stops waiting for it.")
    return await _watched(session, Watch(what.run_id, "final", what.timeout_s, what.phases))


async def _watched(session: Session, what: Watch) -> View:
    with session.line.shown(f"Reading {what.run_id}"):
        phases = what.phases or await _phases_to_come(session, what.run_id)
    with display(is_log_data=what.is_log_data) as shown:
        log = _Log(session, what.run_id, shown, phases)
        following = asyncio.create_task(log.follow())
        try:
            view = await _wait(session.with_progress(_Telling(shown, log)), what)
            log.finish()
            await following
        finally:
            following.cancel()
            await asyncio.wait([following])
    return view


async def _phases_to_come(session: Session, run_id: str) -> tuple[PhaseName, ...]:
    """The phases that are not over when the watching begins."""
    run = await session.gate.client.runs.read(run_id)
    if is_final(run.status):
        return ()
    passed = [key for key, moment in run.status_timestamps.items() if moment]
    return ("apply",) if is_planned(run.status, passed) else ("plan", "apply")


async def _wait(session: Session, what: Watch) -> View:
    """Wait, as often as it takes: one call has a longest time."""
    left = what.timeout_s
    while True:
        now = MAX_TIMEOUT_S if left is None else min(left, MAX_TIMEOUT_S)
        view = await session.call("wait_for_run", run_id=what.run_id, until=what.until, timeout_s=now)
        left = None if left is None else left - now
        if view["outcome"] != "timeout" or left == 0:
            return view


@dataclass
class _Telling:
    """Tells the display where the run is, and the log which phase is writing."""

    shown: Display
    log: "_Log"

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:  # noqa: ARG002
        """Show the status; the log's last line after it is left to the log."""
        status, _, detail = message.partition(": ")
        phase = running_phase(status)
        self.log.begin(phase)
        self.shown.status(status if phase or not detail else f"{status}: {detail}")


@dataclass
class _Log:
    """The logs of some phases, one after the other, read on as they are written."""

    session: Session
    run_id: str
    shown: Display
    phases: Iterable[PhaseName]
    is_over: anyio.Event = field(default_factory=anyio.Event)
    _news: anyio.Event = field(default_factory=anyio.Event)
    _begun: set[PhaseName] = field(default_factory=set)

    def begin(self, phase: PhaseName | None) -> None:
        """Note that a phase writes its log now."""
        if phase is not None and phase not in self._begun:
            self._begun.add(phase)
            self._news.set()

    def finish(self) -> None:
        """Note that the watching ends: what is there is still shown."""
        self.is_over.set()
        self._news.set()

    async def follow(self) -> None:
        """Show the logs until they are over. What cannot be read is not shown: the run itself is what counts."""
        for phase in self.phases:
            while phase not in self._begun and not self.is_over.is_set():
                self._news = anyio.Event()
                await self._news.wait()
            try:
                await self._show(phase)
            except TfrunsError as error:
                self.shown.status(f"its log cannot be read: {error.message}")

    async def _show(self, phase: PhaseName) -> None:
        """Show the log of a phase to its end, or to what is there when the watching ends."""
        client = self.session.gate.client
        log, interval = LogStream(client, self.run_id, phase), _FIRST_INTERVAL_S
        while not log.is_over:
            was_over = self.is_over.is_set()
            if lines := await log.more():
                self.shown.lines(lines)
                interval = _FIRST_INTERVAL_S
            elif was_over:
                return
            else:
                interval = min(interval * 1.5, _LONGEST_INTERVAL_S)
                await client.clock.wait_for(self.is_over, interval)


_EXIT_CODES = {"attention": ExitCode.NEEDS_PERSON, "planned": ExitCode.DONE, "timeout": ExitCode.STOPPED_WAITING}


async def wait_and_end(session: Session, what: Watch) -> ExitCode:
    """Watch a run, say how it ended, and give the exit code for that.

    Raises:
        TfrunsError: the run cannot be read.
    """
    view = await watch(session, what)
    if view is None:
        return ExitCode.STOPPED_WAITING
    session.show(view, _print)
    await write_step_summary(session, view["id"])
    return exit_code_of(view)


def exit_code_of(view: View) -> ExitCode:
    """The exit code for a result of `wait_for_run`."""
    if view["outcome"] != "final":
        return _EXIT_CODES[view["outcome"]]
    return ExitCode.FAILED if ending_of(view["status"]) is not RunEnding.DONE else ExitCode.DONE


def counts_line(counts: dict[str, int], *, has_changes: bool | None) -> str:
    """The counts of a plan in a few words: 2 to add, 1 to destroy.

    Args:
        counts: of a result of `wait_for_run`.
        has_changes: what the API says of the run; without its word, nothing is claimed.
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
    return f"{number} {one if number == 1 else many}"


_COUNTED = {
    "invoke": ("action to invoke", "actions to invoke"),
    "unknown": ("change that tfruns does not know", "changes that tfruns does not know"),
    "deferred": ("deferred to a later run", "deferred to a later run"),
    "outputs": ("output changes", "outputs change"),
    "drift": ("resource changed outside of Terraform", "resources changed outside of Terraform"),
}


def _print(view: View) -> None:
    print_fields(
        {
            "run": view["id"],
            "status": status_text(view["status"], needs_attention=view["outcome"] == "attention"),
            "workspace": view.get("workspace_name"),
            "plan": counts_line(view["plan"], has_changes=view.get("has_changes")) if view.get("plan") else None,
            "queue": view.get("queue"),
            "may": ", ".join(view.get("allowed_actions", ())) or None,
            "next": in_commands(view["next"]),
            "note": view.get("note"),
            "url": view.get("url"),
        }
    )
