"""An apply waits for the client that follows the plan, but not for long."""

import threading

from tests.support.stdio import PATIENCE_S
from tfruns.local.backend import LogReadTracker


def waiting(tracker: LogReadTracker, phase_id: str) -> threading.Thread:
    thread = threading.Thread(target=tracker.wait, args=(phase_id,))
    thread.start()
    return thread


def test_wait_ends_when_the_log_is_read() -> None:
    tracker = LogReadTracker(log_timeout_s=10 * PATIENCE_S, run_delay_s=0.0)
    thread = waiting(tracker, "plan-a")
    tracker.mark_read("plan-b")
    assert thread.is_alive(), "the log of another plan was read"
    tracker.mark_read("plan-a")
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_wait_ends_immediately_for_a_log_read_before() -> None:
    tracker = LogReadTracker(log_timeout_s=10 * PATIENCE_S, run_delay_s=0.0)
    tracker.mark_read("plan-a")
    thread = waiting(tracker, "plan-a")
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_wait_ends_when_no_client_reads() -> None:
    thread = waiting(LogReadTracker(log_timeout_s=0.0), "plan-a")
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
