"""The steps of an apply as rows: what it did, and did not do, to each resource."""

from collections import Counter

from anyio import to_thread

from tfruns.apply_stage import effect_of
from tfruns.client.client import Client
from tfruns.client.phase_logs import may_have_applied, read_phase
from tfruns.errors import InvalidInput, NotFound
from tfruns.logs.apply_steps import Step
from tfruns.masking.secrets import Mask, masked_line
from tfruns.next_actions import Argument
from tfruns.phases import has_phase_begun
from tfruns.runs.apply_result import ApplySteps, StepOutcome, action_word, read_apply_steps
from tfruns.runs.masks import masker
from tfruns.runs.tolerant import Reads
from tfruns.views.review import ApplyStepRow, ApplyStepsView
from tfruns.wire.plans import Apply
from tfruns.wire.runs import Run
from tfruns.wording import counted

_ADDRESS = 300  # characters
_ORDER = [StepOutcome.FAILED, StepOutcome.UNKNOWN, StepOutcome.NOT_STARTED, StepOutcome.NOT_IN_LOG, StepOutcome.DONE]


async def apply_rows(client: Client, run: Run, *, filter_text: str, number: int, size: int) -> ApplyStepsView:
    """A page of the steps of a run's apply, failed ones first.

    Args:
        client: the API.
        run: the run.
        filter_text: an outcome, or a part of an address; empty for all.
        number: the page, from 1.
        size: rows per page.

    Raises:
        NotFound: the log of the apply cannot be read.
        InvalidInput: the page does not exist.
    """
    empty = ApplyStepsView(run.id, str(run.status))
    apply = await read_phase(client, run, "apply") if may_have_applied(run) else None
    if not isinstance(apply, Apply) or not has_phase_begun(apply.status):
        note = effect_of(run.status, run.passed) or "The apply has not started: nothing was applied."
        return ApplyStepsView(run.id, str(run.status), note=note)
    reads = Reads()
    found = await read_apply_steps(client, run, apply, reads)
    if found is None:
        raise NotFound(f"The apply of {run.id} cannot be determined: {'; '.join(reads.failed)}")
    mask = await masker(client, run)
    return await to_thread.run_sync(_page, empty, found, mask, filter_text.strip(), number, size)


def _page(
    empty: ApplyStepsView, found: ApplySteps, mask: Mask, filter_text: str, number: int, size: int
) -> ApplyStepsView:
    steps = sorted(found.steps.items(), key=lambda item: _ORDER.index(item[1]))
    shown = [item for item in steps if _is_selected(item, filter_text)]
    first = (number - 1) * size
    if number > 1 and first >= len(shown):
        pages = counted(max(1, -(-len(shown) // size)), "page")
        raise InvalidInput((Argument("page_number"), f" is too large: the list has {pages}."))
    counts = Counter(outcome.value for outcome in found.steps.values())
    return ApplyStepsView(
        run_id=empty.run_id,
        status=empty.status,
        counts={outcome.value: counts[outcome.value] for outcome in _ORDER if counts[outcome.value]},
        rows=tuple(
            ApplyStepRow(masked_line(step.address, _ADDRESS, mask), action_word(step, outcome), outcome.value)
            for step, outcome in shown[first : first + size]
        ),
        page=number,
        next_page=number + 1 if first + size < len(shown) else None,
        total_rows=len(shown),
        note=found.note,
    )


def _is_selected(item: tuple[Step, StepOutcome], filter_text: str) -> bool:
    step, outcome = item
    return not filter_text or filter_text == outcome.value or filter_text.casefold() in step.address.casefold()
