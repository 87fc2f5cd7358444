"""The queue for a PostgreSQL database: DBOS brings phases to worker threads.

A dispatch is handed to a thread of its own. So it never fails where it is made, just after a commit; it is made outside
of any workflow; and it is repeated until it works.

Each start of a server is an application version of its own for DBOS: a server takes only the phases that it dispatched
itself, never those of another one that is starting or stopping.
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
from tfruns.local.engine.threads import Dispatch, RunPhase
from tfruns.local.queue import Priority

_log = logging.getLogger(__name__)

_QUEUE = "phases"
_POLL_S = 0.2  # each phase waits half of it on average
_EXECUTOR = "worker-1"
_KEEP_ENDED = timedelta(hours=1)
_PRUNED_AT_ONCE = 500
_in_use = threading.Lock()


class SecondBackend(CannotStart):
    """This process runs a local backend already; DBOS can be had only once in a process."""


class DbosQueue:
    """Brings phases to worker threads by way of DBOS.

    Args:
        url: of the database for what is queued.
        boot_id: new with each start.
        workers: how many phases are executed at a time.
    """

    def __init__(self, url: str, *, boot_id: str, workers: int) -> None:
        self._url = url
        self._boot_id = boot_id
        self._workers = workers
        self._waiting: queue.PriorityQueue[Dispatch] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._enqueue_all, name="dispatch", daemon=True)
        self._workflow: Any = None

    def dispatch(self, run_id: str, kind: str, priority: Priority) -> None:
        self._waiting.put(Dispatch(int(priority), next(self._numbers), run_id, kind))

    def start(self, run_phase: RunPhase) -> None:
        """Start the workers.

        Raises:
            SecondBackend: this process uses DBOS already.
        """
        if not _in_use.acquire(blocking=False):
            raise SecondBackend("This process runs a local backend already, and there can be only one in a process.")
        try:
            self._launch(run_phase)
        except BaseException:
            _let_go()
            raise
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._waiting.put(Dispatch(-1, next(self._numbers)))
        self._thread.join()
        _let_go()

    def forget_ended(self) -> None:
        from dbos import DBOS  # noqa: PLC0415

        before = (datetime.now(UTC) - _KEEP_ENDED).isoformat()
        ended = DBOS.list_workflows(status=["SUCCESS", "ERROR"], end_time=before, limit=_PRUNED_AT_ONCE)
        if ended:
            DBOS.delete_workflows([workflow.workflow_id for workflow in ended])

    def _launch(self, run_phase: RunPhase) -> None:
        _log_through_root()
        from dbos import DBOS, DBOSConfig  # noqa: PLC0415  # half a second

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

        def carried(run_id: str, kind: str) -> None:  # DBOS takes functions only
            run_phase(run_id, kind)

        self._workflow = DBOS.workflow(name="run_phase", max_recovery_attempts=None)(carried)
        DBOS.listen_queues([_QUEUE])
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE, worker_concurrency=self._workers, polling_interval_sec=_POLL_S, on_conflict="always_update"
        )

    def _enqueue_all(self) -> None:
        retrying = Retrying(
            wait=wait_exponential(multiplier=0.2, max=5),
            stop=stop_when_event_set(self._ended),
            sleep=sleep_using_event(self._ended),
            before_sleep=lambda attempt: _log.warning("A phase cannot be queued yet: %s", _why(attempt.outcome)),
            retry_error_callback=lambda _: None,
        )
        while not self._ended.is_set():
            dispatch = self._waiting.get()
            if dispatch.run_id:
                retrying(self._enqueue, dispatch)

    def _enqueue(self, dispatch: Dispatch) -> None:
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID  # noqa: PLC0415

        id_ = f"{dispatch.run_id}-{dispatch.kind}-{self._boot_id}-{dispatch.number}"
        with SetWorkflowID(id_), SetEnqueueOptions(priority=dispatch.priority):
            DBOS.enqueue_workflow(_QUEUE, self._workflow, dispatch.run_id, dispatch.kind)


def _let_go() -> None:
    """End what there can be only once in a process."""
    from dbos import DBOS  # noqa: PLC0415

    DBOS.destroy(destroy_registry=True)
    _in_use.release()


def _why(outcome: Any) -> str:
    error = outcome.exception() if outcome is not None else None
    return type(error).__name__


def _log_through_root() -> None:
    """DBOS puts a handler of its own on its logger, unless there is one."""
    logger = logging.getLogger("dbos")
    logger.addHandler(logging.NullHandler())
    logger.propagate = True
    logger.setLevel(logging.WARNING)
