"""The timeline of a run: its statuses in order, with start and duration."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tfruns.cli.moments import moment_text
from tfruns.cli.terminal import Styled, elapsed
from tfruns.lifecycle import RULES
from tfruns.masking.text import sanitize
from tfruns.views.history import TimelineStep

_ORDER = {str(status): index for index, status in enumerate(RULES)}


def timeline_lines(steps: Sequence[TimelineStep]) -> list[Styled]:
    """A line for each status.

    Args:
        steps: status, time and duration of each step, as in `get_run_history`. The last step of a final run has no
            duration.
    """
    moments = [moment_text(step.at) for step in steps]
    width = max(map(len, moments), default=0)
    lines = []
    for index, step in enumerate(steps):
        is_last = index + 1 == len(steps)
        took = step.duration_s
        duration = "" if took is None else f"  {elapsed(took)}{' so far' if is_last else ''}"
        mark = "●" if is_last else "│"
        text = f"{mark} {moments[index]:<{width}}  {sanitize(step.status)}{duration}"
        lines.append(Styled(text, style="bold" if is_last else "dim"))
    return lines


def steps(moments: Mapping[str, datetime], now: datetime | None) -> list[TimelineStep]:
    """The steps of a run from the timestamps of its statuses, as in `get_run_details`.

    Args:
        moments: the start times by status.
        now: the end of the last step; None if the run is final.
    """
    reached = sorted(
        ((moment.replace(microsecond=0), status) for status, moment in moments.items()),
        key=lambda step: (step[0], _ORDER.get(step[1], -1)),  # timestamps are whole seconds
    )
    ends: list[datetime | None] = [*(moment for moment, _ in reached[1:]), now]
    return [
        TimelineStep(status, began, max(0, round((end - began).total_seconds())) if end else None)
        for (began, status), end in zip(reached, ends, strict=False)
    ]
