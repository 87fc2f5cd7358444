"""The claim on a PostgreSQL database, which only one server can use.

A row names the data directory of that server and counts its heartbeats. The row outlives the server's connections, so
that a restart of PostgreSQL does not pass the database to another server. The server of another data directory takes
over only if the owner has released the claim, or its heartbeats have stopped for a while. A server that cannot reach
the database, or has lost the claim, starts no phases.

A SQLite file needs no claim: it is in a data directory, which has one owner.
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

HEARTBEAT_S = 1.0
SILENT_S = 15.0  # without a heartbeat for this long, the owner's server has stopped


class Claim:
    """The claim of one data directory's server on a database.

    Args:
        database: the database.
        owner: the name of the data directory, unique among all that may use the database.
        silent_s: after how many seconds without a heartbeat a claim can be taken over.
    """

    def __init__(self, database: Database, owner: str, *, silent_s: float = SILENT_S) -> None:
        self._database = database
        self._owner = owner
        self._silent_s = silent_s
        self._is_needed = database.engine.dialect.name == "postgresql"
        self._is_held = not self._is_needed
        self._released = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_held(self) -> bool:
        """Whether this server had the claim at the last heartbeat."""
        return self._is_held

    def take(self) -> str | None:
        """Take the claim, once it is certain that no other server uses the database.

        Returns:
            The other owner that uses the database; None if this server has the claim now.
        """
        if not self._is_needed:
            return None
        other = self._try_to_take(silent=None)
        deadline = time.monotonic() + self._silent_s
        while other is not None:
            self._released.wait(HEARTBEAT_S / 4)
            silent = other if time.monotonic() >= deadline else None
            now = self._try_to_take(silent=silent)
            if now is not None and now != other:
                return now[0]
            other = now
        self._is_held = True
        return None

    def keep(self, on_regained: Callable[[], None]) -> None:
        """Send heartbeats until `release`, in a thread.

        Args:
            on_regained: called when this server has the claim again after the database was unavailable.
        """
        if self._is_needed:
            self._thread = threading.Thread(target=self._send_heartbeats, args=(on_regained,), daemon=True)
            self._thread.start()

    def release(self) -> None:
        """Release the claim, so that another server need not wait."""
        self._released.set()
        if self._thread is not None:
            self._thread.join()
        if self._is_needed and self._is_held:
            try:
                with self._database.write() as write:
                    write.session.execute(update(ClaimRow).where(ClaimRow.owner == self._owner).values(owner=None))
            except (SQLAlchemyError, OSError) as error:
                _log.warning("The claim on the database was not released: %s", type(error).__name__)

    def _try_to_take(self, *, silent: tuple[str, int] | None) -> tuple[str, int] | None:
        """Take the claim if it is free, belongs to this server, or this silent owner has sent no heartbeat since.

        Returns:
            The other owner and its heartbeats; None if the claim was taken.
        """
        with self._database.write() as write:
            row = write.session.scalars(select(ClaimRow).with_for_update()).one()
            if row.owner not in (None, self._owner) and (row.owner, row.beats) != silent:
                return row.owner, row.beats
            row.owner = self._owner
            row.beats += 1
        return None

    def _send_heartbeats(self, on_regained: Callable[[], None]) -> None:
        while not self._released.wait(HEARTBEAT_S):
            was_held, lost_because = self._is_held, self._beat()
            self._is_held = lost_because is None
            if was_held and lost_because:
                _log.error("No plan or apply is started until the database is available again: %s", lost_because)
            if not was_held and self._is_held:
                _log.warning("The database is available again. Plans and applies are started again.")
                self._resume(on_regained)

    def _resume(self, on_regained: Callable[[], None]) -> None:
        try:
            on_regained()
        except Exception as error:  # noqa: BLE001  # the thread must continue; the next heartbeat tries again
            _log.warning("The queued phases cannot be read yet: %s", type(error).__name__)
            self._is_held = False

    def _beat(self) -> str | None:
        """Send a heartbeat.

        Returns:
            Why this server does not have the claim; None if it does.
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
