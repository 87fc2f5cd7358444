"""The engine as one thing: it starts, resumes what the last one left, dispatches, and stops."""

import logging
import secrets
from datetime import timedelta

from tfruns.local.backend import Backend
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.engine.cancel import Stopping
from tfruns.local.engine.housekeeping import Housekeeping
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.resume import resume
from tfruns.local.engine.threads import PhaseQueue, ThreadQueue
from tfruns.local.engine.worker import Worker
from tfruns.local.queue import Priority
from tfruns.local.store.claim import Claim

_log = logging.getLogger(__name__)

_PATIENCE_S = 60.0  # for Terraform to finish what it is doing; then it is killed, and its state kept
_DYING_S = 30.0


class Engine:
    """Executes the phases of one backend; it is the backend's dispatcher.

    Args:
        url: of the PostgreSQL database in which phases are queued; None to queue them in this process.
        workers: how many phases are executed at a time.
    """

    def __init__(self, url: str | None, *, workers: int) -> None:
        self._boot_id = secrets.token_hex(8)
        self._queue = _queue(url, self._boot_id, workers)
        self._stopping = Stopping()
        self._worker: Worker | None = None
        self._housekeeping: Housekeeping | None = None

    def dispatch(self, run_id: str, phase: str, priority: Priority) -> None:
        """Have a phase executed, once a worker is free."""
        self._queue.dispatch(run_id, phase, priority)

    def start(self, backend: Backend, config: ExecutionConfig, *, keep: timedelta | None, claim: Claim) -> None:
        """Begin to execute, first what was queued or running when the last server stopped.

        Raises:
            SecondBackend: this process has an engine for a PostgreSQL database already.
        """
        self._worker = Worker(
            backend, config, lease=self._boot_id, stopping=self._stopping, may_begin=lambda: claim.is_held
        )
        self._queue.start(self._worker.run_phase)
        try:
            resume(backend)
        except BaseException:
            self.stop()
            raise
        self._housekeeping = Housekeeping(backend, config, keep=keep, forget_ended=self._queue.forget_ended)
        self._housekeeping.start()
        claim.keep(on_regained=lambda: resume(backend))

    def demand_stop(self, level: CancelLevel = CancelLevel.INTERRUPT) -> None:
        """Start no more phases, and stop the running ones; their states are kept."""
        self._stopping.demand(level)

    def stop(self) -> bool:
        """Stop, and return when nothing is under way any more.

        Returns:
            Whether it ended in time; if not, threads are left that the process must end without.
        """
        self.demand_stop()
        if self._housekeeping is not None:
            self._housekeeping.stop()
        if self._worker is not None and not self._worker.wait_until_idle(_PATIENCE_S):
            _log.warning("Terraform has not stopped; it is killed.")
            self.demand_stop(CancelLevel.KILL)
            if not self._worker.wait_until_idle(_DYING_S):
                return False
        self._queue.stop()
        return True


def _queue(url: str | None, boot_id: str, workers: int) -> PhaseQueue:
    if url is None:
        return ThreadQueue(workers=workers)
    from tfruns.local.engine.dbos import DbosQueue  # noqa: PLC0415  # DBOS is needed for PostgreSQL alone

    return DbosQueue(url, boot_id=boot_id, workers=workers)
