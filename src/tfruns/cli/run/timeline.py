"""The timeline of a run, drawn: its statuses in their order, when each began, and how long it took."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tfruns.cli.terminal import Styled, elapsed
from tfruns.lifecycle import RULES
from tfruns.masking.text import sanitize
from tfruns.tool import View

_ORDER = {str(status): place for place, status in enumerate(RULES)}


def drawn(steps: Sequence[View]) -> list[Styled]:
    """A line for each status.

    Args:
        steps: status, time and duration of each, as `get_run_history` gives them; the last has no duration where the
            run is final.
    """
    lines = []
    for index, step in enumerate(steps):
        is_last = index + 1 == len(steps)
        took = step.get("duration_s")
        said = "" if took is None else f"  {elapsed(took)}{' so far' if is_last else ''}"
        mark = "●" if is_last else "│"
        text = f"{mark} {_moment(step['at'])}  {sanitize(step['status'])}{said}"
        lines.append(Styled(text, style="bold" if is_last else "dim"))
    return lines


def steps(moments: Mapping[str, str], now: datetime | None) -> list[View]:
    """The steps of a run from its statuses and when each began, as `get_run_details` gives them.

    Args:
        moments: the times by status.
        now: until when the last has lasted; None where it is final.
    """
    reached = sorted(
        ((datetime.fromisoformat(moment), status) for status, moment in moments.items()),
        key=lambda step: (step[0], _ORDER.get(step[1], -1)),  # the times are whole seconds
    )
    ends: list[datetime | None] = [*(moment for moment, _ in reached[1:]), now]
    return [
        {"status": status, "at": began.isoformat()}
        | ({"duration_s": max(0, round((end - began).total_seconds()))} if end else {})
        for (began, status), end in zip(reached, ends, strict=False)
    ]


def _moment(at: Any) -> str:
    """The time in UTC, as the tools give it, without what makes it long."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}"
