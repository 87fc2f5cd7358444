"""How far the stop of a phase has gone: by its run's own cancel, or because the server is being stopped."""

import threading

from sqlalchemy.exc import SQLAlchemyError

from tfruns.local.cancel_level import CancelLevel
from tfruns.local.service.phases import read_cancel_level
from tfruns.local.store.database import Database


class StopSignal:
    """The stop of a server, which concerns all its phases.

    Attributes:
        requested: set once the server is stopping.
    """

    def __init__(self) -> None:
        self._level = CancelLevel.NONE
        self.requested = threading.Event()

    @property
    def level(self) -> CancelLevel:
        """How the running phases are stopped; NONE while the server runs."""
        return self._level

    def request(self, level: CancelLevel) -> None:
        """Raise the level. A lower level than the current one changes nothing."""
        self._level = max(self._level, level)
        self.requested.set()


class CancelCheck:
    """The cancel level of one phase, which its process polls several times a second."""

    def __init__(self, database: Database, run_id: str, stop_signal: StopSignal) -> None:
        self._database = database
        self._run_id = run_id
        self._stop_signal = stop_signal
        self._last = CancelLevel.NONE

    def __call__(self) -> CancelLevel:
        return max(self.of_run(), self._stop_signal.level)

    def of_run(self) -> CancelLevel:
        """The level of the run itself; the last known one while the database is unavailable."""
        try:
            with self._database.read() as session:
                self._last = read_cancel_level(session, self._run_id)
        except SQLAlchemyError:
            pass
        return self._last
