"""How far the stop of a phase has gone: by its run's own cancel, or because the server is being stopped."""

import threading

from sqlalchemy.exc import SQLAlchemyError

from tfruns.local.cancel_level import CancelLevel
from tfruns.local.service.phases import read_cancel_level
from tfruns.local.store.database import Database


class Stopping:
    """The stop of a server, which concerns all its phases.

    Attributes:
        begun: set once the server is being stopped.
    """

    def __init__(self) -> None:
        self._level = CancelLevel.NONE
        self.begun = threading.Event()

    @property
    def level(self) -> CancelLevel:
        """How the running phases are stopped; NONE while the server runs."""
        return self._level

    def demand(self, level: CancelLevel) -> None:
        """Raise the level. A lower level than the current one changes nothing."""
        self._level = max(self._level, level)
        self.begun.set()


class CancelCheck:
    """The cancel level of one phase, which its process polls several times a second."""

    def __init__(self, database: Database, run_id: str, stopping: Stopping) -> None:
        self._database = database
        self._run_id = run_id
        self._stopping = stopping
        self._last = CancelLevel.NONE

    def __call__(self) -> CancelLevel:
        return max(self.of_run(), self._stopping.level)

    def of_run(self) -> CancelLevel:
        """The level of the run itself; the last known one while the database is unavailable."""
        try:
            with self._database.read() as session:
                self._last = read_cancel_level(session, self._run_id)
        except SQLAlchemyError:
            pass
        return self._last
