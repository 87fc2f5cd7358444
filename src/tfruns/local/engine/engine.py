"""The engine as one thing: it starts, takes up what the last one left, dispatches, and stops."""

import logging
import secrets
from datetime import timedelta

from tfruns.local.backend import Backend
from tfruns.local.engine.carrier import Carrier
from tfruns.local.engine.housekeeping import Housekeeping
from tfruns.local.engine.jobs import Workshop
from tfruns.local.engine.stopping import INTERRUPT, KILL, Stopping
from tfruns.local.engine.taking_up import take_up
from tfruns.local.engine.worker import Worker
from tfruns.local.queue import Priority

_log = logging.getLogger(__name__)

_PATIENCE_S = 60.0  # for Terraform to finish what it is doing; then it is killed, and its state kept
_DYING_S = 30.0


class Engine:
    """Executes the phases of one backend; it is the backend's dispatcher.

    Args:
        url: of the database for what is queued.
        workers: how many phases are executed at a time.
    """

    def __init__(self, url: str, *, workers: int) -> None:
        self._boot_id = secrets.token_hex(8)
        self._carrier = Carrier(url, boot_id=self._boot_id, workers=workers)
        self._stopping = Stopping()
        self._worker: Worker | None = None
        self._housekeeping: Housekeeping | None = None

    def dispatch(self, run_id: str, phase: str, priority: Priority) -> None:
        """Have a phase executed, once a worker is free."""
        self._carrier.dispatch(run_id, phase, priority)

    def start(self, backend: Backend, workshop: Workshop, *, keep: timedelta | None) -> None:
        """Begin to execute, with what was queued or under way when the last server ended.

        Raises:
            SecondBackend: this process has an engine already.
        """
        self._worker = Worker(backend, workshop, lease=self._boot_id, stopping=self._stopping)
        self._carrier.start(self._worker.run_phase)
        try:
            take_up(backend)
        except BaseException:
            self.stop()
            raise
        self._housekeeping = Housekeeping(backend, workshop, keep=keep, forget_ended=self._carrier.forget_ended)
        self._housekeeping.start()

    def demand_stop(self, *, is_urgent: bool = False) -> None:
        """Begin no phase any more, and interrupt what Terraform does; or kill it, with its state kept."""
        self._stopping.demand(KILL if is_urgent else INTERRUPT)

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
            self.demand_stop(is_urgent=True)
            if not self._worker.wait_until_idle(_DYING_S):
                return False
        self._carrier.stop()
        return True
