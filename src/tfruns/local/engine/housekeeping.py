"""What is done in intervals: phases without a worker are dispatched again, and what is not needed any more is deleted.

That is directories of runs that have ended, old logs and plans, incomplete uploads, and objects of which no row knows.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from tfruns.lifecycle import has_phase_begun, statuses_in
from tfruns.local.backend import Backend
from tfruns.local.engine.inputs import ExecutionConfig, apply_inputs, phase_of
from tfruns.local.engine.resume import resume
from tfruns.local.service.states import md5_of
from tfruns.local.store.objects import KINDS_OF_PHASE, KINDS_OF_STATE
from tfruns.local.store.schema import ConfigurationVersionRow, PhaseRow, RunRow, StateVersionRow
from tfruns.vocabulary import StatusGroup

_log = logging.getLogger(__name__)

_INTERVAL_S = 60.0
_SWEEP_INTERVAL_S = 3600.0
_INCOMPLETE_AFTER_S = 24 * 3600.0  # what is younger may just be written
_AT_ONCE = 500
_PRUNED = ("log", "plan-json", "plan-json-redacted")
_ROWS_OF_OBJECTS = {
    "configuration": ConfigurationVersionRow.id,
    **dict.fromkeys(KINDS_OF_STATE, StateVersionRow.id),
    **dict.fromkeys(KINDS_OF_PHASE, PhaseRow.id),
}


class Housekeeping:
    """Cleans up in intervals, in a thread of its own.

    Args:
        backend: whose runs.
        config: where they are executed.
        keep: how long logs and plans of runs that are over are kept; None for ever.
        forget_ended: what the carrier itself has to clean up.
    """

    def __init__(
        self, backend: Backend, config: ExecutionConfig, *, keep: timedelta | None, forget_ended: Callable[[], None]
    ) -> None:
        self._backend = backend
        self._config = config
        self._keep = keep
        self._forget_ended = forget_ended
        self._sweep_at = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.is_set():
            self.clean_up()
            self._ended.wait(_INTERVAL_S)

    def clean_up(self) -> None:
        """Do it once. What fails is tried again the next time."""
        steps = (self._resume, self._remove_directories, self._prune, self._sweep, self._forget_ended)
        failures: dict[str, str] = {}
        for step in steps:
            try:
                step()
            except (SQLAlchemyError, OSError) as error:
                failures.setdefault(type(error).__name__, str(getattr(error, "orig", error)).partition("\n")[0])
            except Exception:  # noqa: BLE001  # it must not end the thread
                _log.exception("Housekeeping failed.")
        for name, text in failures.items():  # one line, however many steps failed of it
            _log.warning("Housekeeping failed and is tried again in a minute: %s: %s", name, text)

    def _resume(self) -> None:
        resume(self._backend)

    def _remove_directories(self) -> None:
        """Those of runs that are over, as when a person discards a plan, or that were deleted."""
        if not self._config.directory.exists():
            return
        names = [path.name for path in self._config.directory.iterdir()]
        for run_ids in _batched(names, _AT_ONCE):
            for run_id in set(run_ids) - self._in_use(run_ids):
                rescue_state(self._backend, self._config, run_id)
                self._config.remove(run_id)

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

    def _sweep(self) -> None:
        """Delete incomplete uploads and objects of no row, as a kill or a failed deletion leaves them."""
        if time.monotonic() < self._sweep_at:
            return
        before = time.time() - _INCOMPLETE_AFTER_S
        for name in _older_than(self._backend.objects.path("incoming", ""), before):
            self._backend.objects.delete("incoming", name)
        for kind, column in _ROWS_OF_OBJECTS.items():
            for ids in _batched(_older_than(self._backend.objects.path(kind, ""), before), _AT_ONCE):
                with self._backend.database.read() as session:
                    known = set(session.scalars(select(column).where(column.in_(ids))))
                for id_ in set(ids) - known:
                    self._backend.objects.delete(kind, id_)
        self._sweep_at = time.monotonic() + _SWEEP_INTERVAL_S


def rescue_state(backend: Backend, config: ExecutionConfig, run_id: str) -> None:
    """Keep the state that an apply left in its directory, where it is stored nowhere yet, as its errored state."""
    with backend.database.read() as session:
        run = session.scalars(select(RunRow).where(RunRow.id == run_id)).first()
        if run is None:
            return
        phase = phase_of(session, run_id, "apply")
        if not has_phase_begun(phase.status):
            return
        of_workspace = select(StateVersionRow.md5).where(StateVersionRow.workspace_id == run.workspace_id)
        stored = set(session.scalars(of_workspace))
        run_dir = apply_inputs(config, session, run).run_dir
    left = run_dir.left_state()
    if left is not None and md5_of(left) not in stored and not backend.objects.path("errored-state", phase.id).exists():
        backend.objects.write("errored-state", phase.id, left)
        _log.error("Kept the state that %s left as its errored state: it was stored nowhere else.", run_id)


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
