"""`tfruns run discard|cancel|force-cancel|force-execute|comment`, and the step summary."""

import os
import subprocess
from pathlib import Path

import pytest
from anyio import to_thread

from tests.cli.run.configurations import BROKEN, CHANGES
from tests.cli.run.conftest import Command, Open
from tests.support import samples
from tests.support.api import accepted, answer
from tests.support.browser import FakeBrowser, follow
from tests.support.command import PATIENCE_S, Shell
from tests.support.http_api import HttpApi
from tests.support.local_lab import Lab
from tests.support.results import Accepted, Commented, Failure
from tests.support.stdio import tfruns

_NONE = "run-0000000000000000"


async def test_open_and_web_open_the_page_of_the_run(lab: Lab, shell: Shell, tmp_path: Path) -> None:
    browser = FakeBrowser(tmp_path)
    run = await lab.planned(await lab.workspace(CHANGES))
    for words in (("open", run.id), ("show", run.id, "--web"), ("review", run.id, "--web")):
        shell.with_variables(browser.variables)("run", *words)
        [link] = browser.opened()
        page = await to_thread.run_sync(follow, link)
        assert (page.status_code, page.url.path.rpartition("/")[2]) == (200, run.id), words
    assert shell("run", "open", run.id, "--json", "id,status").json == {"id": run.id, "status": "planned"}


async def test_discard_and_cancel_ask_nothing(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    first = await lab.planned(workspace)
    second = await lab.run(workspace)
    canceled = tfruns_run("cancel", second.id, "--json")
    assert (canceled.code, Accepted.model_validate(canceled.json).status) == (0, "canceled")
    discarded = tfruns_run("discard", first.id, "--comment", "no", "--json")
    assert (discarded.code, Accepted.model_validate(discarded.json).status) == (0, "discarded")
    again = tfruns_run("discard", first.id, "--json")
    assert (again.code, Failure.model_validate(again.json).error) == (1, "transition_not_allowed")


async def test_force_execute_asks_and_names_the_displaced_run(lab: Lab, tfruns_run: Command, terminal: Open) -> None:
    workspace = await lab.workspace(CHANGES)
    first = await lab.planned(workspace)
    run = await lab.run(workspace)
    assert tfruns_run("force-execute", run.id).code == 10
    shown = terminal("force-execute", run.id)
    shown.expect(first.id)
    shown.answer("to confirm", "yes")
    shown.expect(f"{first.id} (discarded)")
    assert shown.end() == 0
    await lab.until(run, "planned")


@pytest.mark.processes
def test_force_cancel_requires_confirmation(tmp_path: Path) -> None:
    """With a fake API. The tests of the local backend have a run that ignores a cancel."""
    canceling = samples.run(status="applying", actions=samples.actions("force-cancelable"))
    with HttpApi() as api:
        api.on("GET", f"/runs/{samples.RUN_ID}", answer({"data": canceling}))
        api.on("POST", f"/runs/{samples.RUN_ID}/actions/force-cancel", accepted())
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        shell("run", "force-cancel", samples.RUN_ID, code=10)
        assert not api.sent("POST")
        done = shell("run", "force-cancel", samples.RUN_ID, "--yes", "--comment", "stuck", "--json")
        sent = api.sent("POST", "/actions/force-cancel")
    assert [request.body for request in sent] == [{"comment": "stuck"}]
    assert Accepted.model_validate(done.json).id == samples.RUN_ID


async def test_comment_appears_in_the_history(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    ended = tfruns_run("comment", run.id, "After the freeze.", "--json")
    assert Commented.model_validate(ended.json).id == run.id
    assert "After the freeze." in tfruns_run("history", run.id).out


async def test_wait_appends_a_step_summary(lab: Lab, tfruns_run: Command, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    ended = tfruns_run("create", "-w", await lab.workspace(BROKEN), "--wait", GITHUB_STEP_SUMMARY=str(file))
    assert ended.code == 20
    text = file.read_text()
    assert text.startswith("before\n### Terraform run [run")
    assert "**Error:** Resource precondition failed" in text
    assert "<here>" not in text
    assert "*today*" not in text


async def test_unwritable_step_summary_does_not_fail_the_command(lab: Lab, tfruns_run: Command, tmp_path: Path) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    ended = tfruns_run("review", run.id, GITHUB_STEP_SUMMARY=str(tmp_path / "no" / "file"))
    assert ended.code == 0
    assert "The report for the job was not written" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("force-cancel", _NONE),
        ("force-execute", _NONE),
        ("comment", _NONE, "text"),
        ("comment", _NONE, " "),
        ("comment", "nonsense", "text"),
        ("discard", _NONE),
        ("cancel", "https://example.com/elsewhere"),
    ],
)
async def test_actions_refuse_invalid_input(lab: Lab, tfruns_run: Command, arguments: tuple[str, ...]) -> None:
    options = () if arguments[0] == "comment" else ("--yes",)
    ended = tfruns_run(*arguments, *options, "--json")
    assert ended.code in {1, 2}
    assert Failure.model_validate(ended.json).message


@pytest.mark.parametrize("options", [(), ("--json",)])
async def test_closed_pipe_causes_no_traceback(lab: Lab, shell: Shell, options: tuple[str, ...]) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.planned(workspace)
    assert _into_a_closed_pipe("run", "list", "-w", workspace, *options, env=shell.env) == (1, b"")


def _into_a_closed_pipe(*arguments: str, env: dict[str, str]) -> tuple[int, bytes]:
    """The exit code and the standard error of a command whose standard output is a closed pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [tfruns(), *arguments], env=env, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_S
        )
    finally:
        os.close(writing)
    return ended.returncode, ended.stderr
