"""Trying again what cannot be done at the moment: as long as the reason passes, and a few times whatever the reason."""

import errno
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from tfruns.errors import TfrunsError
from tfruns.local.engine.cancel import Stopping
from tfruns.local.engine.execution import Interrupted
from tfruns.local.store.database import Database
from tfruns.local.store.sqlite_file import is_damage

_log = logging.getLogger(__name__)

T = TypeVar("T")

_TRIES = 5  # for what does not look as if it would pass
FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 5.0
_LOGGED_EVERY_S = 60.0
_PASSING_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EIO,
     errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT}
)  # fmt: skip


class Retries:
    """Repeats steps that fail. It belongs to all phases of a worker; what it remembers is remembered for each thread.

    Args:
        database: asked whether it works, where a step failed because of it.
        stopping: ends the repetition.
        first_delay_s: seconds before the first repetition; each further delay is twice as long.
    """

    def __init__(self, database: Database, stopping: Stopping, *, first_delay_s: float = FIRST_DELAY_S) -> None:
        self._database = database
        self._stopping = stopping
        self._first_delay_s = first_delay_s
        self._of_thread = threading.local()

    @property
    def has_failed(self) -> bool:
        """Whether the last step of this thread failed before it was done."""
        return bool(getattr(self._of_thread, "has_failed", False))

    def until_done(self, step: Callable[[], T], *, only: type[Exception] = Exception) -> T:
        """Do it, again and again while what hinders it may pass, and else a few times.

        Args:
            step: what to do. To do it again after it was done has to do no harm.
            only: repeat it after such an error alone.

        Raises:
            Interrupted: it was not done before the server was stopped.

        And what the step raises at last.
        """
        tries, delay_s, logged_at = 0, self._first_delay_s, 0.0
        self._of_thread.has_failed = False
        while True:
            try:
                return step()
            except (Interrupted, TfrunsError):
                raise
            except only as error:
                self._of_thread.has_failed = True
                tries += not self._may_pass(error)
                if tries >= _TRIES:
                    raise
                if time.monotonic() - logged_at >= _LOGGED_EVERY_S or not logged_at:
                    _log.warning("What a phase has left cannot be stored yet, and is tried again: %s", _why(error))
                    logged_at = time.monotonic()
            if self._stopping.begun.wait(delay_s):
                raise Interrupted
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    def _may_pass(self, error: Exception) -> bool:
        """Whether it may be possible later without anybody doing anything: the disk is full, the database is away."""
        cause = error.__cause__ if error.__cause__ is not None else error
        if isinstance(cause, OSError):
            return cause.errno in _PASSING_ERRNOS
        return isinstance(cause, SQLAlchemyError) and not self._database.is_writable()


def _why(error: Exception) -> str:
    cause = error.__cause__ if error.__cause__ is not None else error
    return f"{type(cause).__name__}, the database is damaged" if is_damage(cause) else type(cause).__name__
