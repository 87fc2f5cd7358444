"""The worker, with a real store and a fake executor."""

import logging

import pytest
from sqlalchemy.exc import OperationalError

from tests.local.engine.conftest import Executor
from tests.local.support import STATE, Api
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.engine.cancel import CancelCheck, StopSignal
from tfruns.local.engine.execution import PhaseInterrupted
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.worker import Worker
from tfruns.local.service.phases import PhaseResult, StartedPhase
from tfruns.local.store.database import Database
from tfruns.local.store.objects import Objects


def never(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
    raise AssertionError("the phase must not be executed")


async def test_plan_and_an_apply_finish_a_run(api: Api, worker: Worker, executor: Executor) -> None:
    run = await api.create_run()
    worker.run_phase(run["id"], "plan")
    assert await api.status(run) == "planned"
    await api.act(run, "apply")
    executor.plays = [PhaseResult("finished", state=STATE)]
    worker.run_phase(run["id"], "apply")
    assert await api.status(run) == "applied"
    assert (await api.get(f"/workspaces/{api.workspace_id}/current-state-version"))["data"]


async def test_run_directory_is_kept_until_the_run_is_finished(
    api: Api, worker: Worker, executor: Executor, config: ExecutionConfig
) -> None:
    run = await api.create_run()
    directory = config.directory_of(run["id"])
    directory.mkdir()
    worker.run_phase(run["id"], "plan")
    assert directory.exists()
    await api.act(run, "apply")
    worker.run_phase(run["id"], "apply")
    assert not directory.exists()


async def test_phase_dispatched_twice_is_executed_once(api: Api, worker: Worker, executor: Executor) -> None:
    run = await api.create_run()
    worker.run_phase(run["id"], "plan")
    executor.plays = [never]
    worker.run_phase(run["id"], "plan")
    assert await api.status(run) == "planned"
    assert len(executor.started) == 1


async def test_unexpected_error_makes_the_run_errored(
    api: Api, worker: Worker, executor: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        raise RuntimeError("unexpected error")

    run = await api.create_run()
    executor.plays = [fail]
    worker.run_phase(run["id"], "plan")
    assert await api.status(run) == "errored"
    assert "unexpected error" in caplog.text


@pytest.mark.processes
async def test_unexpected_error_keeps_the_state_of_an_apply(
    api: Api, worker: Worker, executor: Executor, config: ExecutionConfig
) -> None:
    def fail(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        raise OSError(24, "Too many open files")

    def recover(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        assert phase.is_recovery
        assert config.directory_of(phase.run.id).exists()
        return PhaseResult("errored", state=STATE)

    run = await api.planned()
    await api.act(run, "apply")
    config.directory_of(run["id"]).mkdir()
    executor.plays = [fail, fail, recover]
    worker.run_phase(run["id"], "apply")
    assert await api.status(run) == "errored"
    assert (await api.get(f"/workspaces/{api.workspace_id}/current-state-version"))["data"]


async def test_storing_a_result_is_retried_until_it_succeeds(
    api: Api, worker: Worker, executor: Executor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = await api.planned()
    await api.act(run, "apply")
    write, failures = Objects.write, [OSError(28, "No space left on device")] * 2

    def sometimes(self: Objects, kind: str, id_: str, content: bytes) -> int:
        if failures:
            raise failures.pop()
        return write(self, kind, id_, content)

    monkeypatch.setattr(Objects, "write", sometimes)
    executor.plays = [PhaseResult("finished", state=STATE)]
    with caplog.at_level(logging.WARNING):
        worker.run_phase(run["id"], "apply")
    assert await api.status(run) == "applied"
    assert caplog.text.count("failed and will be retried") == 1, "one line per minute"


async def test_stop_during_retries_leaves_the_phase_for_the_next_start(
    api: Api, worker: Worker, executor: Executor, stop_signal: StopSignal, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await api.planned()
    await api.act(run, "apply")

    def away(*_: object) -> None:
        stop_signal.request(CancelLevel.INTERRUPT)
        raise OperationalError("UPDATE", {}, Exception("unavailable"))

    def finish(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        monkeypatch.setattr(Database, "write", away)
        return PhaseResult("finished", state=STATE)

    executor.plays = [finish]
    worker.run_phase(run["id"], "apply")
    monkeypatch.undo()
    assert await api.status(run) == "applying"
    assert worker.wait_until_idle(0)


async def test_no_phase_starts_while_the_server_is_stopping(
    api: Api, worker: Worker, executor: Executor, stop_signal: StopSignal
) -> None:
    run = await api.create_run()
    stop_signal.request(CancelLevel.INTERRUPT)
    worker.run_phase(run["id"], "plan")
    assert await api.status(run) == "plan_queued"
    assert executor.started == []


async def test_interrupted_plan_resumes_at_the_next_start(
    api: Api, worker: Worker, executor: Executor, stop_signal: StopSignal
) -> None:
    def interrupt(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        stop_signal.request(CancelLevel.INTERRUPT)
        raise PhaseInterrupted

    run = await api.create_run()
    executor.plays = [interrupt]
    worker.run_phase(run["id"], "plan")
    assert await api.status(run) == "planning"
    assert api.begin(run, "plan", "the next start")


async def test_state_is_stored_unchanged_even_if_it_is_unreadable(api: Api, worker: Worker, executor: Executor) -> None:
    outputs = {
        "deep": '{"value":' + "[" * 500 + "1" + "]" * 500 + ',"type":"dynamic"}',
        "huge": '{"value":1' + "0" * 5000 + ',"type":"number"}',
        "name": '{"value":1,"type":"number"}',
        "x" * 3000: '{"value":1,"type":"number"}',
    }
    text = ",".join(f'"{name}":{value}' for name, value in outputs.items()).encode()
    states = {  # the readable outputs and the serial
        STATE.replace(b'"outputs":{}', b'"outputs":{' + text + b"}"): (["name"], 1),
        STATE.replace(b'"serial":1', b'"serial":"one"'): ([], 2),
        STATE.replace(b'"serial":1', b'"serial":' + b"9" * 30): ([], 3),
        STATE.replace(b'"resources":[]', b'"resources":' + b"[" * 5000 + b"]" * 5000): ([], 1),
        STATE.replace(b'"lineage":"aaaa"', b'"lineage":["aaaa"]'): ([], 1),
        STATE.replace(b'"outputs":{}', b'"outputs":[1]'): ([], 1),
        b'{"meta":{},"encrypted_data":"AAAA"}': ([], 2),
    }
    for content, (names, serial) in states.items():
        run = await api.planned()
        await api.act(run, "apply")
        executor.plays = [PhaseResult("finished", state=content)]
        worker.run_phase(run["id"], "apply")
        assert await api.status(run) == "applied"
        shown = (await api.get(f"/workspaces/{api.workspace_id}/current-state-version"))["data"]
        assert api.backend.objects.read("state", shown["id"]) == content
        assert shown["attributes"]["serial"] == serial, content[:99]
        assert shown["attributes"]["resources-processed"] is False
        found = (await api.get(f"/state-versions/{shown['id']}/outputs"))["data"]
        assert [output["attributes"]["name"] for output in found] == names
        await api.post(f"/workspaces/{api.workspace_id}/actions/safe-delete", None, 409)


async def test_run_deleted_during_a_phase_leaves_nothing(
    api: Api, worker: Worker, executor: Executor, config: ExecutionConfig
) -> None:
    run = await api.planned()
    await api.act(run, "apply")
    config.directory_of(run["id"]).mkdir()
    written = []

    def write_after_deletion(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        with api.backend.database.write() as write:
            write.session.delete(write.session.merge(phase.run))
        assert level() == 2
        api.backend.objects.write("log", phase.phase_id, b"late")
        written.append(api.backend.objects.path("log", phase.phase_id))
        return PhaseResult("canceled", state=STATE)

    executor.plays = [write_after_deletion]
    worker.run_phase(run["id"], "apply")
    assert not written[0].exists()
    assert not config.directory_of(run["id"]).exists()
    await api.get(f"/runs/{run['id']}", 404)
    worker.run_phase(run["id"], "apply")  # a run that was deleted before the start is ignored


async def test_last_cancel_level_is_kept_without_the_database(
    api: Api, worker: Worker, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("unavailable"))

    def read_level(phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        seen.append(level())
        with api.backend.database.write() as write:
            write.session.merge(phase.run).cancel_level = CancelLevel.INTERRUPT
        seen.append(level())
        with monkeypatch.context() as patch:
            patch.setattr(Database, "read", away)
            seen.append(level())
        return PhaseResult("canceled")

    run = await api.create_run()
    executor.plays = [read_level]
    worker.run_phase(run["id"], "plan")
    assert seen == [CancelLevel.NONE, CancelLevel.INTERRUPT, CancelLevel.INTERRUPT]
    assert await api.status(run) == "canceled"
