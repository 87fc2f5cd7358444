"""What is not needed any more: directories of runs that are over, old logs and plans, uploads that broke off."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from tfruns.lifecycle import statuses_in
from tfruns.local.backend import Backend
from tfruns.local.engine.jobs import Workshop
from tfruns.local.store.schema import PhaseRow, RunRow
from tfruns.vocabulary import StatusGroup

_log = logging.getLogger(__name__)

_INTERVAL_S = 60.0
_BROKEN_OFF_AFTER_S = 24 * 3600.0
_AT_ONCE = 500
_PRUNED = ("log", "plan-json", "plan-json-redacted")


class Housekeeping:
    """Cleans up in intervals, in a thread of its own.

    Args:
        backend: whose runs.
        workshop: where they are executed.
        keep: how long logs and plans of runs that are over are kept; None for ever.
        forget_ended: what the carrier itself has to clean up.
    """

    def __init__(
        self, backend: Backend, workshop: Workshop, *, keep: timedelta | None, forget_ended: Callable[[], None]
    ) -> None:
        self._backend = backend
        self._workshop = workshop
        self._keep = keep
        self._forget_ended = forget_ended
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(_INTERVAL_S):
            self.clean_up()

    def clean_up(self) -> None:
        """Do it once. What fails is tried again the next time."""
        for step in (self._remove_directories, self._prune, self._remove_broken_off, self._forget_ended):
            try:
                step()
            except Exception:  # noqa: BLE001  # it must not end the thread
                _log.exception("Housekeeping failed.")

    def _remove_directories(self) -> None:
        """Those of runs that are over, as when a person discards a plan, or that were deleted."""
        if not self._workshop.directory.exists():
            return
        names = [path.name for path in self._workshop.directory.iterdir()]
        for run_ids in _batched(names, _AT_ONCE):
            for run_id in set(run_ids) - self._in_use(run_ids):
                self._workshop.remove(run_id)

    def _in_use(self, run_ids: Iterable[str]) -> set[str]:
        """Of these runs, those that are not over, or of which a process may still run."""
        rows = select(RunRow.id).where(
            RunRow.id.in_(run_ids),
            RunRow.status.in_(statuses_in(StatusGroup.NON_FINAL)) | RunRow.lease.is_not(None),
        )
        with self._backend.database.read() as session:
            return set(session.scalars(rows))

    def _prune(self) -> None:
        """Delete old logs and plans of runs that are over; the runs themselves stay."""
        if self._keep is None:
            return
        before = self._backend.now().timestamp() - self._keep.total_seconds()
        for kind in _PRUNED:
            for ids in _batched(_older_than(self._backend.objects.path(kind, ""), before), _AT_ONCE):
                for id_ in self._of_runs_that_are_over(ids):
                    self._backend.objects.delete(kind, id_)

    def _of_runs_that_are_over(self, phase_ids: Iterable[str]) -> list[str]:
        rows = (
            select(PhaseRow.id)
            .join(RunRow, RunRow.id == PhaseRow.run_id)
            .where(
                PhaseRow.id.in_(phase_ids), RunRow.status.in_(statuses_in(StatusGroup.FINAL)), RunRow.lease.is_(None)
            )
        )
        with self._backend.database.read() as session:
            return list(session.scalars(rows))

    def _remove_broken_off(self) -> None:
        """Uploads of which the end never came, because the server was killed."""
        before = time.time() - _BROKEN_OFF_AFTER_S
        for name in _older_than(self._backend.objects.path("incoming", ""), before):
            self._backend.objects.delete("incoming", name)


def _older_than(directory: Path, before: float) -> list[str]:
    """The names of the files in a directory that were last written before this time."""
    if not directory.exists():
        return []
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries if entry.stat().st_mtime < before]


def _batched(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The ids, so many at a time (`itertools.batched` came with Python 3.12)."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
