"""The recorded demo in the documentation matches the demo."""

import re

import pytest

from record_demo import record
from tests.architecture.source import ROOT
from transcript import outline, recording

_RECORDED = recording((ROOT / "docs" / "demonstration.md").read_text(encoding="utf-8"))


@pytest.mark.processes
def test_recording_is_current() -> None:
    assert outline(record()) == outline(_RECORDED), "Outdated: run scripts/record_demo.py."


def test_recording_contains_only_loopback_urls_and_no_local_path() -> None:
    assert re.findall(r"(?<![\w:/])/[a-z]+/", re.sub(r"https?://\S+", "", _RECORDED)) == []
    assert set(re.findall(r"https?://([^/:\s]+)", _RECORDED)) == {"127.0.0.1"}


def test_outline_contains_headings_calls_and_fields_only() -> None:
    call = '== A section ==\n> get(id="run-0123456789abcdef")'
    first = f"{call}\n    status: planning\n    created_at: 10:00\n    follows: Wait."
    other = '== A section ==\n> get(id="run-fedcba9876543210")\n    status: planned\n    created_at: 11:00'
    assert outline(first) == outline(other) == ["== A section ==", '> get(id="run-…")', "    status", "    created_at"]
    assert outline(first) != outline(first.replace("status", "state"))
