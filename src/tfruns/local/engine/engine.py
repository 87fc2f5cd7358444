"""The engine of a backend: starts the workers, resumes unfinished phases, dispatches phases, and stops."""

import logging
import secrets
from datetime import timedelta

from tfruns.local.backend import Backend
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.engine.cancel import StopSignal
from tfruns.local.engine.housekeeping import Housekeeping
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.phase_queue import PhaseQueue
from tfruns.local.engine.resume import resume
from tfruns.local.engine.threads import ThreadQueue
from tfruns.local.engine.worker import Worker
from tfruns.local.queue import Priority
from tfruns.local.store.claim import Claim

_log = logging.getLogger(__name__)

_INTERRUPT_TIMEOUT_S = 60.0  # Terraform completes its current operations; after this it is killed, its state is kept
_KILL_TIMEOUT_S = 30.0


class Engine:
    """Executes the phases of a backend. It implements `Dispatcher`.

    Args:
        url: the URL of the PostgreSQL database that contains the queue; None for a queue in this process.
        workers: the number of phases that are executed in parallel.
    """

    def __init__(self, url: str | None, *, workers: int) -> None:
        self._boot_id = secrets.token_hex(8)
        self._queue = _queue(url, self._boot_id, workers)
        self._stop_signal = StopSignal()
        self._worker: Worker | None = None
        self._housekeeping: Housekeeping | None = None

    def dispatch(self, run_id: str, phase: str, priority: Priority) -> None:
        """Queue a phase for the next free worker."""
        self._queue.dispatch(run_id, phase, priority)

    def start(self, backend: Backend, config: ExecutionConfig, *, keep: timedelta | None, claim: Claim) -> None:
        """Start the workers, and dispatch the phases that were queued or running when the last server stopped.

        Args:
            backend: the backend.
            config: the configuration of the execution.
            keep: how long the logs and plans of finished runs are kept; None for no limit.
            claim: the claim on the database. No phase starts while it is lost.

        Raises:
            SecondBackend: this process already has an engine for a PostgreSQL database.
        """
        self._worker = Worker(
            backend, config, lease=self._boot_id, stop_signal=self._stop_signal, may_start=lambda: claim.is_held
        )
        self._queue.start(self._worker.run_phase)
        try:
            resume(backend)
        except BaseException:
            self.stop()
            raise
        self._housekeeping = Housekeeping(backend, config, keep=keep, prune_queue=self._queue.prune)
        self._housekeeping.start()
        claim.keep(on_regained=lambda: resume(backend))

    def clean_up(self) -> None:
        """Clean up now, as the engine does every minute while it runs."""
        if self._housekeeping is not None:
            self._housekeeping.clean_up()

    def request_stop(self, level: CancelLevel = CancelLevel.INTERRUPT) -> None:
        """Start no more phases, and stop the running ones; their states are kept."""
        self._stop_signal.request(level)

    def stop(self) -> bool:
        """Stop, and wait until no phase is running.

        Returns:
            Whether all phases stopped in time. If not, threads are still running, and the process must exit anyway.
        """
        self.request_stop()
        if self._housekeeping is not None:
            self._housekeeping.stop()
        if self._worker is not None and not self._worker.wait_until_idle(_INTERRUPT_TIMEOUT_S):
            _log.warning("Terraform did not stop within %g s after the interrupt; it is killed.", _INTERRUPT_TIMEOUT_S)
            self.request_stop(CancelLevel.KILL)
            if not self._worker.wait_until_idle(_KILL_TIMEOUT_S):
                return False
        self._queue.stop()
        return True


def _queue(url: str | None, boot_id: str, workers: int) -> PhaseQueue:
    if url is None:
        return ThreadQueue(workers=workers)
    from tfruns.local.engine.dbos import DbosQueue  # noqa: PLC0415  # only PostgreSQL requires DBOS

    return DbosQueue(url, boot_id=boot_id, workers=workers)
