"""The other end of the queue: what a worker does with a phase. It begins it, executes it, ends it, and never raises.

What a phase leaves must not be lost. While it cannot be stored for a reason that passes (a full disk, a database that
is away), the worker tries again, and the run keeps its workspace. Where it fails for any other reason, the run ends as
errored with what is known, and the workspace is released: no phase is left without an owner. If the server stops
before, the next start finds what is left in the run's directory.
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
from tfruns.local.engine.cancel import CancelCheck, Stopping
from tfruns.local.engine.execution import Interrupted, NotStarted, execute, keep_json_state, note_failure
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
        backend: where the runs are.
        config: where and with what they are executed.
        lease: what this start of the server is called; each phase that it begins has a lease of its own below it.
        stopping: whether the server is being stopped.
        may_begin: whether phases may be begun now; those that may not are dispatched again later.
        first_delay_s: see `Retries`.
    """

    def __init__(
        self,
        backend: Backend,
        config: ExecutionConfig,
        *,
        lease: str,
        stopping: Stopping,
        may_begin: Callable[[], bool] = lambda: True,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        self._backend = backend
        self._config = config
        self._leases = (f"{lease}.{number}" for number in itertools.count())
        self._stopping = stopping
        self._may_begin = may_begin
        self._retries = Retries(backend.database, stopping, first_delay_s=first_delay_s)
        self._running: set[tuple[str, str]] = set()
        self._changed = threading.Condition()

    def run_phase(self, run_id: str, kind: str) -> None:
        """Execute the plan or the apply of a run, unless it has ended, or is being executed already."""
        with self._changed:
            if self._stopping.level or (run_id, kind) in self._running or not self._may_begin():
                return
            self._running.add((run_id, kind))
            lease = next(self._leases)
        try:
            self._run_phase(run_id, kind, lease)
        except Interrupted:
            _log.info("The %s of %s is resumed at the next start.", kind, run_id)
        except Exception:  # noqa: BLE001  # the edge
            _log.exception("The %s of %s failed; the run ends as errored.", kind, run_id)
            self._abandon(run_id, kind, lease)
        finally:
            with self._changed:
                self._running.discard((run_id, kind))
                self._changed.notify_all()

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Whether nothing is executed any more; waits for that as long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout_s)

    def _run_phase(self, run_id: str, kind: str, lease: str) -> None:
        if kind == "apply":
            self._retries.until_done(lambda: self._wait_for_watcher(run_id))
        begun = self._retries.until_done(lambda: self._begin(run_id, kind, lease))
        if begun is None:
            return
        result = self._execute(begun)
        is_over = self._end(begun, lease, result)
        if result.state is not None and not self._stopping.level:
            keep_json_state(self._backend, self._config, begun)
        if is_over:
            self._config.remove(run_id)

    def _wait_for_watcher(self, run_id: str) -> None:
        """Let the Terraform CLI see the plan of a run of its own, before a run that asks nobody goes on."""
        with self._backend.database.read() as session:
            condition = (RunRow.id == run_id) & (RunRow.status == RunStatus.APPLY_QUEUED) & RunRow.auto_apply
            is_watched = condition & (RunRow.source == RunSource.TERRAFORM_CLOUD) & RunRow.confirmed_by_id.is_(None)
            plan = select(PhaseRow.id).join(RunRow).where(is_watched, PhaseRow.kind == "plan")
            plan_id = session.scalar(plan)
        if plan_id is not None:
            self._backend.log_reads.wait(plan_id)

    def _begin(self, run_id: str, kind: str, lease: str) -> StartedPhase | None:
        with self._backend.database.write() as write:
            try:
                return start_phase(self._backend, write, run_id, kind, lease)
            except NotFound:  # it was deleted in the meantime
                return None

    def _execute(self, begun: StartedPhase) -> PhaseResult:
        level = CancelCheck(self._backend.database, begun.run.id, self._stopping)

        def attempt() -> PhaseResult:
            return execute(self._backend, self._config, begun, level)

        try:
            return self._retries.until_done(attempt, only=NotStarted)
        except Interrupted:
            if self._stopping.level:
                raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the run has to end
            _log.exception("The %s of %s failed.", begun.kind, begun.run.id)
            note_failure(self._backend, begun, error)
        if begun.kind == "plan":
            return PhaseResult(PhaseStatus.ERRORED)
        # Terraform may have changed something; the state that says so must not go with the directory.
        recovery = replace(begun, is_recovery=True)
        return self._retries.until_done(lambda: execute(self._backend, self._config, recovery, level))

    def _end(self, begun: StartedPhase, lease: str, result: PhaseResult) -> bool:
        """End the phase; where its result cannot be stored, with its state as the errored one.

        Returns:
            Whether nothing of the run is needed any more.
        """
        try:
            is_over = self._retries.until_done(lambda: self._store(begun, lease, result))
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001  # nobody foresaw it; what can be kept is kept
            _log.exception("The result of the %s of %s cannot be stored.", begun.kind, begun.run.id)
            note_failure(self._backend, begun, error)
            if result.state is not None:
                self._keep_errored_state(begun, result.state)
            reduced = PhaseResult(PhaseStatus.ERRORED)
            is_over = self._retries.until_done(lambda: self._store(begun, lease, reduced))
        if self._retries.has_failed:  # what had to follow the first attempt may be lost
            self._retries.until_done(lambda: resume(self._backend))
        return is_over

    def _keep_errored_state(self, begun: StartedPhase, state: bytes) -> None:
        self._retries.until_done(lambda: self._backend.objects.write("errored-state", begun.phase_id, state))

    def _store(self, begun: StartedPhase, lease: str, result: PhaseResult) -> bool:
        try:
            with self._backend.database.write() as write:
                return finish_phase(self._backend, write, begun.run.id, begun.kind, lease, result)
        except NotFound:  # deleted in the meantime, with its objects but those that were just written
            for kind in KINDS_OF_PHASE:
                self._backend.objects.delete(kind, begun.phase_id)
            return True

    def _abandon(self, run_id: str, kind: str, lease: str) -> None:
        """End the phase as errored, whatever it has left: that stays in the run's directory."""

        def abandon() -> None:
            with self._backend.database.write() as write:
                abandon_phase(self._backend, write, run_id, kind, lease)

        try:
            self._retries.until_done(abandon)
        except NotFound:
            pass
        except Exception:  # noqa: BLE001  # it is still a row, which housekeeping dispatches again
            _log.exception("The %s of %s cannot be ended yet.", kind, run_id)
