"""The timeline of a run, and durations for people."""

from datetime import UTC, datetime

from tests.support.tables import rows
from tfruns.cli.run.timeline import steps, timeline_lines
from tfruns.cli.terminal import elapsed


@rows(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3_599, "59 min 59 s"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_elapsed_uses_suitable_units(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_timeline_is_ordered_by_time_and_then_by_lifecycle() -> None:
    moments = {
        "planned": datetime(2026, 1, 1, 10, 0, 2, tzinfo=UTC),
        "planning": datetime(2026, 1, 1, 10, 0, 2, tzinfo=UTC),
        "plan_queued": datetime(2026, 1, 1, 10, 0, tzinfo=UTC),
    }
    lines = list(timeline_lines(steps(moments, datetime(2026, 1, 1, 10, 1, 7, tzinfo=UTC))))
    assert lines == [
        "│ 2026-01-01T10:00:00Z  plan_queued  2 s",
        "│ 2026-01-01T10:00:02Z  planning  0 s",
        "● 2026-01-01T10:00:02Z  planned  1 min 5 s so far",
    ]
    assert (
        timeline_lines(steps({"applied": datetime(2026, 1, 1, 10, 0, tzinfo=UTC)}, None))[0]
        == "● 2026-01-01T10:00:00Z  applied"
    )
