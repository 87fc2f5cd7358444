"""Times, as a person reads them."""

from datetime import UTC, datetime

from tests.support.tables import rows
from tfruns.cli.run.timeline import drawn, steps
from tfruns.cli.terminal import elapsed


@rows(
    ("seconds", "text"), [(0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3_599, "59 min 59 s"), (3_660, "1 h 1 min")]
)
def test_a_time_is_said_in_fitting_units(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_the_timeline_is_in_the_order_of_time_and_of_the_lifecycle_within_a_second() -> None:
    moments = {
        "planned": "2026-01-01T10:00:02Z",
        "planning": "2026-01-01T10:00:02Z",
        "plan_queued": "2026-01-01T10:00:00Z",
    }
    lines = list(drawn(steps(moments, datetime(2026, 1, 1, 10, 1, 7, tzinfo=UTC))))
    assert lines == [
        "│ 2026-01-01 10:00:00  plan_queued  2 s",
        "│ 2026-01-01 10:00:02  planning  0 s",
        "● 2026-01-01 10:00:02  planned  1 min 5 s so far",
    ]
    assert drawn(steps({"applied": "2026-01-01T10:00:00Z"}, None))[0] == "● 2026-01-01 10:00:00  applied"
