"""What is cleaned up, and what is not."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.local.support import Api, Json
from tfruns.local.engine.housekeeping import Housekeeping
from tfruns.local.engine.jobs import Workshop

_DAY_S = 24 * 3600


def clean_up(api: Api, workshop: Workshop, keep: timedelta | None = None) -> None:
    Housekeeping(api.backend, workshop, keep=keep, forget_ended=lambda: None).clean_up()


def made(workshop: Workshop, run: Json) -> Path:
    directory = workshop.directory_of(run["id"])
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
    api: Api, workshop: Workshop
) -> None:
    discarded = await api.planned()
    await api.act(discarded, "discard")
    waiting = await api.planned()
    gone, kept = made(workshop, discarded), made(workshop, waiting)
    clean_up(api, workshop)
    assert not gone.exists()
    assert kept.exists()


async def test_the_directory_of_a_run_whose_process_may_still_be_there_stays(api: Api, workshop: Workshop) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    kept = made(workshop, run)
    clean_up(api, workshop)
    assert kept.exists()


async def test_the_directory_of_a_run_that_was_deleted_goes(api: Api, workshop: Workshop) -> None:
    gone = made(workshop, {"id": "run-nobodyKnowsThis1"})
    clean_up(api, workshop)
    assert not gone.exists()


@pytest.mark.parametrize(
    ("keep_days", "age_days", "is_kept"), [(None, 1000, True), (7, 6, True), (7, 8, False), (0.5, 1, False)]
)
async def test_logs_and_plans_of_runs_that_are_over_are_kept_for_so_many_days(
    api: Api, workshop: Workshop, keep_days: float | None, age_days: float, is_kept: bool
) -> None:
    run = await api.planned()
    await api.act(run, "discard")
    paths = await phase_objects(api, run, age_days=age_days)
    clean_up(api, workshop, None if keep_days is None else timedelta(days=keep_days))
    assert [path.exists() for path in paths] == [is_kept] * 3
    assert await api.status(run) == "discarded"


async def test_those_of_a_run_that_still_waits_are_kept_however_old_they_are(api: Api, workshop: Workshop) -> None:
    paths = await phase_objects(api, await api.planned(), age_days=1000)
    clean_up(api, workshop, timedelta(days=1))
    assert all(path.exists() for path in paths)


async def test_an_upload_that_broke_off_goes_after_a_day(api: Api, workshop: Workshop) -> None:
    api.backend.objects.write("incoming", "old", b"half")
    api.backend.objects.write("incoming", "new", b"half")
    os.utime(api.backend.objects.path("incoming", "old"), (0, 0))
    clean_up(api, workshop)
    assert api.backend.objects.read("incoming", "old") is None
    assert api.backend.objects.read("incoming", "new") is not None


async def test_a_step_that_fails_does_not_keep_the_others_from_being_done(
    api: Api, workshop: Workshop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(Housekeeping, "_remove_directories", fail)
    forgotten = []
    Housekeeping(api.backend, workshop, keep=None, forget_ended=lambda: forgotten.append(True)).clean_up()
    assert forgotten == [True]
    assert "Housekeeping failed" in caplog.text
