"""The contract of `PhaseQueue`, for the threads of a process and for DBOS."""

import itertools
import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.stores import on_both_stores
from tfruns.local.engine.dbos import DbosQueue, SecondBackend
from tfruns.local.engine.phase_queue import PhaseQueue
from tfruns.local.engine.threads import ThreadQueue
from tfruns.local.queue import Priority

_TIMEOUT_S = 60.0

MakeQueue = Callable[[int], PhaseQueue]


class Phases:
    """Executes phases: records them in order, and blocks each one while it is told to."""

    def __init__(self) -> None:
        self.started: queue.Queue[tuple[str, str]] = queue.Queue()
        self.may_finish = threading.Semaphore(0)
        self.most_in_parallel = 0
        self._running = 0
        self._lock = threading.Lock()

    def __call__(self, run_id: str, kind: str) -> None:
        with self._lock:
            self._running += 1
            self.most_in_parallel = max(self.most_in_parallel, self._running)
        self.started.put((run_id, kind))
        assert self.may_finish.acquire(timeout=_TIMEOUT_S)
        with self._lock:
            self._running -= 1

    def next(self) -> tuple[str, str]:
        return self.started.get(timeout=_TIMEOUT_S)


@pytest.fixture
def phases() -> Iterator[Phases]:
    phases = Phases()
    yield phases
    phases.may_finish.release(100)


@pytest.fixture
def make_queue(store: str, store_url: str) -> MakeQueue:
    """Creates a queue of the store's kind with this number of workers."""

    starts = itertools.count()

    def make(workers: int) -> PhaseQueue:
        if store == "postgresql":
            return DbosQueue(store_url, boot_id=f"start-{next(starts)}", workers=workers)
        return ThreadQueue(workers=workers)

    return make


@on_both_stores
def test_phases_run_by_priority_then_in_the_order_of_dispatch(make_queue: MakeQueue, phases: Phases) -> None:
    queued = make_queue(1)
    phases.may_finish.release(100)
    queued.dispatch("run-speculative", "plan", Priority.SPECULATIVE_PLAN)
    queued.dispatch("run-first", "plan", Priority.PLAN)
    queued.dispatch("run-second", "plan", Priority.PLAN)
    queued.dispatch("run-apply", "apply", Priority.APPLY)
    queued.start(phases)
    try:
        assert [phases.next() for _ in range(4)] == [
            ("run-apply", "apply"),
            ("run-first", "plan"),
            ("run-second", "plan"),
            ("run-speculative", "plan"),
        ]
    finally:
        queued.stop()


@on_both_stores
def test_workers_run_in_parallel_up_to_their_number(make_queue: MakeQueue, phases: Phases) -> None:
    queued = make_queue(2)
    queued.start(phases)
    try:
        for number in range(4):
            queued.dispatch(f"run-{number}", "plan", Priority.PLAN)
        started = {phases.next(), phases.next()}
        for _ in range(2):
            phases.may_finish.release()
            started.add(phases.next())
        phases.may_finish.release(2)
    finally:
        queued.stop()
    assert started == {(f"run-{number}", "plan") for number in range(4)}
    assert phases.most_in_parallel == 2


@on_both_stores
def test_phase_can_be_dispatched_again_after_it_has_run(make_queue: MakeQueue, phases: Phases) -> None:
    queued = make_queue(1)
    phases.may_finish.release(100)
    queued.start(phases)
    try:
        for _ in range(3):
            queued.dispatch("run-1", "plan", Priority.PLAN)
            assert phases.next() == ("run-1", "plan")
        queued.prune()
    finally:
        queued.stop()


@on_both_stores
def test_stopped_queue_passes_no_phase_to_a_worker(make_queue: MakeQueue, phases: Phases) -> None:
    stopped, current = make_queue(1), make_queue(1)
    phases.may_finish.release(100)
    stopped.start(phases)
    stopped.stop()
    stopped.dispatch("run-1", "plan", Priority.APPLY)
    current.start(phases)
    try:
        current.dispatch("run-2", "plan", Priority.PLAN)
        assert phases.next() == ("run-2", "plan")
    finally:
        current.stop()
    assert phases.started.empty()


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.processes)], indirect=True)
def test_process_has_one_dbos_queue_at_a_time(make_queue: MakeQueue, phases: Phases) -> None:
    first, second = make_queue(1), make_queue(1)
    phases.may_finish.release(100)
    first.start(phases)
    try:
        with pytest.raises(SecondBackend, match=r"^The local backend cannot start: this process already runs one"):
            second.start(phases)
    finally:
        first.stop()
    second.start(phases)
    try:
        second.dispatch("run-1", "plan", Priority.PLAN)
        assert phases.next() == ("run-1", "plan")
    finally:
        second.stop()
