"""`--all`: selection of the runs, the shown effects, one question, and independent outcomes."""

import signal
import threading
from pathlib import Path

import httpx2
import pytest

from tests.cli.run.configurations import CHANGES
from tests.cli.run.conftest import Command, Open
from tests.support import samples
from tests.support.api import accepted, answer
from tests.support.command import PATIENCE_S, Shell
from tests.support.command_process import start
from tests.support.http_api import HttpApi
from tests.support.local_lab import Lab
from tests.support.results import Bulk
from tests.support.stdio import tfruns
from tfruns.vocabulary import RunStatus
from tfruns.wire.runs import Run


async def _three(lab: Lab, message: str) -> list[Run]:
    """Runs in three workspaces: one replaces resources, one creates them, one has nothing to apply."""
    first, second, third = [await lab.workspace(CHANGES) for _ in range(3)]
    await lab.applied(first)
    done = await lab.run(third, plan_only=True, message=message)
    await lab.until(done, RunStatus.PLANNED_AND_FINISHED)
    replacing = await lab.planned(first, variables={"revision": '"2"'}, message=message)
    return [replacing, await lab.planned(second, message=message), done]


async def test_dry_run_shows_runs_and_effects_and_sends_nothing(lab: Lab, tfruns_run: Command) -> None:
    replacing, creating, _ = await _three(lab, "nightly-dry")
    arguments = ("apply", "--all", "--all-workspaces", "--search", "nightly-dry", "--dry-run")
    rows = tfruns_run(*arguments).rows
    assert [row[0] for row in rows] == [replacing.id, creating.id], "oldest first"
    assert [row[3] for row in rows] == ["would apply"] * 2
    assert rows[0][4:6] == ["Plan: 2 to add, 0 to change, 2 to destroy.", "replace terraform_data.store[*]"]
    found = Bulk.model_validate(tfruns_run(*arguments, "--json").json)
    assert (found.dry_run, found.runs[0].dangers, found.runs[1].dangers) == (True, ["terraform_data.store[*]"], [])
    assert await lab.status(replacing) == await lab.status(creating) == "planned"


async def test_one_question_for_all_runs_shows_each_plan(lab: Lab, terminal: Open) -> None:
    replacing, creating, _ = await _three(lab, "nightly-yes")
    shown = terminal("apply", "--all", "--all-workspaces", "--search", "nightly-yes")
    shown.expect("Plan: 2 to add, 0 to change, 2 to destroy.")
    shown.expect("! replace terraform_data.store[*] (2: 0-1)")
    shown.expect("Apply 2 runs?")
    shown.expect("to confirm")
    shown.press("yes\n")
    assert shown.end() == 0
    assert shown.text.count("to confirm") == 1
    for run in (replacing, creating):
        await lab.until(run, RunStatus.APPLIED)


async def test_answer_no_sends_nothing(lab: Lab, terminal: Open) -> None:
    run = await lab.planned(await lab.workspace(CHANGES), message="nightly-no")
    shown = terminal("discard", "--all", "--all-workspaces", "--search", "nightly-no")
    shown.expect("Discard 1 run?")
    shown.press("no\n")
    assert shown.end() == 10
    assert await lab.status(run) == "planned"


@pytest.mark.parametrize("action", ["apply", "discard", "cancel"])
async def test_all_without_a_terminal_requires_yes(lab: Lab, tfruns_run: Command, action: str) -> None:
    run = await lab.planned(await lab.workspace(CHANGES), message="nightly-pipe")
    ended = tfruns_run(action, "--all", "-w", run.workspace.id if run.workspace else "")
    assert ended.code == 10
    assert await lab.status(run) == "planned"


async def test_run_that_does_not_allow_the_action_is_skipped(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    first = await lab.planned(workspace)
    others = [await lab.run(workspace) for _ in range(2)]
    ended = tfruns_run("cancel", "--all", "-w", workspace, "--group", "non_final", "--yes", "--json")
    done = Bulk.model_validate(ended.json)
    assert ended.code == 0
    assert [(row.id, row.outcome) for row in done.runs] == [
        (others[1].id, "accepted"),
        (others[0].id, "accepted"),
        (first.id, "skipped"),
    ]
    assert "it is planned" in (done.runs[2].why or "")
    assert [await lab.status(run) for run in (*others, first)] == ["canceled", "canceled", "planned"]


@pytest.mark.processes
def test_failure_of_one_run_does_not_affect_the_others(tmp_path: Path) -> None:
    second = "run-Second0000000001"
    runs = [samples.planned(), samples.planned(second)]
    with HttpApi() as api:
        api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/runs", answer(samples.page(*runs, total=2)))
        for run in runs:
            api.on("GET", f"/runs/{run['id']}", answer({"data": run}))
        refused = {"errors": [{"status": "409", "title": "transition not allowed"}]}
        api.on("POST", f"/runs/{samples.RUN_ID}/actions/discard", answer(refused, 409))
        api.on("POST", f"/runs/{second}/actions/discard", accepted())
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        done = shell("run", "discard", "--all", "-w", samples.WORKSPACE_ID, "--yes", "--json", code=1)
    failed, went = Bulk.model_validate(done.json).runs
    assert (failed.id, failed.outcome, went.id, went.outcome) == (samples.RUN_ID, "failed", second, "accepted")
    assert (failed.error or {})["error"] == "transition_not_allowed"


_IDS = tuple(f"run-000000000000000{number}" for number in range(3))


def _api_of_three(api: HttpApi, second: httpx2.Response | threading.Event) -> None:
    """Three runs that can be discarded, and the response to the second discard."""
    runs = [samples.planned(id_) for id_ in _IDS]
    api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/runs", answer(samples.page(*runs, total=3)))
    for run in runs:
        api.on("GET", f"/runs/{run['id']}", answer({"data": run}))
        given = second if run["id"] == _IDS[1] else accepted()
        api.on("POST", f"/runs/{run['id']}/actions/discard", given)


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_reports_what_was_sent(tmp_path: Path, number: signal.Signals) -> None:
    blocked = threading.Event()
    with HttpApi() as api:
        _api_of_three(api, blocked)
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        words = ["run", "discard", "--all", "-w", samples.WORKSPACE_ID, "--yes", "--json"]
        process = start([tfruns(), *words], cwd=shell.directory, env=shell.env)
        api.wait_for("POST", f"/runs/{_IDS[1]}/actions/discard")
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
        blocked.set()
    assert process.wait() == 130, err
    rows = Bulk.model_validate_json(out).runs
    assert [(row.id, row.outcome) for row in rows] == list(zip(_IDS, ("accepted", "unknown", "not sent"), strict=True))
    assert api.sent("POST", f"/runs/{_IDS[2]}/actions/discard") == []


@pytest.mark.processes
def test_lost_response_of_one_run_is_unknown_and_not_failed(tmp_path: Path) -> None:
    with HttpApi() as api:
        _api_of_three(api, answer({"errors": [{"status": "502", "title": "bad gateway"}]}, 502))
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        done = shell("run", "discard", "--all", "-w", samples.WORKSPACE_ID, "--yes", "--json", code=1)
    assert [row.outcome for row in Bulk.model_validate(done.json).runs] == ["accepted", "unknown", "accepted"]


@pytest.mark.processes
def test_all_dangerous_changes_are_shown_before_the_question(tmp_path: Path) -> None:
    deleted = samples.plan_json(**{f"db{number}": ["delete"] for number in range(120)})
    run = samples.planned()
    with HttpApi() as api:
        api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/runs", answer(samples.page(run, total=1)))
        api.on("GET", f"/runs/{samples.RUN_ID}", answer({"data": run}))
        api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", answer(deleted))
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        done = shell("run", "apply", "--all", "-w", samples.WORKSPACE_ID, "--dry-run", "--json")
    assert len(done.json["runs"][0]["dangers"]) == 120


@pytest.mark.processes
def test_empty_filter_does_not_select_everything(tmp_path: Path) -> None:
    with HttpApi() as api:
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        for option in ("workspace-names", "status", "group", "operation", "source", "timeframe", "search", "since"):
            for empty in ("", " ", ","):
                words = ("run", "cancel", "--all", "--all-workspaces", f"--{option}", empty, "--yes")
                assert f"--{option}: the value is empty. Nothing was sent." in shell(*words, code=2).err
        for more in ((), ("--all-workspaces",)):
            words = ("run", "apply", "--all", "-w", "", *more, "--yes")
            assert "--workspace: the value is empty." in shell(*words, code=2).err
        assert api.requests == []


@pytest.mark.processes
def test_pending_run_without_permission_to_discard_is_skipped(tmp_path: Path) -> None:
    run = samples.run(permissions={"can-discard": False})
    with HttpApi() as api:
        api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/runs", answer(samples.page(run)))
        api.on("GET", f"/runs/{samples.RUN_ID}", answer({"data": run}))
        shell = Shell(tmp_path / "here", {"TFE_ADDRESS": api.address, "TFE_TOKEN": "a-token"})
        done = shell("run", "discard", "--all", "-w", samples.WORKSPACE_ID, "--yes", "--json")
    assert [row.outcome for row in Bulk.model_validate(done.json).runs] == ["skipped"]


async def test_discard_all_includes_pending_runs(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    runs = [await lab.planned(workspace), await lab.run(workspace)]
    ended = tfruns_run("discard", "--all", "-w", workspace, "--yes", "--comment", "old")
    assert ended.code == 0, ended.err
    assert [row[3] for row in ended.rows] == ["accepted", "accepted"]
    assert [await lab.status(run) for run in runs] == ["discarded", "discarded"]


async def test_no_matching_run_prints_a_message(lab: Lab, tfruns_run: Command) -> None:
    ended = tfruns_run("cancel", "--all", "-w", await lab.workspace(CHANGES), "--yes")
    assert (ended.code, ended.out) == (0, "")
    assert "No run matches." in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--all", "--group", "nonsense"),
        ("--all", "run-0000000000000000"),
        ("--search", "x"),
        ("--all", "--workspace-names", "a"),
        ("--all", "-w", "no/such/place"),
    ],
)
async def test_all_refuses_invalid_input(lab: Lab, tfruns_run: Command, arguments: tuple[str, ...]) -> None:
    ended = tfruns_run("cancel", *arguments, "--yes", "--json")
    assert ended.code in {1, 2}
    assert ended.json["message"]


@pytest.mark.parametrize("command", [("list",), ("apply", "--all"), ("discard", "--all"), ("cancel", "--all")])
def test_workspace_and_all_workspaces_exclude_each_other(tfruns_run: Command, command: tuple[str, ...]) -> None:
    agreed = ["--yes"] if "--all" in command else []
    ended = tfruns_run(*command, "--all-workspaces", "-w", "default/network", *agreed)
    assert ended.code == 2
    assert "--workspace and --all-workspaces cannot be used together." in ended.err


async def test_wildcards_select_the_runs_of_several_workspaces(lab: Lab, tfruns_run: Command) -> None:
    names = ("bulk-prod-a", "bulk-prod-b", "bulk-practice")
    runs = {name: await lab.planned(await lab.workspace(CHANGES, name=name)) for name in names}
    for words in (("--workspace", "bulk-prod-*"), ("--workspace", "default/bulk-prod-?")):
        rows = tfruns_run("apply", "--all", *words, "--dry-run").rows
        assert [row[1] for row in rows] == ["bulk-prod-a", "bulk-prod-b"], words
    found = Bulk.model_validate(tfruns_run("apply", "--all", "--workspace", "bulk-prod-*", "--yes", "--json").json)
    assert [run.outcome for run in found.runs] == ["accepted", "accepted"]
    for name in names[:2]:
        await lab.until(runs[name], RunStatus.APPLIED)
    assert await lab.status(runs["bulk-practice"]) == "planned"
