"""Housekeeping: the data that it deletes, and the data that it keeps."""

import logging
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from tests.local.support import STATE, Api, Json
from tfruns.local.engine.housekeeping import Housekeeping
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.store.database import Database
from tfruns.local.store.schema import RunRow

_DAY_S = 24 * 3600


def clean_up(api: Api, config: ExecutionConfig, keep: timedelta | None = None) -> None:
    Housekeeping(api.backend, config, keep=keep, prune_queue=lambda: None).clean_up()


def make_directory(config: ExecutionConfig, run: Json) -> Path:
    directory = config.directory_of(run["id"])
    directory.mkdir()
    return directory


async def phase_objects(api: Api, run: Json, *, age_days: float) -> list[Path]:
    """The log and the JSON files of the plan of a run, with this age."""
    plan_id = (await api.run(run))["relationships"]["plan"]["data"]["id"]
    paths = []
    written_at = api.clock.now().timestamp() - age_days * _DAY_S
    for kind in ("log", "plan-json", "plan-json-redacted"):
        api.backend.objects.write(kind, plan_id, b"{}")
        paths.append(api.backend.objects.path(kind, plan_id))
        os.utime(paths[-1], (written_at, written_at))
    return paths


async def test_only_the_directories_of_finished_runs_are_removed(api: Api, config: ExecutionConfig) -> None:
    discarded = await api.planned()
    await api.act(discarded, "discard")
    waiting = await api.planned()
    gone, kept = make_directory(config, discarded), make_directory(config, waiting)
    clean_up(api, config)
    assert not gone.exists()
    assert kept.exists()


async def test_directory_of_a_run_with_a_process_is_kept(api: Api, config: ExecutionConfig) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    kept = make_directory(config, run)
    clean_up(api, config)
    assert kept.exists()


async def test_directory_of_a_deleted_run_is_removed(api: Api, config: ExecutionConfig) -> None:
    gone = make_directory(config, {"id": "run-unknown000000001"})
    clean_up(api, config)
    assert not gone.exists()


@pytest.mark.parametrize(
    ("keep_days", "age_days", "is_kept"), [(None, 1000, True), (7, 6, True), (7, 8, False), (0.5, 1, False)]
)
async def test_logs_and_plans_of_finished_runs_are_kept_for_some_days(
    api: Api, config: ExecutionConfig, keep_days: float | None, age_days: float, is_kept: bool
) -> None:
    run = await api.planned()
    await api.act(run, "discard")
    paths = await phase_objects(api, run, age_days=age_days)
    clean_up(api, config, None if keep_days is None else timedelta(days=keep_days))
    assert [path.exists() for path in paths] == [is_kept] * 3
    assert await api.status(run) == "discarded"


async def test_logs_and_plans_of_a_waiting_run_are_kept(api: Api, config: ExecutionConfig) -> None:
    paths = await phase_objects(api, await api.planned(), age_days=1000)
    clean_up(api, config, timedelta(days=1))
    assert all(path.exists() for path in paths)


async def test_incomplete_uploads_and_orphans_are_removed_after_a_day(api: Api, config: ExecutionConfig) -> None:
    objects = api.backend.objects
    run = await api.planned()
    plan_id = (await api.run(run))["relationships"]["plan"]["data"]["id"]
    configuration_id = run["relationships"]["configuration-version"]["data"]["id"]
    kept = {("log", plan_id), ("plan-json", plan_id), ("configuration", configuration_id)}
    orphans = {(kind, f"{kind}-unknown000000001") for kind in ("log", "errored-state", "state", "configuration")}
    unfinished = {("state", ".sv-1.abcd"), ("incoming", "old")}
    for kind, name in (kept - {("configuration", configuration_id)}) | orphans | unfinished:
        objects.write(kind, name, b"{}")
    for kind, name in kept | orphans | unfinished:
        os.utime(objects.path(kind, name), (0, 0))
    young = {("incoming", "new"), ("state", "sv-justWritten")}
    for kind, name in young:
        objects.write(kind, name, b"half")
    clean_up(api, config)
    assert {thing for thing in kept | young | orphans | unfinished if objects.path(*thing).exists()} == kept | young


async def test_directory_of_an_apply_is_kept_until_its_state_is_stored(
    api: Api, config: ExecutionConfig, caplog: pytest.LogCaptureFixture
) -> None:
    run = await api.applying()
    apply_id = run["relationships"]["apply"]["data"]["id"]
    state_file = make_directory(config, run) / "state" / "network" / "terraform.tfstate"
    state_file.parent.mkdir(parents=True)
    state_file.write_bytes(STATE)
    api.end(run, "apply", status="errored")
    clean_up(api, config)
    assert api.backend.objects.read("errored-state", apply_id) == STATE
    assert not config.directory_of(run["id"]).exists()
    assert "was not stored. It is kept as the errored state of its apply." in caplog.text
    stored = await api.applying()
    make_directory(config, stored)
    api.end(stored, "apply", state=STATE)
    clean_up(api, config)
    stored_id = stored["relationships"]["apply"]["data"]["id"]
    assert api.backend.objects.read("errored-state", stored_id) is None
    assert not config.directory_of(stored["id"]).exists()


async def test_phase_without_a_worker_is_dispatched_again(api: Api, config: ExecutionConfig) -> None:
    run = await api.create_run()
    assert api.begin(run)
    api.dispatches.seen.clear()
    clean_up(api, config)
    assert api.dispatches.phases_of(run["id"]) == ["plan"]


async def test_workspace_whose_current_run_is_final_is_released(
    api: Api, config: ExecutionConfig, caplog: pytest.LogCaptureFixture
) -> None:
    run = await api.planned()
    waiting = await api.create_run()
    with api.backend.database.write() as write:
        values = {"status": "discarded"}
        write.session.execute(update(RunRow).where(RunRow.id == run["id"]).values(**values))
    clean_up(api, config)
    assert await api.status(waiting) == "plan_queued"
    assert f"its run {run['id']} is discarded and has no process" in caplog.text
    events = (await api.get(f"/runs/{run['id']}/run-events"))["data"]
    assert events[-1]["attributes"]["action"] == "workspace_released"


async def test_unavailable_database_is_logged_in_one_line(
    api: Api, config: ExecutionConfig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    make_directory(config, {"id": "run-unknown000000001"})
    monkeypatch.setattr(Database, "read", away)
    monkeypatch.setattr(Database, "write", away)
    clean_up(api, config, timedelta(days=1))
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "Housekeeping failed and is repeated in a minute: OperationalError: connection refused"
    ]
    assert "Traceback" not in caplog.text


async def test_failed_step_does_not_prevent_the_others(
    api: Api, config: ExecutionConfig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("tfruns.local.engine.housekeeping.resume", fail)
    pruned = []
    Housekeeping(api.backend, config, keep=None, prune_queue=lambda: pruned.append(True)).clean_up()
    assert pruned == [True]
    assert "Housekeeping failed" in caplog.text
