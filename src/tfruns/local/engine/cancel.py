"""How strongly a phase is to be stopped: by its run's own cancel, or because the server itself is being stopped."""

import threading

from sqlalchemy.exc import SQLAlchemyError

from tfruns.local.service.phases import cancel_level
from tfruns.local.store.database import Database

INTERRUPT = 1
KILL = 2


class Stopping:
    """0 while the server runs; then as strong as a run's cancel: interrupt what Terraform does, or kill it."""

    def __init__(self) -> None:
        self._level = 0
        self.begun = threading.Event()

    @property
    def level(self) -> int:
        return self._level

    def demand(self, level: int) -> None:
        """Stop at least as strongly as this."""
        self._level = max(self._level, level)
        self.begun.set()


class CancelLevel:
    """What a phase asks several times a second: 0 go on, 1 interrupt Terraform, 2 kill it."""

    def __init__(self, database: Database, run_id: str, stopping: Stopping) -> None:
        self._database = database
        self._run_id = run_id
        self._stopping = stopping
        self._last = 0

    def __call__(self) -> int:
        return max(self.of_run(), self._stopping.level)

    def of_run(self) -> int:
        """What was asked for the run itself; while the database is away, what it said last."""
        try:
            with self._database.read() as session:
                self._last = cancel_level(session, self._run_id)
        except SQLAlchemyError:
            pass
        return self._last
