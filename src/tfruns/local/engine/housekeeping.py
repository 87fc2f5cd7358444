"""Periodic housekeeping: dispatches phases without a worker again, and deletes data that is no longer needed.

It deletes directories of finished runs, old logs and plans, incomplete uploads, and objects without a database row.
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

from tfruns.lifecycle import statuses_in
from tfruns.local.backend import Backend
from tfruns.local.engine.inputs import ExecutionConfig, apply_inputs, phase_of
from tfruns.local.engine.resume import resume
from tfruns.local.service.states import md5_of
from tfruns.local.store.objects import KINDS_OF_PHASE, KINDS_OF_STATE
from tfruns.local.store.schema import ConfigurationVersionRow, PhaseRow, RunRow, StateVersionRow
from tfruns.phases import has_phase_begun
from tfruns.vocabulary import StatusGroup

_log = logging.getLogger(__name__)

_INTERVAL_S = 60.0
_SWEEP_INTERVAL_S = 3600.0
_INCOMPLETE_AFTER_S = 24 * 3600.0  # a younger file may still be written
_BATCH_SIZE = 500
_PRUNED = ("log", "plan-json", "plan-json-redacted")
_ROWS_OF_OBJECTS = {
    "configuration": ConfigurationVersionRow.id,
    **dict.fromkeys(KINDS_OF_STATE, StateVersionRow.id),
    **dict.fromkeys(KINDS_OF_PHASE, PhaseRow.id),
}


class Housekeeping:
    """Cleans up every minute, in a separate thread.

    Args:
        backend: the backend.
        config: the configuration of the execution.
        keep: how long the logs and plans of finished runs are kept; None for no limit.
        prune_queue: deletes old records of the queue.
    """

    def __init__(
        self, backend: Backend, config: ExecutionConfig, *, keep: timedelta | None, prune_queue: Callable[[], None]
    ) -> None:
        self._backend = backend
        self._config = config
        self._keep = keep
        self._prune_queue = prune_queue
        self._sweep_at = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _repeat(self) -> None:
        while not self._stopped.is_set():
            self.clean_up()
            self._stopped.wait(_INTERVAL_S)

    def clean_up(self) -> None:
        """Clean up once. A step that fails is repeated the next time."""
        steps = (self._resume, self._remove_directories, self._prune, self._sweep, self._prune_queue)
        failures: dict[str, str] = {}
        for step in steps:
            try:
                step()
            except (SQLAlchemyError, OSError) as error:
                failures.setdefault(type(error).__name__, str(getattr(error, "orig", error)).partition("\n")[0])
            except Exception:  # noqa: BLE001  # the thread must continue
                _log.exception("Housekeeping failed.")
        for name, text in failures.items():  # one line per error, even if several steps failed
            _log.warning("Housekeeping failed and is repeated in a minute: %s: %s", name, text)

    def _resume(self) -> None:
        resume(self._backend)

    def _remove_directories(self) -> None:
        """Remove the directories of finished runs, such as a discarded one, and of deleted runs."""
        if not self._config.directory.exists():
            return
        names = [path.name for path in self._config.directory.iterdir()]
        for run_ids in _batched(names, _BATCH_SIZE):
            for run_id in set(run_ids) - self._in_use(run_ids):
                rescue_state(self._backend, self._config, run_id)
                self._config.remove(run_id)

    def _in_use(self, run_ids: Iterable[str]) -> set[str]:
        """The runs among these that are not finished, or whose process may still run."""
        rows = select(RunRow.id).where(
            RunRow.id.in_(run_ids),
            RunRow.status.in_(statuses_in(StatusGroup.NON_FINAL)) | RunRow.lease.is_not(None),
        )
        with self._backend.database.read() as session:
            return set(session.scalars(rows))

    def _prune(self) -> None:
        """Delete old logs and plans of finished runs. The runs are kept."""
        if self._keep is None:
            return
        before = self._backend.now().timestamp() - self._keep.total_seconds()
        for kind in _PRUNED:
            for ids in _batched(_older_than(self._backend.objects.path(kind, ""), before), _BATCH_SIZE):
                for id_ in self._of_finished_runs(ids):
                    self._backend.objects.delete(kind, id_)

    def _of_finished_runs(self, phase_ids: Iterable[str]) -> list[str]:
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
        """Delete incomplete uploads and objects without a row, which remain after a kill or a failed deletion."""
        if time.monotonic() < self._sweep_at:
            return
        before = time.time() - _INCOMPLETE_AFTER_S
        for name in _older_than(self._backend.objects.path("incoming", ""), before):
            self._backend.objects.delete("incoming", name)
        for kind, column in _ROWS_OF_OBJECTS.items():
            for ids in _batched(_older_than(self._backend.objects.path(kind, ""), before), _BATCH_SIZE):
                with self._backend.database.read() as session:
                    known = set(session.scalars(select(column).where(column.in_(ids))))
                for id_ in set(ids) - known:
                    self._backend.objects.delete(kind, id_)
        self._sweep_at = time.monotonic() + _SWEEP_INTERVAL_S


def rescue_state(backend: Backend, config: ExecutionConfig, run_id: str) -> None:
    """Store the state in the directory of an apply as its errored state, unless it is already stored."""
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
        _log.error("The state of %s was not stored. It is kept as the errored state of its apply.", run_id)


def _older_than(directory: Path, before: float) -> list[str]:
    """The names of the files in a directory that were last modified before this time."""
    if not directory.exists():
        return []
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries if entry.stat().st_mtime < before]


def _batched(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The ids in batches (`itertools.batched` requires Python 3.12)."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
