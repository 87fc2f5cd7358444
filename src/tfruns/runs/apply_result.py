"""The steps of an unsuccessful apply: done, failed, unknown, not started."""

from collections.abc import Iterable
from dataclasses import replace

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
from tfruns.wire.plans import Apply
from tfruns.wire.runs import Run
from tfruns.wording import counted, with_number_of_rest

_MAX_LOG_BYTES = 16_000_000
_MAX_LISTED = 10  # steps of each kind
_PAST = {"create": "created", "update": "updated", "delete": "destroyed", "replace": "replaced", "remove": "forgotten"}
_VERB = {"delete": "destroy", "remove": "forget"}


async def apply_result(client: Client, run: Run, apply: Apply, reads: Reads, mask: Mask) -> ApplyResult | None:
    """The steps of an apply by outcome; None if its log cannot be read."""
    found = await reads.one("log of the apply", head(reader(client, apply), _MAX_LOG_BYTES))
    if found is None:
        return None
    data, is_whole = found
    steps, has_errors = await to_thread.run_sync(_read, data)
    planned = await _planned(client, run)
    # A log without an error is incomplete: the process was killed, or its machine failed.
    is_orderly = is_whole and has_errors and not is_force_canceled(run.status, run.passed)
    view = await to_thread.run_sync(_lists, steps, planned, is_orderly, mask)
    return replace(view, note=_note(view, is_known=planned is not None, is_whole=is_whole, is_orderly=is_orderly))


def _lists(steps: Steps, planned: list[Step] | None, is_orderly: bool, mask: Mask) -> ApplyResult:
    absent = [step for step in planned or () if step not in steps]
    return ApplyResult(
        done=_listed((s for s, outcome in steps.items() if outcome is Outcome.DONE), mask, is_past=True),
        failed=_listed((s for s, outcome in steps.items() if outcome is Outcome.FAILED), mask),
        unknown=_listed((s for s, outcome in steps.items() if outcome is Outcome.STARTED), mask),
        not_started=_listed((step for step in absent if is_orderly and step.is_logged), mask),
        not_in_log=_listed((step for step in absent if not (is_orderly and step.is_logged)), mask),
    )


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


def _listed(steps: Iterable[Step], mask: Mask, *, is_past: bool = False) -> tuple[str, ...]:
    found = list(steps)
    texts = (
        f"{masked_line(step.address, 120, mask)}: "
        f"{_PAST.get(step.action, step.action) if is_past else _VERB.get(step.action, step.action)}"
        for step in found[:_MAX_LISTED]
    )
    return with_number_of_rest(texts, len(found) - _MAX_LISTED)


def _note(view: ApplyResult, *, is_known: bool, is_whole: bool, is_orderly: bool) -> str:
    notes = []
    if view.unknown:
        notes.append("Unknown steps started, but the log does not contain their result.")
    if view.failed:
        notes.append("A failed step may have made part of its changes.")
    if view.not_in_log:
        why = "Terraform does not log forgotten resources" if is_orderly else "the log is incomplete"
        notes.append(f"It is unknown whether the steps that are not in the log started: {why}.")
    if not is_known:
        notes.append("The plan cannot be read, so that the steps that did not start are unknown.")
    if not is_whole:
        notes.append(f"Only the first {counted(_MAX_LOG_BYTES, 'byte')} of the log were read.")
    return " ".join(notes)
