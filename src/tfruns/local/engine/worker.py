"""The worker: starts a phase, executes it and stores its result. It never raises.

The result of a phase must not be lost. While it cannot be stored for a temporary reason (a full disk, an unavailable
database), the worker retries, and the run keeps its workspace. After any other error, the run becomes errored, with
as much of the result as can be stored, and releases its workspace. If the server stops first, the next start recovers
the result from the directory of the run.
"""

import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import select

from tfruns.errors import NotFound
from tfruns.local.backend import Backend
from tfruns.local.engine.cancel import CancelCheck, StopSignal
from tfruns.local.engine.execution import PhaseInterrupted, PhaseNotStarted, execute, log_failure, store_json_state
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.resume import resume
from tfruns.local.engine.retries import FIRST_DELAY_S, Retries
from tfruns.local.service.phases import PhaseResult, StartedPhase, abandon_phase, finish_phase, start_phase
from tfruns.local.store.objects import KINDS_OF_PHASE
from tfruns.local.store.schema import PhaseRow, RunRow
from tfruns.vocabulary import PhaseStatus, RunSource, RunStatus

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Worker:
    """Executes phases.

    Args:
        backend: the backend.
        config: the configuration of the execution.
        lease: the id of this start of the server. The lease of each phase consists of it and a number.
        stop_signal: tells whether the server is stopping.
        may_start: returns whether phases may start now. Other phases are dispatched again later.
        first_delay_s: the seconds before the first retry; see `Retries`.
    """

    def __init__(
        self,
        backend: Backend,
        config: ExecutionConfig,
        *,
        lease: str,
        stop_signal: StopSignal,
        may_start: Callable[[], bool] = lambda: True,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        self._backend = backend
        self._config = config
        self._leases = (f"{lease}.{number}" for number in itertools.count())
        self._stop_signal = stop_signal
        self._may_start = may_start
        self._retries = Retries(backend.database, stop_signal, first_delay_s=first_delay_s)
        self._running: set[tuple[str, str]] = set()
        self._changed = threading.Condition()

    def run_phase(self, run_id: str, kind: str) -> None:
        """Execute the plan or the apply of a run, unless it has finished or is already running."""
        with self._changed:
            if self._stop_signal.level or (run_id, kind) in self._running or not self._may_start():
                return
            self._running.add((run_id, kind))
            lease = next(self._leases)
        try:
            self._run_phase(run_id, kind, lease)
        except PhaseInterrupted:
            _log.info("The %s of %s was interrupted and resumes at the next start.", kind, run_id)
        except Exception:  # noqa: BLE001  # the edge
            _log.exception("The %s of %s failed; the run becomes errored.", kind, run_id)
            self._abandon(run_id, kind, lease)
        finally:
            with self._changed:
                self._running.discard((run_id, kind))
                self._changed.notify_all()

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until no phase is running. Returns false after the timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout_s)

    def _run_phase(self, run_id: str, kind: str, lease: str) -> None:
        if kind == "apply":
            self._retries.until_done(lambda: self._wait_for_cli(run_id))
        phase = self._retries.until_done(lambda: self._start(run_id, kind, lease))
        if phase is None:
            return
        result = self._execute(phase)
        is_finished = self._finish(phase, lease, result)
        if result.state is not None and not self._stop_signal.level:
            store_json_state(self._backend, self._config, phase)
        if is_finished:
            self._config.remove(run_id)

    def _wait_for_cli(self, run_id: str) -> None:
        """Wait until the Terraform CLI has read the plan of an auto-applied run that it created."""
        with self._backend.database.read() as session:
            condition = (RunRow.id == run_id) & (RunRow.status == RunStatus.APPLY_QUEUED) & RunRow.auto_apply
            is_watched = condition & (RunRow.source == RunSource.TERRAFORM_CLOUD) & RunRow.confirmed_by_id.is_(None)
            plan = select(PhaseRow.id).join(RunRow).where(is_watched, PhaseRow.kind == "plan")
            plan_id = session.scalar(plan)
        if plan_id is not None:
            self._backend.log_reads.wait(plan_id)

    def _start(self, run_id: str, kind: str, lease: str) -> StartedPhase | None:
        with self._backend.database.write() as write:
            try:
                return start_phase(self._backend, write, run_id, kind, lease)
            except NotFound:  # it has been deleted
                return None

    def _execute(self, phase: StartedPhase) -> PhaseResult:
        level = CancelCheck(self._backend.database, phase.run.id, self._stop_signal)

        def attempt() -> PhaseResult:
            return execute(self._backend, self._config, phase, level)

        try:
            return self._retries.until_done(attempt, only=PhaseNotStarted)
        except PhaseInterrupted:
            if self._stop_signal.level:
                raise
        except Exception as error:  # noqa: BLE001  # the run must finish after any error
            _log.exception("The %s of %s failed.", phase.kind, phase.run.id)
            log_failure(self._backend, phase, error)
        if phase.kind == "plan":
            return PhaseResult(PhaseStatus.ERRORED)
        # Terraform may have changed resources, so the state in the directory must be stored.
        recovery = replace(phase, is_recovery=True)
        return self._retries.until_done(lambda: execute(self._backend, self._config, recovery, level))

    def _finish(self, phase: StartedPhase, lease: str, result: PhaseResult) -> bool:
        """Store the result of a phase. If this fails, the run becomes errored, and only its state is stored.

        Returns:
            Whether the run is finished, so that its directory can be removed.
        """
        try:
            is_finished = self._retries.until_done(lambda: self._store(phase, lease, result))
        except PhaseInterrupted:
            raise
        except Exception as error:  # noqa: BLE001  # unexpected; store as much as possible
            _log.exception("The result of the %s of %s cannot be stored.", phase.kind, phase.run.id)
            log_failure(self._backend, phase, error)
            if result.state is not None:
                self._keep_errored_state(phase, result.state)
            reduced = PhaseResult(PhaseStatus.ERRORED)
            is_finished = self._retries.until_done(lambda: self._store(phase, lease, reduced))
        if self._retries.has_failed:  # the dispatches after the failed commit may be lost
            self._retries.until_done(lambda: resume(self._backend))
        return is_finished

    def _keep_errored_state(self, phase: StartedPhase, state: bytes) -> None:
        self._retries.until_done(lambda: self._backend.objects.write("errored-state", phase.phase_id, state))

    def _store(self, phase: StartedPhase, lease: str, result: PhaseResult) -> bool:
        try:
            with self._backend.database.write() as write:
                return finish_phase(self._backend, write, phase.run.id, phase.kind, lease, result)
        except NotFound:  # it was deleted with its objects, except those that were just written
            for kind in KINDS_OF_PHASE:
                self._backend.objects.delete(kind, phase.phase_id)
            return True

    def _abandon(self, run_id: str, kind: str, lease: str) -> None:
        """Finish the phase as errored. Its files stay in the directory of the run."""

        def abandon() -> None:
            with self._backend.database.write() as write:
                abandon_phase(self._backend, write, run_id, kind, lease)

        try:
            self._retries.until_done(abandon)
        except NotFound:
            pass
        except Exception:  # noqa: BLE001  # housekeeping dispatches the phase again
            _log.exception("The %s of %s cannot be marked as errored. It is dispatched again.", kind, run_id)
