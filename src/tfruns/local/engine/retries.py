"""Retries of the steps of a phase: without limit while the cause is temporary, otherwise a few times."""

import errno
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from tfruns.errors import TfrunsError
from tfruns.local.engine.cancel import StopSignal
from tfruns.local.engine.execution import PhaseInterrupted
from tfruns.local.store.database import Database
from tfruns.local.store.sqlite_file import is_damage

_log = logging.getLogger(__name__)

T = TypeVar("T")

_ATTEMPTS = 5  # if the cause does not look temporary
FIRST_DELAY_S = 0.2
_MAX_DELAY_S = 5.0
_LOG_INTERVAL_S = 60.0
_TEMPORARY_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EIO,
     errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT}
)  # fmt: skip


class Retries:
    """Repeats steps that fail. A worker uses one instance for all phases; each thread has its own `has_failed`.

    Args:
        database: checked for whether it is writable after it made a step fail.
        stop_signal: stops the retries.
        first_delay_s: the seconds before the first retry. Each further delay is twice as long.
    """

    def __init__(self, database: Database, stop_signal: StopSignal, *, first_delay_s: float = FIRST_DELAY_S) -> None:
        self._database = database
        self._stop_signal = stop_signal
        self._first_delay_s = first_delay_s
        self._thread_state = threading.local()

    @property
    def has_failed(self) -> bool:
        """Whether the last step of this thread failed at least once."""
        return bool(getattr(self._thread_state, "has_failed", False))

    def until_done(self, step: Callable[[], T], *, only: type[Exception] = Exception) -> T:
        """Call a step until it succeeds.

        It is retried without limit while the cause is temporary, otherwise a few times. The last error is then raised.

        Args:
            step: the step, which must be idempotent.
            only: the class of errors after which the step is retried.

        Returns:
            The result of the step.

        Raises:
            PhaseInterrupted: the server is stopping, and the step has not succeeded.
        """
        attempts, delay_s, logged_at = 0, self._first_delay_s, 0.0
        self._thread_state.has_failed = False
        while True:
            try:
                return step()
            except (PhaseInterrupted, TfrunsError):
                raise
            except only as error:
                self._thread_state.has_failed = True
                attempts += not self._is_temporary(error)
                if attempts >= _ATTEMPTS:
                    raise
                if time.monotonic() - logged_at >= _LOG_INTERVAL_S or not logged_at:
                    _log.warning("A step of a phase failed and will be retried: %s.", _reason(error))
                    logged_at = time.monotonic()
            if self._stop_signal.requested.wait(delay_s):
                raise PhaseInterrupted
            delay_s = min(delay_s * 2, _MAX_DELAY_S)

    def _is_temporary(self, error: Exception) -> bool:
        """Whether a later attempt may succeed, for example because the disk is full or the database is unavailable."""
        cause = error.__cause__ if error.__cause__ is not None else error
        if isinstance(cause, OSError):
            return cause.errno in _TEMPORARY_ERRNOS
        return isinstance(cause, SQLAlchemyError) and not self._database.is_writable()


def _reason(error: Exception) -> str:
    cause = error.__cause__ if error.__cause__ is not None else error
    return f"{type(cause).__name__}, the database is damaged" if is_damage(cause) else type(cause).__name__
