"""The port to what brings phases to workers, and the queue of one process: worker threads, the most urgent phase first.

A queue holds nothing that the runs do not say too. What is lost with the process is dispatched again at the next start.
"""

import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tfruns.local.queue import Priority

RunPhase = Callable[[str, str], None]
"""Executes the plan or the apply (`kind`) of a run (`run_id`). It never raises."""


class PhaseQueue(Protocol):
    """Brings dispatched phases to workers."""

    def dispatch(self, run_id: str, kind: str, priority: Priority) -> None:
        """Have a phase executed once a worker is free. It never fails, also where the database is away.

        A phase that is dispatched several times is executed once: see `start_phase`.
        """
        ...

    def start(self, run_phase: RunPhase) -> None:
        """Start the workers."""
        ...

    def stop(self) -> None:
        """Stop the workers, which no longer begin phases."""
        ...

    def forget_ended(self) -> None:
        """Delete what the queue stores of phases that ended a while ago."""
        ...


@dataclass(frozen=True, order=True, slots=True)
class Dispatch:
    """A phase on its way to a worker. Without a run it stops the thread that takes it."""

    priority: int
    number: int
    run_id: str = field(default="", compare=False)
    kind: str = field(default="", compare=False)


class ThreadQueue:
    """Worker threads of this process.

    Args:
        workers: how many phases are executed at a time.
    """

    def __init__(self, *, workers: int) -> None:
        self._waiting: queue.PriorityQueue[Dispatch] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def dispatch(self, run_id: str, kind: str, priority: Priority) -> None:
        with self._lock:
            if (run_id, kind) in self._known:
                return
            self._known.add((run_id, kind))
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

    def forget_ended(self) -> None:
        """Do nothing: nothing is stored."""

    def _work(self, run_phase: RunPhase) -> None:
        while (dispatch := self._waiting.get()).run_id:
            with self._lock:
                self._known.discard((dispatch.run_id, dispatch.kind))
            run_phase(dispatch.run_id, dispatch.kind)
