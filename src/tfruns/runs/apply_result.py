"""The steps of an apply and their outcomes: done, failed, unknown, not started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.client.phase_logs import read_phase, reader
from tfruns.errors import TfrunsError
from tfruns.lifecycle import is_force_canceled
from tfruns.logs.apply_steps import Outcome, Step, Steps, invocations_of, planned_steps_in, steps_in, steps_of
from tfruns.logs.lines import render
from tfruns.masking.secrets import Mask, masked_line
from tfruns.runs.logs import head
from tfruns.runs.plans import open_plan
from tfruns.runs.tolerant import Reads
from tfruns.views.diagnosis import ApplyResult
from tfruns.vocabulary import PhaseStatus
from tfruns.wire.plans import Apply
from tfruns.wire.runs import Run
from tfruns.wording import counted, with_number_of_rest

_MAX_LOG_BYTES = 16_000_000
_MAX_LISTED = 10  # steps of each kind
_PAST = {"create": "created", "update": "updated", "delete": "destroyed", "replace": "replaced", "remove": "forgotten"}
_VERB = {"delete": "destroy", "remove": "forget"}


class StepOutcome(StrEnum):
    """The outcome of a step, as far as it is known."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it started, and the log does not contain its end
    NOT_STARTED = "not_started"
    NOT_IN_LOG = "not_in_log"  # it is unknown whether it started


_OUTCOMES = {Outcome.DONE: StepOutcome.DONE, Outcome.FAILED: StepOutcome.FAILED, Outcome.STARTED: StepOutcome.UNKNOWN}


@dataclass(frozen=True, slots=True)
class ApplySteps:
    """The steps of an apply with their outcomes: those in the log, then the planned ones that are not.

    Attributes:
        steps: the outcome of each step.
        is_plan_known: whether the plan could be read, so that no step is missing.
        is_whole: whether the whole log was read.
        is_orderly: whether Terraform ended the log itself, so that a logged step that is absent did not start.
    """

    steps: Mapping[Step, StepOutcome]
    is_plan_known: bool
    is_whole: bool
    is_orderly: bool

    def of(self, outcome: StepOutcome) -> list[Step]:
        """The steps with this outcome."""
        return [step for step, found in self.steps.items() if found is outcome]

    @property
    def note(self) -> str:
        """What the outcomes mean, and what is not known."""
        notes = []
        if self.of(StepOutcome.UNKNOWN):
            notes.append("Unknown steps started, but the log does not contain their result.")
        if self.of(StepOutcome.FAILED):
            notes.append("A failed step may have made part of its changes.")
        if self.of(StepOutcome.NOT_IN_LOG):
            why = "Terraform does not log forgotten resources" if self.is_orderly else "the log is incomplete"
            notes.append(f"It is unknown whether the steps that are not in the log started: {why}.")
        if not self.is_plan_known:
            notes.append("The plan cannot be read, so that the steps that did not start are unknown.")
        if not self.is_whole:
            notes.append(f"Only the first {counted(_MAX_LOG_BYTES, 'byte')} of the log were read.")
        return " ".join(notes)


async def read_apply_steps(client: Client, run: Run, apply: Apply, reads: Reads) -> ApplySteps | None:
    """The steps of an apply; None if its log cannot be read."""
    found = await reads.one("log of the apply", head(reader(client, apply), _MAX_LOG_BYTES))
    if found is None:
        return None
    data, is_whole = found
    logged, has_errors = await to_thread.run_sync(_read, data)
    planned = await _planned(client, run)
    # Without an error, the log of an unsuccessful apply is incomplete: the process was killed, or its machine failed.
    has_end = has_errors or apply.status == PhaseStatus.FINISHED
    is_orderly = is_whole and has_end and not is_force_canceled(run.status, run.passed)
    steps = {step: _OUTCOMES[outcome] for step, outcome in logged.items()}
    for step in planned or ():
        is_known = is_orderly and step.is_logged
        steps.setdefault(step, StepOutcome.NOT_STARTED if is_known else StepOutcome.NOT_IN_LOG)
    return ApplySteps(steps, planned is not None, is_whole, is_orderly)


async def apply_result(client: Client, run: Run, apply: Apply, reads: Reads, mask: Mask) -> ApplyResult | None:
    """The steps of an apply by outcome; None if its log cannot be read."""
    found = await read_apply_steps(client, run, apply, reads)
    return await to_thread.run_sync(_lists, found, mask) if found is not None else None


def _lists(found: ApplySteps, mask: Mask) -> ApplyResult:
    return ApplyResult(
        done=_listed(found.of(StepOutcome.DONE), mask, is_past=True),
        failed=_listed(found.of(StepOutcome.FAILED), mask),
        unknown=_listed(found.of(StepOutcome.UNKNOWN), mask),
        not_started=_listed(found.of(StepOutcome.NOT_STARTED), mask),
        not_in_log=_listed(found.of(StepOutcome.NOT_IN_LOG), mask),
        note=found.note,
    )


def action_word(step: Step, outcome: StepOutcome) -> str:
    """The action of a step: in the past if it is done."""
    words = _PAST if outcome is StepOutcome.DONE else _VERB
    return words.get(step.action, step.action)


def _read(data: bytes) -> tuple[Steps, bool]:
    """The steps in a log, and whether it contains an error. Steps that an error names have failed."""
    steps = steps_in(data)
    errors = render(data).errors
    failed = {error.address for error in errors}
    for step, outcome in steps.items():
        if outcome is Outcome.STARTED and step.address in failed:
            steps[step] = Outcome.FAILED
    return steps, bool(errors)


async def _planned(client: Client, run: Run) -> list[Step] | None:
    """The steps of the plan, from its JSON or else from its log; None if neither can be read."""
    try:
        async with open_plan(client, run) as plan:
            if plan is not None:
                changes = plan.document.changes
                steps = [step for change in changes for step in steps_of(change.address, change.actions)]
                return steps + invocations_of(invocation.address for invocation in plan.document.invocations)
    except TfrunsError:
        pass  # the log needs less permission
    try:
        phase = await read_phase(client, run, "plan")
        if phase is None or phase.log_read_url is None:
            return None
        data, is_whole = await head(reader(client, phase), _MAX_LOG_BYTES)
    except TfrunsError:
        return None
    return await to_thread.run_sync(planned_steps_in, data) or None if is_whole else None


def _listed(steps: Sequence[Step], mask: Mask, *, is_past: bool = False) -> tuple[str, ...]:
    outcome = StepOutcome.DONE if is_past else StepOutcome.FAILED
    texts = (f"{masked_line(step.address, 120, mask)}: {action_word(step, outcome)}" for step in steps[:_MAX_LISTED])
    return with_number_of_rest(texts, len(steps) - _MAX_LISTED)
