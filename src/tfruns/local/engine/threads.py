"""The queue for a SQLite database: worker threads of the server, which take the phase with the highest priority."""

import itertools
import queue
import threading

from tfruns.local.engine.phase_queue import Dispatch, RunPhase
from tfruns.local.queue import Priority


class ThreadQueue:
    """A queue in memory, with worker threads of this process.

    Args:
        workers: the number of phases that are executed in parallel.
    """

    def __init__(self, *, workers: int) -> None:
        self._waiting: queue.PriorityQueue[Dispatch] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._queued: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def dispatch(self, run_id: str, kind: str, priority: Priority) -> None:
        with self._lock:
            if (run_id, kind) in self._queued:
                return
            self._queued.add((run_id, kind))
        self._waiting.put(Dispatch(int(priority), next(self._numbers), run_id, kind))

    def start(self, run_phase: RunPhase) -> None:
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, args=(run_phase,), name=f"worker-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        for _ in self._threads:
            self._waiting.put(Dispatch(-1, next(self._numbers)))
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def prune(self) -> None:
        """Do nothing: this queue stores no records."""

    def _work(self, run_phase: RunPhase) -> None:
        while (dispatch := self._waiting.get()).run_id:
            with self._lock:
                self._queued.discard((dispatch.run_id, dispatch.kind))
            run_phase(dispatch.run_id, dispatch.kind)
