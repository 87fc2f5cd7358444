"""A long operation shows on a terminal within 0.3 s that it is working."""

import threading
import time

import pytest

from tests.support.api import answer
from tests.support.command import Shell
from tests.support.http_api import HttpApi
from tests.support.samples import RUN_ID, WORKSPACE_ID, configuration_version, run, workspace
from tests.support.stdio import tfruns
from tests.support.terminal import Terminal

pytestmark = pytest.mark.processes

_AT_MOST_S = 0.3
_ATTEMPTS = 3  # the fastest counts: other load on the machine only delays


@pytest.fixture
def never(api: HttpApi) -> threading.Event:
    """A response that does not arrive before the end of the test."""
    return threading.Event()


def fastest(api: HttpApi, shell: Shell, words: list[str], request: tuple[str, str], shown: str) -> float:
    """The time from a request until the terminal shows a text; the shortest of some attempts."""
    times: list[float] = []
    while len(times) < _ATTEMPTS and not (times and times[-1] <= _AT_MOST_S):
        api.requests.clear()
        with Terminal([tfruns(), *words], cwd=shell.directory, env=shell.env) as terminal:
            api.wait_for(*request)
            began = time.monotonic()
            terminal.expect(shown)
            times.append(time.monotonic() - began)
    return min(times)


def test_upload_shows_that_it_is_working(api: HttpApi, shell: Shell, never: threading.Event) -> None:
    (shell.directory / "main.tf").write_text('resource "terraform_data" "one" {}\n')
    created = configuration_version(status="pending", upload_url=f"{api.address}/api/v2/upload")
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": workspace()}))
    api.on("POST", f"/workspaces/{WORKSPACE_ID}/configuration-versions", answer({"data": created}, 201))
    api.on("PUT", "/upload", never)
    words = ["config", "upload", str(shell.directory), "--workspace", WORKSPACE_ID]
    first = ("POST", "/configuration-versions")
    assert fastest(api, shell, words, first, "Uploading the configuration") <= _AT_MOST_S
    never.set()


def test_wait_shows_that_it_is_working(api: HttpApi, shell: Shell, never: threading.Event) -> None:
    api.on("GET", f"/runs/{RUN_ID}", never)
    words = ["run", "wait", RUN_ID]
    assert fastest(api, shell, words, ("GET", f"/runs/{RUN_ID}"), f"Reading {RUN_ID}") <= _AT_MOST_S
    never.set()


def test_wait_shows_the_status_of_the_run(api: HttpApi, shell: Shell) -> None:
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run(status="planning"), "included": [workspace()]}))
    words = ["run", "wait", RUN_ID]
    assert fastest(api, shell, words, ("GET", f"/runs/{RUN_ID}"), "planning") <= _AT_MOST_S
