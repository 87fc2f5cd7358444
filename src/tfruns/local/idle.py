"""The idle exit of a server that was started for a command.

A request, an attached process and an active run count as uses. An attached process has a shared lock on the file
`attached`. The server exits only while it holds that lock exclusively, so no process can attach to a server that is
about to exit.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from tfruns.durations import parse_duration
from tfruns.errors import InvalidInput
from tfruns.local.attachment import unused
from tfruns.local.data_dir import DataDirectory

_log = logging.getLogger(__name__)

DEFAULT_IDLE_EXIT = "15m"
_CHECKS = 10  # within the time without use
_MIN_CHECK_S, _MAX_CHECK_S = 0.5, 2.0


def idle_exit_s(given: str | None = None) -> int:
    """How long an unused server stays, in seconds: the option, `TFRUNS_IDLE_EXIT`, or 15 minutes.

    Raises:
        InvalidInput: the value is not a duration.
    """
    source = "--idle-exit" if given is not None else "TFRUNS_IDLE_EXIT"
    text = given if given is not None else os.environ.get("TFRUNS_IDLE_EXIT") or DEFAULT_IDLE_EXIT
    try:
        return ceil(parse_duration(text))
    except ValueError as error:
        raise InvalidInput(
            f"{source} is not a duration.",
            cause=str(error),
            solution="Use a value such as 90s, 15m or 1h30, or 0 to exit as soon as the server is unused.",
        ) from None


@dataclass
class Uses:
    """The requests to a server, except those for its status.

    Attributes:
        active: the number of requests being served.
        last: when the last request started or finished, in monotonic time.
    """

    active: int = 0
    last: float = field(default_factory=time.monotonic)

    def __enter__(self) -> None:
        self.active += 1
        self.last = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.active -= 1
        self.last = time.monotonic()


class IdleExit:
    """Stops a server after a time without use.

    Args:
        directory: the server's data directory.
        after_s: the time without use, in seconds.
        uses: the server's requests.
        is_active: returns whether a run is active.
        stop: stops the server.
    """

    def __init__(
        self,
        directory: DataDirectory,
        after_s: float,
        uses: Uses,
        is_active: Callable[[], bool],
        stop: Callable[[], None],
    ) -> None:
        self.after_s = after_s
        self._directory = directory
        self._uses = uses
        self._is_active = is_active
        self._stop = stop
        self._last_used = time.monotonic()

    @property
    def in_s(self) -> float | None:
        """The remaining seconds until the server exits; None while it is in use."""
        with unused(self._directory) as is_unattached:
            if self._uses.active or not is_unattached:
                return None
        return max(0.0, self._used_at + self.after_s - time.monotonic())

    def run(self) -> None:
        """Stop the server when it has been idle for the configured time. The server runs this in a separate thread."""
        check_s = min(_MAX_CHECK_S, max(_MIN_CHECK_S, self.after_s / _CHECKS))
        while True:
            time.sleep(check_s)
            try:
                self._check()
            except FileNotFoundError:
                _log.error("The server stops: its data directory %s was deleted.", self._directory.path)
                self._stop()
                return
            except Exception as error:  # noqa: BLE001  # for example, the database is unavailable
                _log.warning("Cannot check whether this server is in use: %s", type(error).__name__)

    @property
    def _used_at(self) -> float:
        return max(self._last_used, self._uses.last)

    def _check(self) -> None:
        with unused(self._directory) as is_unattached:
            is_due = time.monotonic() - self._used_at >= self.after_s
            # Runs are queried only if the result matters: an idle server does not read its database.
            if not is_unattached or self._uses.active or (is_due and self._is_active()):
                self._last_used = time.monotonic()
            elif is_due:
                self._stop()
                threading.Event().wait()  # with the lock, until the process has exited
