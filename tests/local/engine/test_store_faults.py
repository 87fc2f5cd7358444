"""Failures of the store at every step of a phase: the run finishes, and its workspace is released."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, exc

from tests.local.engine.conftest import Executor
from tests.local.support import STATE, Api, Json
from tests.support.stores import on_both_stores
from tfruns.local.engine.cancel import StopSignal
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.worker import Worker
from tfruns.local.service.phases import PhaseResult

_CAUSE = Exception("unavailable")
_FAULTS: dict[str, Callable[[], Exception]] = {
    "the database is unavailable": lambda: exc.OperationalError("UPDATE", {}, _CAUSE),
    "the connection is broken": lambda: exc.InterfaceError("UPDATE", {}, _CAUSE),
    "the database fails": lambda: exc.InternalError("UPDATE", {}, _CAUSE),
    "the pool is empty": lambda: exc.TimeoutError("QueuePool limit"),
    "the connection was closed": lambda: exc.ResourceClosedError("closed"),
    "a value is invalid": lambda: exc.DataError("INSERT", {}, _CAUSE),
    "a row exists": lambda: exc.IntegrityError("INSERT", {}, _CAUSE),
    "the driver fails": lambda: sqlite3.OperationalError("disk I/O error"),
    "the disk is full": lambda: OSError(28, "No space left on device"),
    "the disk is read-only": lambda: OSError(30, "Read-only file system"),
    "memory is exhausted": MemoryError,
    "the error is unexpected": lambda: KeyError("surprise"),
}


@pytest.fixture
def impatient(api: Api, config: ExecutionConfig, stop_signal: StopSignal) -> Worker:
    """A worker that retries immediately."""
    return Worker(api.backend, config, lease="this start", stop_signal=stop_signal, first_delay_s=0.001)


@contextmanager
def failing(api: Api, name: str, number: int, make: Callable[[], Exception]) -> Iterator[list[int]]:
    """Fail the n-th event of this name (`before_cursor_execute`, `commit`) once. Yields the number of events."""
    count = [0]

    def fail(*_: Any) -> None:
        count[0] += 1
        if count[0] == number + 1:
            raise make()

    event.listen(api.backend.database.engine, name, fail)
    try:
        yield count
    finally:
        event.remove(api.backend.database.engine, name, fail)


async def _is_free(api: Api) -> bool:
    return not (await api.get(f"/workspaces/{api.workspace_id}"))["data"]["attributes"]["locked"]


async def _check_ended(api: Api, run: Json, kind: str, message: str) -> None:
    expected = "planned" if kind == "plan" else "applied"
    assert await api.status(run) == expected, message
    if kind == "plan":
        await api.act(run, "discard")
    assert await _is_free(api), message


def _faults_at(name: str, number: int, store: str) -> list[str]:
    """All faults of a commit, a third of them on PostgreSQL; one of a statement, another one on each store.

    In all steps together, every fault occurs on both stores.
    """
    faults = list(_FAULTS)
    if name == "commit":
        return faults if store == "sqlite" else faults[number % 3 :: 3]
    return [faults[(number + (len(faults) // 2 if store == "postgresql" else 0)) % len(faults)]]


@on_both_stores
@pytest.mark.parametrize("kind", ["plan", "apply"])
@pytest.mark.parametrize("name", ["before_cursor_execute", "commit"])
async def test_any_single_failure_is_retried(
    api: Api, impatient: Worker, executor: Executor, store: str, kind: str, name: str
) -> None:
    number, steps, seen = 0, 1, set()
    while number < steps:
        for fault in _faults_at(name, number, store):
            run = await api.create_run()
            if kind == "apply":
                impatient.run_phase(run["id"], "plan")
                await api.act(run, "apply")
                executor.plays = [PhaseResult("finished", state=STATE)]
            with failing(api, name, number, _FAULTS[fault]) as count:
                impatient.run_phase(run["id"], kind)
            steps = count[0] if not number else steps
            await _check_ended(api, run, kind, f"{fault} at {name} {number} of the {kind}")
            seen.add(fault)
        number += 1
    assert seen == set(_FAULTS)


async def test_commit_whose_response_is_lost_is_not_repeated(
    api: Api, impatient: Worker, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks after the commit: every step happens once, and the apply is dispatched."""
    database = type(api.backend.database)
    write = database.write
    lost: list[Any] = []

    @contextmanager
    def committed(self: Any) -> Iterator[Any]:
        with write(self) as change:
            yield change
            steps, change.after_commit = change.after_commit, []
        if len(lost) < 2:  # the start and the result of the phase
            lost.append(steps)
            raise exc.OperationalError("COMMIT", {}, _CAUSE)
        for step in steps:
            step()

    run = await api.create_run(auto_apply=True)
    following = await api.create_run()
    monkeypatch.setattr(database, "write", committed)
    impatient.run_phase(run["id"], "plan")
    assert api.dispatches.phases_of(run["id"])[-1] == "apply"
    assert len(executor.started) == 1, "it was planned once"
    lost.clear()
    executor.plays = [PhaseResult("finished", state=STATE)]
    impatient.run_phase(run["id"], "apply")
    assert len(executor.started) == 2, "it was applied once"
    assert await api.status(run) == "applied"
    assert api.dispatches.phases_of(following["id"]) == ["plan"] * len(api.dispatches.phases_of(following["id"]))
    assert await api.status(following) == "plan_queued"
    assert api.dispatches.phases_of(following["id"])


async def test_result_that_cannot_be_stored_keeps_its_state(api: Api, impatient: Worker, executor: Executor) -> None:
    run = await api.planned()
    await api.act(run, "apply")
    executor.plays = [PhaseResult("finished", state=STATE, counts={"additions": 10**30})]
    impatient.run_phase(run["id"], "apply")
    assert await api.status(run) == "errored"
    apply_id = run["relationships"]["apply"]["data"]["id"]
    assert api.backend.objects.read("errored-state", apply_id) == STATE
    log = api.backend.objects.read("log", apply_id)
    assert log is not None
    assert b"The apply failed: internal error of the server (OverflowError)." in log
    assert await _is_free(api)


@pytest.mark.parametrize("kind", ["plan", "apply"])
async def test_phase_that_cannot_start_makes_the_run_errored(
    api: Api, impatient: Worker, executor: Executor, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    run = await (api.create_run() if kind == "plan" else api.planned())
    if kind == "apply":
        await api.act(run, "apply")

    def fail(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("tfruns.local.engine.worker.start_phase", fail)
    impatient.run_phase(run["id"], kind)
    assert executor.started == []
    assert await api.status(run) == "errored"
    assert await _is_free(api)
