"""What is cleaned up, and what is not."""

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


def made(config: ExecutionConfig, run: Json) -> Path:
    directory = config.directory_of(run["id"])
    directory.mkdir()
    return directory


async def phase_objects(api: Api, run: Json, *, age_days: float) -> list[Path]:
    """The log and the documents of a run's plan, last written so long ago."""
    plan_id = (await api.run(run))["relationships"]["plan"]["data"]["id"]
    paths = []
    written_at = api.clock.now().timestamp() - age_days * _DAY_S
    for kind in ("log", "plan-json", "plan-json-redacted"):
        api.backend.objects.write(kind, plan_id, b"{}")
        paths.append(api.backend.objects.path(kind, plan_id))
        os.utime(paths[-1], (written_at, written_at))
    return paths


async def test_the_directory_of_a_run_that_a_person_discards_goes_and_that_of_one_which_waits_stays(
    api: Api, config: ExecutionConfig
) -> None:
    discarded = await api.planned()
    await api.act(discarded, "discard")
    waiting = await api.planned()
    gone, kept = made(config, discarded), made(config, waiting)
    clean_up(api, config)
    assert not gone.exists()
    assert kept.exists()


async def test_the_directory_of_a_run_whose_process_may_still_be_there_stays(api: Api, config: ExecutionConfig) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    kept = made(config, run)
    clean_up(api, config)
    assert kept.exists()


async def test_the_directory_of_a_run_that_was_deleted_goes(api: Api, config: ExecutionConfig) -> None:
    gone = made(config, {"id": "run-nobodyKnowsThis1"})
    clean_up(api, config)
    assert not gone.exists()


@pytest.mark.parametrize(
    ("keep_days", "age_days", "is_kept"), [(None, 1000, True), (7, 6, True), (7, 8, False), (0.5, 1, False)]
)
async def test_logs_and_plans_of_runs_that_are_over_are_kept_for_so_many_days(
    api: Api, config: ExecutionConfig, keep_days: float | None, age_days: float, is_kept: bool
) -> None:
    run = await api.planned()
    await api.act(run, "discard")
    paths = await phase_objects(api, run, age_days=age_days)
    clean_up(api, config, None if keep_days is None else timedelta(days=keep_days))
    assert [path.exists() for path in paths] == [is_kept] * 3
    assert await api.status(run) == "discarded"


async def test_those_of_a_run_that_still_waits_are_kept_however_old_they_are(api: Api, config: ExecutionConfig) -> None:
    paths = await phase_objects(api, await api.planned(), age_days=1000)
    clean_up(api, config, timedelta(days=1))
    assert all(path.exists() for path in paths)


async def test_incomplete_uploads_and_objects_of_no_row_go_after_a_day(api: Api, config: ExecutionConfig) -> None:
    objects = api.backend.objects
    run = await api.planned()
    plan_id = (await api.run(run))["relationships"]["plan"]["data"]["id"]
    configuration_id = run["relationships"]["configuration-version"]["data"]["id"]
    kept = {("log", plan_id), ("plan-json", plan_id), ("configuration", configuration_id)}
    nobodys = {(kind, f"{kind}-nobodyKnowsThis1") for kind in ("log", "errored-state", "state", "configuration")}
    unfinished = {("state", ".sv-1.abcd"), ("incoming", "old")}
    for kind, name in (kept - {("configuration", configuration_id)}) | nobodys | unfinished:
        objects.write(kind, name, b"{}")
    for kind, name in kept | nobodys | unfinished:
        os.utime(objects.path(kind, name), (0, 0))
    young = {("incoming", "new"), ("state", "sv-justWritten")}
    for kind, name in young:
        objects.write(kind, name, b"half")
    clean_up(api, config)
    assert {thing for thing in kept | young | nobodys | unfinished if objects.path(*thing).exists()} == kept | young


async def test_the_directory_of_an_apply_goes_only_once_its_state_is_stored(
    api: Api, config: ExecutionConfig, caplog: pytest.LogCaptureFixture
) -> None:
    run = await api.applying()
    apply_id = run["relationships"]["apply"]["data"]["id"]
    state_file = made(config, run) / "state" / "network" / "terraform.tfstate"
    state_file.parent.mkdir(parents=True)
    state_file.write_bytes(STATE)
    api.end(run, "apply", status="errored")
    clean_up(api, config)
    assert api.backend.objects.read("errored-state", apply_id) == STATE
    assert not config.directory_of(run["id"]).exists()
    assert "was not stored. It is kept as the errored state of its apply." in caplog.text
    stored = await api.applying()
    made(config, stored)
    api.end(stored, "apply", state=STATE)
    clean_up(api, config)
    stored_id = stored["relationships"]["apply"]["data"]["id"]
    assert api.backend.objects.read("errored-state", stored_id) is None
    assert not config.directory_of(stored["id"]).exists()


async def test_a_phase_without_a_worker_is_dispatched_again(api: Api, config: ExecutionConfig) -> None:
    run = await api.create_run()
    assert api.begin(run)
    api.dispatches.seen.clear()
    clean_up(api, config)
    assert api.dispatches.phases_of(run["id"]) == ["plan"]


async def test_a_workspace_that_a_final_run_holds_is_released(
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


async def test_a_database_that_is_away_costs_one_line_and_no_traceback(
    api: Api, config: ExecutionConfig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    made(config, {"id": "run-nobodyKnowsThis1"})
    monkeypatch.setattr(Database, "read", away)
    monkeypatch.setattr(Database, "write", away)
    clean_up(api, config, timedelta(days=1))
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "Housekeeping failed and is repeated in a minute: OperationalError: connection refused"
    ]
    assert "Traceback" not in caplog.text


async def test_a_step_that_fails_does_not_keep_the_others_from_being_done(
    api: Api, config: ExecutionConfig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(Housekeeping, "_remove_directories", fail)
    forgotten = []
    Housekeeping(api.backend, config, keep=None, prune_queue=lambda: forgotten.append(True)).clean_up()
    assert forgotten == [True]
    assert "Housekeeping failed" in caplog.text
