"""One server for each PostgreSQL database: a row names the data directory whose server uses it, and counts its beats.

The row outlasts the server's connections, so that a restart of PostgreSQL gives the database to nobody else. A server
of another data directory takes over only where the owner has stopped, or its beats have stopped for a while. While a
server cannot reach the database, or has lost it, it begins no phase.

A SQLite file needs no claim: it lies in a data directory, which has one owner.
"""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import SQLAlchemyError

from tfruns.local.store.database import Database
from tfruns.local.store.schema import ClaimRow

_log = logging.getLogger(__name__)

BEAT_S = 1.0
SILENT_S = 15.0  # without a beat for so long, the owner's server has ended


class Claim:
    """The use of a database by the server of one data directory.

    Args:
        database: the database.
        owner: names the data directory, among all that might use the database.
    """

    def __init__(self, database: Database, owner: str, *, silent_s: float = SILENT_S) -> None:
        self._database = database
        self._owner = owner
        self._silent_s = silent_s
        self._is_needed = database.engine.dialect.name == "postgresql"
        self._is_held = not self._is_needed
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_held(self) -> bool:
        """Whether the database is this server's, as of the last beat."""
        return self._is_held

    def take(self) -> str | None:
        """Take the database, once it is sure that no other server uses it.

        Returns:
            The owner that uses it; None where the database is this server's now.
        """
        if not self._is_needed:
            return None
        other = self._try_to_take(silent=None)
        deadline = time.monotonic() + self._silent_s
        while other is not None:
            self._ended.wait(BEAT_S / 4)
            silent = other if time.monotonic() >= deadline else None
            now = self._try_to_take(silent=silent)
            if now is not None and now != other:
                return now[0]
            other = now
        self._is_held = True
        return None

    def keep(self, on_regained: Callable[[], None]) -> None:
        """Beat until `release`, in a thread.

        Args:
            on_regained: called when the database is this server's again after it could not be reached.
        """
        if self._is_needed:
            self._thread = threading.Thread(target=self._beat_until_ended, args=(on_regained,), daemon=True)
            self._thread.start()

    def release(self) -> None:
        """Give the database up, so that another server need not wait."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._is_needed and self._is_held:
            try:
                with self._database.write() as write:
                    write.session.execute(update(ClaimRow).where(ClaimRow.owner == self._owner).values(owner=None))
            except (SQLAlchemyError, OSError) as error:
                _log.warning("The claim on the database was not released: %s", type(error).__name__)

    def _try_to_take(self, *, silent: tuple[str, int] | None) -> tuple[str, int] | None:
        """Take the database if it is free, ours, or still as this silent owner left it; else return who has it."""
        with self._database.write() as write:
            row = write.session.scalars(select(ClaimRow).with_for_update()).one()
            if row.owner not in (None, self._owner) and (row.owner, row.beats) != silent:
                return row.owner, row.beats
            row.owner = self._owner
            row.beats += 1
        return None

    def _beat_until_ended(self, on_regained: Callable[[], None]) -> None:
        while not self._ended.wait(BEAT_S):
            was_held, lost_because = self._is_held, self._beat()
            self._is_held = lost_because is None
            if was_held and lost_because:
                _log.error("No plan or apply is begun until the database is usable again: %s", lost_because)
            if not was_held and self._is_held:
                _log.warning("The database is usable again; plans and applies are begun again.")
                self._resume(on_regained)

    def _resume(self, on_regained: Callable[[], None]) -> None:
        try:
            on_regained()
        except Exception as error:  # noqa: BLE001  # the thread has to stay; the next beat tries again
            _log.warning("What is to be executed cannot be read yet: %s", type(error).__name__)
            self._is_held = False

    def _beat(self) -> str | None:
        """Beat once.

        Returns:
            Why the database is not this server's; None where it is.
        """
        try:
            with self._database.write() as write:
                ours = update(ClaimRow).where(ClaimRow.owner == self._owner).values(beats=ClaimRow.beats + 1)
                result: CursorResult[object] = write.session.execute(ours)  # type: ignore[assignment]
                is_ours = result.rowcount == 1
            other = None if is_ours else self._try_to_take(silent=None)
        except (SQLAlchemyError, OSError) as error:
            return type(error).__name__
        return None if other is None else f"the server of {other[0]} uses it."
