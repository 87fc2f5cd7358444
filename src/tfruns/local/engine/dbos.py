"""The queue for a PostgreSQL database: DBOS passes phases to worker threads.

A separate thread enqueues the dispatched phases and retries until it succeeds. So a dispatch, which follows a commit,
does not raise, and is never made inside a workflow.

Each start of a server is a separate DBOS application version. A server receives only the phases that it dispatched
itself, not those of another server that is starting or stopping.
"""

import itertools
import logging
import queue
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from tenacity import Retrying, stop_when_event_set, wait_exponential
from tenacity.nap import sleep_using_event

from tfruns.local.cannot_start import CannotStart
from tfruns.local.engine.phase_queue import Dispatch, RunPhase
from tfruns.local.queue import Priority

_log = logging.getLogger(__name__)

_QUEUE = "phases"
_POLL_S = 0.2  # a phase waits half of this on average
_EXECUTOR = "worker-1"
_RETENTION = timedelta(hours=1)
_MAX_PRUNED = 500
_in_use = threading.Lock()


class SecondBackend(CannotStart):
    """This process already runs a local backend on PostgreSQL. A process can contain only one DBOS."""


class DbosQueue:
    """Passes phases to worker threads with DBOS.

    Args:
        url: the URL of the database that contains the queue.
        boot_id: the id of this start of the server.
        workers: the number of phases that are executed in parallel.
    """

    def __init__(self, url: str, *, boot_id: str, workers: int) -> None:
        self._url = url
        self._boot_id = boot_id
        self._workers = workers
        self._waiting: queue.PriorityQueue[Dispatch] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._enqueue_all, name="dispatch", daemon=True)
        self._workflow: Any = None

    def dispatch(self, run_id: str, kind: str, priority: Priority) -> None:
        self._waiting.put(Dispatch(int(priority), next(self._numbers), run_id, kind))

    def start(self, run_phase: RunPhase) -> None:
        """Start the workers.

        Raises:
            SecondBackend: this process already uses DBOS.
        """
        if not _in_use.acquire(blocking=False):
            raise SecondBackend(
                "The local backend cannot start: this process already runs one on PostgreSQL, and can run only one. "
                "Start it in another process."
            )
        try:
            self._launch(run_phase)
        except BaseException:
            _release()
            raise
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._waiting.put(Dispatch(-1, next(self._numbers)))
        self._thread.join()
        _release()

    def prune(self) -> None:
        from dbos import DBOS  # noqa: PLC0415

        before = (datetime.now(UTC) - _RETENTION).isoformat()
        finished = DBOS.list_workflows(status=["SUCCESS", "ERROR"], end_time=before, limit=_MAX_PRUNED)
        if finished:
            DBOS.delete_workflows([workflow.workflow_id for workflow in finished])

    def _launch(self, run_phase: RunPhase) -> None:
        _log_through_root()
        from dbos import DBOS, DBOSConfig  # noqa: PLC0415  # takes half a second

        config: DBOSConfig = {
            "name": "tfruns-local",
            "system_database_url": self._url,
            "application_version": self._boot_id,
            "executor_id": _EXECUTOR,
            "enable_otlp": False,
            "log_level": "WARNING",
            "sys_db_pool_size": self._workers + 4,
            "scheduler_polling_interval_sec": 3600,
        }
        DBOS(config=config)

        def workflow(run_id: str, kind: str) -> None:  # DBOS accepts only functions
            run_phase(run_id, kind)

        self._workflow = DBOS.workflow(name="run_phase", max_recovery_attempts=None)(workflow)
        DBOS.listen_queues([_QUEUE])
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE, worker_concurrency=self._workers, polling_interval_sec=_POLL_S, on_conflict="always_update"
        )

    def _enqueue_all(self) -> None:
        retrying = Retrying(
            wait=wait_exponential(multiplier=0.2, max=5),
            stop=stop_when_event_set(self._stopped),
            sleep=sleep_using_event(self._stopped),
            before_sleep=lambda attempt: _log_retry(attempt.outcome),
            retry_error_callback=lambda _: None,
        )
        while not self._stopped.is_set():
            dispatch = self._waiting.get()
            if dispatch.run_id:
                retrying(self._enqueue, dispatch)

    def _enqueue(self, dispatch: Dispatch) -> None:
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID  # noqa: PLC0415

        id_ = f"{dispatch.run_id}-{dispatch.kind}-{self._boot_id}-{dispatch.number}"
        with SetWorkflowID(id_), SetEnqueueOptions(priority=dispatch.priority):
            DBOS.enqueue_workflow(_QUEUE, self._workflow, dispatch.run_id, dispatch.kind)


def _release() -> None:
    """Shut DBOS down, so that this process can launch it again."""
    from dbos import DBOS  # noqa: PLC0415

    DBOS.destroy(destroy_registry=True)
    _in_use.release()


def _log_retry(outcome: Any) -> None:
    error = outcome.exception() if outcome is not None else None
    _log.warning("A phase cannot be queued and will be retried: %s.", type(error).__name__)


def _log_through_root() -> None:
    """Log through the root logger. DBOS adds a handler to its own logger unless it already has one."""
    logger = logging.getLogger("dbos")
    logger.addHandler(logging.NullHandler())
    logger.propagate = True
    logger.setLevel(logging.WARNING)
