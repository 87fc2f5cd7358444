"""The demonstration that the documents show is the one that runs."""

import re

import pytest

from record_demo import record
from tests.architecture.source import ROOT
from transcript import excerpt, recorded, shape

_RECORDED = recorded((ROOT / "docs" / "demonstration.md").read_text(encoding="utf-8"))


@pytest.mark.processes
def test_what_was_recorded_has_the_shape_of_a_demonstration_of_today() -> None:
    assert shape(record()) == shape(_RECORDED), "record it anew: scripts/record_demo.py, then scripts/generate_docs.py"


def test_what_was_recorded_shows_no_directory_and_no_address_but_loopback() -> None:
    assert re.findall(r"(?<![\w:/])/[a-z]+/", re.sub(r"https?://\S+", "", _RECORDED)) == []
    assert set(re.findall(r"https?://([^/:\s]+)", _RECORDED)) == {"127.0.0.1"}


def test_the_shape_knows_parts_calls_and_fields_and_neither_ids_nor_times() -> None:
    first = (
        '== A part ==\n> get(id="run-0123456789abcdef")\n    status: planning\n    created_at: 10:00\n    next: Wait.'
    )
    other = '== A part ==\n> get(id="run-fedcba9876543210")\n    status: planned\n    created_at: 11:00'
    assert shape(first) == shape(other) == ["== A part ==", '> get(id="run-…")', "    status", "    created_at"]
    assert shape(first) != shape(first.replace("status", "state"))


def test_an_excerpt_needs_its_part() -> None:
    with pytest.raises(ValueError, match="no part"):
        excerpt("== Another part ==\n> get()")
