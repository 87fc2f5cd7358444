"""Durations as people write them."""

import pytest

from tests.support.tables import rows
from tfruns.durations import parse_duration


@rows(
    ("text", "unit", "seconds"),
    [
        ("0", "s", 0),
        ("90", "s", 90),
        ("30", "d", 30 * 86_400),
        ("90s", "d", 90),
        ("5m", "s", 300),
        ("5M", "s", 300),
        ("1h30", "s", 5_400),
        ("1h30m", "s", 5_400),
        ("1h 30m", "s", 5_400),
        ("1h30s", "s", 3_630),
        ("2m30", "s", 150),
        ("1d12", "s", 129_600),
        ("1w", "s", 604_800),
        ("1.5h", "s", 5_400),
        ("0.5", "s", 0.5),
        ("2 days", "s", 172_800),
        (" 1 hour 5 min ", "s", 3_900),
    ],
)
def test_duration_is_read_as_written(text: str, unit: str, seconds: float) -> None:
    assert parse_duration(text, unit) == seconds


@rows(
    "text",
    [
        "",
        " ",
        "m",
        "x",
        "5x",
        "-5",
        "-5m",
        "5m5m",
        "5m1h",
        "1 2",
        "5s5",
        "1h30 5",
        "٣m",
        "1e3",
        "101 w w",
        "5300w",
        "nan",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="A duration is a number with a unit"):
        parse_duration(text)
