"""The other end of the port: what a worker does with a phase. It begins it, executes it and ends it, and never raises.

What a phase leaves must not be lost: as long as it cannot be stored (a full disk, a database that is away), the worker
tries again, and the run keeps its workspace. If the server ends before that succeeds, the next start finds it in the
run's directory.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_when_event_set,
    wait_exponential,
)
from tenacity.nap import sleep_using_event

from tfruns.errors import NotFound, UnprocessableEntity
from tfruns.local.backend import Backend
from tfruns.local.engine.execution import Interrupted, execute
from tfruns.local.engine.jobs import Workshop
from tfruns.local.engine.stopping import CancelLevel, Stopping
from tfruns.local.service.phases import Begun, PhaseResult, begin_phase, end_phase
from tfruns.local.store.objects import KINDS_OF_PHASE
from tfruns.local.store.schema import PhaseRow, RunRow
from tfruns.vocabulary import PhaseStatus, RunSource, RunStatus

_log = logging.getLogger(__name__)

T = TypeVar("T")
_PASSING = (OperationalError, InterfaceError, OSError)


class Worker:
    """Executes phases.

    Args:
        backend: where the runs are.
        workshop: where and with what they are executed.
        lease: under which this server holds what it executes; new with each start.
        stopping: whether the server is being stopped.
    """

    def __init__(self, backend: Backend, workshop: Workshop, *, lease: str, stopping: Stopping) -> None:
        self._backend = backend
        self._workshop = workshop
        self._lease = lease
        self._stopping = stopping
        self._under_way = 0
        self._changed = threading.Condition()

    def run_phase(self, run_id: str, kind: str) -> None:
        """Execute the plan or the apply of a run, unless it has ended, or somebody else does it."""
        with self._changed:
            if self._stopping.level:
                return
            self._under_way += 1
        try:
            self._run_phase(run_id, kind)
        except Interrupted:
            _log.info("The %s of %s is taken up again at the next start.", kind, run_id)
        except Exception:  # noqa: BLE001  # the edge; what it left is found at the next start
            _log.exception("The %s of %s could not be carried out.", kind, run_id)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Whether nothing is under way any more; waits for that as long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, timeout_s)

    def _run_phase(self, run_id: str, kind: str) -> None:
        if kind == "apply":
            self._persistently(lambda: self._wait_for_watcher(run_id))
        begun = self._persistently(lambda: self._begin(run_id, kind))
        if begun is None:
            return
        result = self._execute(begun)
        if self._persistently(lambda: self._end(begun, result)):
            self._workshop.remove(run_id)

    def _wait_for_watcher(self, run_id: str) -> None:
        """Let the Terraform CLI see the plan of a run of its own, before a run that asks nobody goes on."""
        with self._backend.database.read() as session:
            condition = (RunRow.id == run_id) & (RunRow.status == RunStatus.APPLY_QUEUED) & RunRow.auto_apply
            is_watched = condition & (RunRow.source == RunSource.TERRAFORM_CLOUD) & RunRow.confirmed_by_id.is_(None)
            plan = select(PhaseRow.id).join(RunRow).where(is_watched, PhaseRow.kind == "plan")
            plan_id = session.scalar(plan)
        if plan_id is not None:
            self._backend.reading.wait(plan_id)

    def _begin(self, run_id: str, kind: str) -> Begun | None:
        with self._backend.database.write() as write:
            try:
                return begin_phase(self._backend, write, run_id, kind, self._lease)
            except NotFound:  # it was deleted in the meantime
                return None

    def _execute(self, begun: Begun) -> PhaseResult:
        level = CancelLevel(self._backend.database, begun.run.id, self._stopping)
        try:
            return execute(self._backend, self._workshop, begun, level)
        except Interrupted:
            raise
        except Exception:  # noqa: BLE001  # whatever it is, the run has to end
            _log.exception("The %s of %s failed.", begun.kind, begun.run.id)
        if begun.kind == "plan":
            return PhaseResult(PhaseStatus.ERRORED)
        # Terraform may have changed something; the state that says so must not go with the directory.
        return self._persistently(
            lambda: execute(self._backend, self._workshop, replace(begun, is_recovery=True), level)
        )

    def _end(self, begun: Begun, result: PhaseResult) -> bool:
        try:
            with self._backend.database.write() as write:
                return end_phase(self._backend, write, begun.run.id, begun.kind, self._lease, result)
        except NotFound:  # deleted in the meantime, with its objects but those that were just written
            for kind in KINDS_OF_PHASE:
                self._backend.objects.delete(kind, begun.phase_id)
            return True
        except UnprocessableEntity as error:  # a state that cannot be the workspace's
            _log.error("The state of %s is kept as its errored state: %s", begun.run.id, error.message)
            self._backend.objects.write("errored-state", begun.phase_id, result.state or b"")
            return self._end(begun, replace(result, state=None, status=PhaseStatus.ERRORED))

    def _persistently(self, step: Callable[[], T]) -> T:
        """Do it, again and again where what hinders it may pass.

        Raises:
            Interrupted: it did not work before the server was stopped.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_PASSING),
            wait=wait_exponential(multiplier=0.2, max=5),
            stop=stop_when_event_set(self._stopping.begun),
            sleep=sleep_using_event(self._stopping.begun),
            before_sleep=_say_why,
        )
        try:
            return retrying(step)
        except RetryError:
            raise Interrupted from None


def _say_why(attempt: RetryCallState) -> None:
    error = attempt.outcome.exception() if attempt.outcome is not None else None
    _log.warning("What a phase has left cannot be stored yet, and is tried again: %s", type(error).__name__)
