"""The parts of one local backend, which every rule and every route receives."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tfruns.local.queue import Priority
from tfruns.local.store.database import Database
from tfruns.local.store.objects import Objects
from tfruns.local.token_cache import TokenCache

_MAX_TRACKED_LOGS = 1000


class Dispatcher(Protocol):
    """Queues phases for execution."""

    def dispatch(self, run_id: str, phase: str, priority: Priority) -> None:
        """Queue a phase. It is executed once, however often it is dispatched."""
        ...


class LogReadTracker:
    """The plan logs that a client recently read to the end, so that an apply can wait for the client that follows it.

    The Terraform CLI prints neither the plan nor the error of a run that has failed by the time it has read the plan's
    log (internal/cloud, `renderPlanLogs`), and it polls only once or twice a second. HCP Terraform takes seconds
    between plan and apply. Here, without this wait, an apply that fails immediately would fail without a message.

    Args:
        log_timeout_s: how long to wait for a client that reads the log.
        run_delay_s: how long to wait afterwards, while that client reads the run and the plan.
    """

    def __init__(self, *, log_timeout_s: float = 3.0, run_delay_s: float = 0.5) -> None:
        self._log_timeout_s = log_timeout_s
        self._run_delay_s = run_delay_s
        self._reads: deque[tuple[str, float]] = deque(maxlen=_MAX_TRACKED_LOGS)
        self._changed = threading.Condition()

    def mark_read(self, phase_id: str) -> None:
        """Record that a client has read the log of a phase to the end."""
        with self._changed:
            self._reads.append((phase_id, time.monotonic()))
            self._changed.notify_all()

    def wait(self, phase_id: str) -> None:
        """Wait for a client to read the log of a phase, and then the run; no longer than the timeouts."""
        with self._changed:
            self._changed.wait_for(lambda: self._read_at(phase_id) is not None, self._log_timeout_s)
            read_at = self._read_at(phase_id)
            if read_at is not None:
                remaining_s = read_at + self._run_delay_s - time.monotonic()
                self._changed.wait_for(lambda: False, max(0.0, remaining_s))

    def _read_at(self, phase_id: str) -> float | None:
        return next((at for id_, at in self._reads if id_ == phase_id), None)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Backend:
    """The parts of one backend.

    Attributes:
        database: the tables.
        objects: the files: configurations, logs, plans, states.
        dispatcher: queues the phases of runs.
        terraform_version: the version of the installed Terraform.
        force_cancel_after: the cool-off between a cancel and a force-cancel.
        now: the clock.
        log_reads: the plan logs that clients have read to the end.
        tokens: a cache of API tokens.
    """

    database: Database
    objects: Objects
    dispatcher: Dispatcher
    terraform_version: str
    force_cancel_after: timedelta = timedelta(seconds=10)
    now: Callable[[], datetime] = field(default=_now)
    log_reads: LogReadTracker = field(default_factory=LogReadTracker)
    tokens: TokenCache = field(default_factory=TokenCache)
