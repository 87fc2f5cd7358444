"""Completion of workspaces, runs, statuses and profiles in a real shell, against a scripted API."""

import shutil
import threading
import time

import pytest

from tests.support.api import answer, error
from tests.support.command import Shell
from tests.support.completion import completed
from tests.support.http_api import HttpApi
from tests.support.samples import RUN_ID, page, planned, workspace

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]


@pytest.fixture
def names(api: HttpApi) -> None:
    found = (workspace(name="network"), workspace("ws-2", name="nat"), workspace("ws-3", name="data"))
    api.on("GET", "/organizations/acme/workspaces", answer(page(*found, total=3)))
    api.on("GET", "/organizations/acme/runs", answer(page(planned(), planned("run-2"))))


def test_workspaces_are_read_once_a_minute(names: None, api: HttpApi, shell: Shell) -> None:
    assert completed(shell, "tfruns run list --workspace n") == ["network", "nat"]
    assert completed(shell, "tfruns run list -w d") == ["data"]
    assert completed(shell, "tfruns workspace show ne") == ["network"]
    assert len(api.requests) == 1


def test_runs_statuses_and_profiles_are_completed(names: None, shell: Shell) -> None:
    assert completed(shell, "tfruns run show run-C") == [RUN_ID]
    assert completed(shell, "tfruns run apply run-") == [RUN_ID, "run-2"]
    assert completed(shell, "tfruns run list --status planned_") == ["planned_and_finished", "planned_and_saved"]
    assert completed(shell, "tfruns run list --status errored,cost_estimati") == ["errored\\,cost_estimating"]
    assert completed(shell, "tfruns run list --group n") == ["non_final"]
    shell("profile", "set", "work", "--organization", "acme")
    assert completed(shell, "tfruns profile use w") == ["work"]
    assert completed(shell, "tfruns run list --profile w") == ["work"]


def test_failure_completes_nothing_and_prints_nothing(api: HttpApi, shell: Shell) -> None:
    api.on("GET", "/organizations/acme/workspaces", error(500, "broken"))
    assert completed(shell, "tfruns run list -w n") == []
    assert completed(shell, "tfruns run list -w n", TFE_TOKEN="", TFE_ADDRESS="http://127.0.0.1:9") == []
    assert completed(shell, "tfruns run list --local -w n") == []
    assert not (shell.home / ".local" / "share" / "tfruns").exists()  # no server was started


def test_slow_api_is_not_waited_for(api: HttpApi, shell: Shell) -> None:
    held = threading.Event()
    api.on("GET", "/organizations/acme/workspaces", held)
    began = time.monotonic()
    assert completed(shell, "tfruns run list -w n") == []
    held.set()
    assert time.monotonic() - began < 20  # the HTTP client would wait a minute
