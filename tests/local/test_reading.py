"""An apply waits for who watches the plan, and never for long."""

import threading

import pytest

from tests.support.stdio import PATIENCE_S
from tfruns.local import reading
from tfruns.local.reading import Reading


def waiting(found: Reading, phase_id: str) -> threading.Thread:
    thread = threading.Thread(target=found.wait, args=(phase_id,))
    thread.start()
    return thread


def test_it_goes_on_when_the_log_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_READS_WITHIN_S", 10 * PATIENCE_S)
    monkeypatch.setattr(reading, "_LOOKS_WITHIN_S", 0.0)
    found = Reading()
    thread = waiting(found, "plan-a")
    found.has_ended("plan-b")
    assert thread.is_alive(), "that was another one"
    found.has_ended("plan-a")
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_it_does_not_wait_for_what_was_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_READS_WITHIN_S", 10 * PATIENCE_S)
    monkeypatch.setattr(reading, "_LOOKS_WITHIN_S", 0.0)
    found = Reading()
    found.has_ended("plan-a")
    thread = waiting(found, "plan-a")
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_it_goes_on_when_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_READS_WITHIN_S", 0.0)
    thread = waiting(Reading(), "plan-a")
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
