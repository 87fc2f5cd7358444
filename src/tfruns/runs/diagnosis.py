"""Why a run failed, stopped early, or waits: one result from its phases, logs, checks, events and queue."""

import json
from collections.abc import Callable  # noqa: TC003
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any

from anyio import to_thread

from tfruns.checks import is_in_checks
from tfruns.client.client import Client
from tfruns.client.phase_logs import PhaseName, may_have_applied, read_phase, reader
from tfruns.lifecycle import ending_of, is_final
from tfruns.logs.causes import hints_for, interruption_first
from tfruns.logs.diagnostics import Diagnostic, code_lines
from tfruns.logs.lines import render
from tfruns.masking.secrets import Mask, masked_line
from tfruns.masking.text import one_line, sanitize
from tfruns.next_actions import DIAGNOSE_RUN
from tfruns.phases import has_phase_begun, has_phase_failed
from tfruns.runs.apply_result import apply_result
from tfruns.runs.checks import failed_policy_checks, failed_task_stages, failed_tf_policies
from tfruns.runs.endings import with_ending
from tfruns.runs.logs import CHUNK, tail
from tfruns.runs.masks import masker, withheld
from tfruns.runs.tolerant import Reads
from tfruns.runs.workspace_queue import blocked_by, by_itself, since, waiting_for_worker
from tfruns.views.base import as_json, with_texts
from tfruns.views.diagnosis import DiagnosisView, ErrorView, PolicyCheckView
from tfruns.views.runs import next_actions, what_comes_next
from tfruns.vocabulary import CheckStatus, ConfigurationStatus, RunEnding, RunStatus
from tfruns.wire.plans import Apply, Plan
from tfruns.wire.runs import Run
from tfruns.wording import truncated

_MAX_BYTES = 4_600  # of a result, as JSON
_TAIL_BYTES = 4 * CHUNK
_MAX_ERRORS = 5
_MAX_VALUES = 6  # values of expressions in the code of an error


@dataclass(frozen=True, slots=True)
class _Diagnosing:
    """One diagnosis: the run, and the state that its steps share."""

    client: Client
    run: Run
    reads: Reads
    mask: Mask

    async def findings(self, view: DiagnosisView) -> DiagnosisView:
        """The view with the verdict and its reasons."""
        run = self.run
        if is_final(run.status):
            return await self._of_final(view)
        if run.status == RunStatus.PENDING:
            return replace(view, verdict="waiting", waits_for=await blocked_by(self.client, run, self.reads))
        if waits_for := waiting_for_worker(run):
            return replace(view, verdict="waiting", waits_for=waits_for)
        checked = await self._with_checks(view) if is_in_checks(run.status) else view
        if checked != view or run.needs_person:
            return replace(checked, verdict="waiting", waits_for=by_itself(run))
        return replace(view, verdict="in_progress", summary="It is in progress.")

    async def _of_final(self, view: DiagnosisView) -> DiagnosisView:
        ending = ending_of(self.run.status)
        if ending is RunEnding.ABORTED:
            verdict = "discarded" if self.run.status == RunStatus.DISCARDED else "canceled"
            return await self._aborted(replace(view, verdict=verdict))
        if ending is RunEnding.FAILED:
            return await self._failure(replace(view, verdict="failed"))
        return replace(view, verdict="succeeded", summary="It succeeded.")

    async def _aborted(self, view: DiagnosisView) -> DiagnosisView:
        client, run = self.client, self.run
        view = await with_ending(client, run, self.reads, self.mask, view)
        if run.status != RunStatus.DISCARDED and may_have_applied(run):
            apply = await self.reads.one("apply", read_phase(client, run, "apply"))
            if isinstance(apply, Apply) and has_phase_begun(apply.status):
                return await self._with_apply_result(view, apply)
        return view

    async def _with_apply_result(self, view: DiagnosisView, apply: Apply) -> DiagnosisView:
        found = await apply_result(self.client, self.run, apply, self.reads, self.mask)
        return replace(view, apply_result=found)

    # -- what failed --------------------------------------------------------------------------------------------------

    async def _failure(self, view: DiagnosisView) -> DiagnosisView:
        names: tuple[PhaseName, ...] = ("apply", "plan") if may_have_applied(self.run) else ("plan",)
        for name in names:
            phase = await self.reads.one(name, read_phase(self.client, self.run, name))
            if phase is not None and has_phase_failed(phase.status):
                view = await self._with_errors(replace(view, failed_stage=name), name, phase)
                if isinstance(phase, Apply):
                    return await self._with_apply_result(view, phase)
                is_before_apply = not may_have_applied(self.run)
                return replace(view, follows="Final: failed. Nothing was applied.") if is_before_apply else view
        checked = await self._with_checks(view)
        if checked != view:
            return replace(checked, failed_stage="checks between plan and apply")
        return await self._before_plan(view)

    async def _with_errors(self, view: DiagnosisView, name: PhaseName, phase: Plan | Apply) -> DiagnosisView:
        part = await self.reads.one(f"log of the {name}", tail(reader(self.client, phase), _TAIL_BYTES))
        if part is None:
            return view
        return await to_thread.run_sync(_with_errors_in, view, part.from_line_start().data, self.mask)

    async def _with_checks(self, view: DiagnosisView) -> DiagnosisView:
        client, run, reads, mask = self.client, self.run, self.reads, self.mask
        policy_checks = await failed_policy_checks(client, run, reads, mask)
        task_stages = await failed_task_stages(client, run, reads, mask)
        tf_policies = await failed_tf_policies(client, run, reads, mask)
        error = ""
        if run.cost_estimate is not None:
            estimate = await reads.one("cost estimate", client.cost_estimates.read(run.cost_estimate.id))
            if estimate is not None and estimate.status == CheckStatus.ERRORED:
                error = masked_line(estimate.error_message or "it failed", 300, mask)
        return replace(
            view,
            policy_checks=tuple(policy_checks),
            task_stages=tuple(task_stages),
            tf_policies=tuple(tf_policies),
            cost_estimate_error=error,
        )

    async def _before_plan(self, view: DiagnosisView) -> DiagnosisView:
        client, run = self.client, self.run
        if run.configuration_version is not None:
            read = client.configuration_versions.read(run.configuration_version.id)
            version = await self.reads.one("configuration", read)
            if version is not None and version.status == ConfigurationStatus.ERRORED:
                text = version.error_message or version.error or "the configuration could not be fetched or read"
                return replace(view, failed_stage="configuration", summary=masked_line(text, 600, self.mask))
        return replace(
            view,
            failed_stage="unknown",
            summary="No phase, policy or task that can be read explains the failure. The run's page in the browser may "
            "show more.",
        )


async def diagnosis(client: Client, run: Run) -> DiagnosisView:
    """The diagnosis of a run."""
    reads = Reads()
    mask = await reads.one("plan", masker(client, run)) or withheld
    steps = tuple(step for step in next_actions(run) if step.tool != DIAGNOSE_RUN)
    view = DiagnosisView(run.id, str(run.status), since=since(run), follows=what_comes_next(run), next_actions=steps)
    view = await _Diagnosing(client, run, reads, mask).findings(view)
    return _fitting(replace(view, could_not_read=tuple(dict.fromkeys(reads.failed))[:5]))


def _with_errors_in(view: DiagnosisView, data: bytes, mask: Mask) -> DiagnosisView:
    found = render(data)
    errors = interruption_first(found.errors)
    if not errors:
        lines = [line for line in mask("\n".join(found.lines)).splitlines() if line.strip()]
        return replace(
            view,
            summary="The log contains no error. Its last lines are shown.",
            last_lines=tuple(one_line(line, 200) for line in lines[-8:]),
        )
    return replace(
        view,
        errors=tuple(error_view(error, mask) for error in errors[:_MAX_ERRORS]),
        omitted_errors=max(0, len(errors) - _MAX_ERRORS) or None,
        hints=tuple(hints_for(errors)[:3]),
    )


def error_view(error: Diagnostic, mask: Mask) -> ErrorView:
    """The view of an error."""
    return ErrorView(
        summary=masked_line(error.summary, 300, mask),
        detail=truncated(mask(sanitize(error.detail)), 600),
        address=masked_line(error.address, 200, mask),
        where=masked_line(error.where, 200, mask),
        code=truncated(mask("\n".join(code_lines(error))), 400) if error.code else "",
        values=tuple(masked_line(value, 200, mask) for value in error.values[:_MAX_VALUES]),
    )


# -- fitting ----------------------------------------------------------------------------------------------------------


def _fitting(view: DiagnosisView) -> DiagnosisView:
    """Shorten a view to its limit: first without code, then with shorter details, then with fewer items, and finally
    with truncated texts.
    """
    cuts: list[Callable[[DiagnosisView], DiagnosisView]] = [partial(_with_texts_of, length) for length in (80, 40, 16)]
    for shorten in (_without_code, _with_short_details, _with_fewer, *cuts):
        if _size(view) <= _MAX_BYTES:
            break
        view = shorten(view)
    return view


def _size(view: DiagnosisView) -> int:
    return len(json.dumps(as_json(view), ensure_ascii=False, separators=(",", ":")).encode())


def _without_code(view: DiagnosisView) -> DiagnosisView:
    return replace(view, errors=tuple(replace(error, code="", values=()) for error in view.errors))


def _with_short_details(view: DiagnosisView) -> DiagnosisView:
    return replace(view, errors=with_texts(view.errors, lambda text: truncated(text, 200)))


def _with_fewer(value: Any) -> Any:
    """The first three items of every list, and the last three lines of a policy's output."""
    if isinstance(value, PolicyCheckView):
        return replace(value, output=value.output[-3:])
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: _with_fewer(getattr(value, item.name)) for item in fields(value)})
    if not isinstance(value, tuple):
        return value
    is_of_texts = len(value) > 3 and all(isinstance(item, str) for item in value)
    return (*map(_with_fewer, value[:3]), *(("… and more",) if is_of_texts else ()))


def _with_texts_of(length: int, view: DiagnosisView) -> DiagnosisView:
    """The view with all texts truncated. The ids and statuses of the API are shorter than the limit."""
    shortened = with_texts(view, lambda text: truncated(text, 2 * length if text.isascii() else length))
    return replace(shortened, next_actions=view.next_actions)
