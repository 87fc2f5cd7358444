"""`tfruns run wait` and `run create --wait`: exit codes, output and Ctrl-C."""

import pytest

from tests.cli.run.configurations import BROKEN, CHANGES
from tests.cli.run.conftest import Command, Open
from tests.support.command import Shell
from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, wait_until
from tests.support.results import Failure, Waited
from tests.support.terminal import COLOURS
from tfruns.vocabulary import RunStatus

# -- exit codes -------------------------------------------------------------------------------------------------------


async def test_applied_run_exits_with_0_and_logs_to_standard_error(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    ended = tfruns_run("create", "-w", workspace, "--auto-apply", "--yes", "--wait", "--json")
    assert ended.code == 0, ended.err
    waited = Waited.model_validate(ended.json)
    assert (waited.status, waited.outcome) == ("applied", "final")
    assert "terraform_data.store[0] will be created" in ended.err
    assert "Apply complete! Resources: 2 added" in ended.err


async def test_run_waiting_for_confirmation_exits_with_10(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    ended = tfruns_run("wait", run.id)
    assert ended.code == 10
    assert "planned !" in ended.out
    assert "2 to add" in ended.out
    assert ended.err == "", "the plan had finished before, so its log is not shown"


STORE = 'resource "terraform_data" "db" { count = 2 }'
FORGOTTEN = """
removed {
  from = terraform_data.db
  lifecycle { destroy = false }
}
"""
MOVED = """
resource "terraform_data" "store" { count = 2 }
moved {
  from = terraform_data.db
  to   = terraform_data.store
}
"""
REFRESH = {"refresh_only": True}
PLANS: dict[str, tuple[str, str, dict[str, bool], str]] = {
    "forgets alone": (STORE, FORGOTTEN, {}, "2 to forget"),
    "outputs alone": (STORE, f'{STORE}\noutput "name" {{ value = "x" }}', {}, "1 output change"),
    "moves alone": (STORE, MOVED, {}, "2 to move"),
    "a refresh of outputs": (STORE, f'{STORE}\noutput "name" {{ value = "x" }}', REFRESH, "1 output change"),
    "a refresh that only moves": (STORE, MOVED, REFRESH, "nothing to apply (2 to move)"),
    "forgets and adds": (
        STORE,
        f'{FORGOTTEN}\nresource "terraform_data" "new" {{}}\noutput "name" {{ value = "x" }}',
        {},
        "1 to add, 2 to forget, 1 output change",
    ),
    "nothing": (STORE, STORE, {}, "no changes"),
}


async def test_plan_line_has_the_counts_of_the_plan(lab: Lab, tfruns_run: Command) -> None:
    found = {}
    for name, (before, after, options, _) in PLANS.items():
        workspace = await lab.workspace(before)
        await lab.applied(workspace)
        await lab.upload(workspace, after)
        run = await lab.run(workspace, **options)
        lines = [line.split(maxsplit=1) for line in tfruns_run("wait", run.id).out.splitlines()]
        found[name] = next(line[1].strip() for line in lines if line[0] == "plan")
    assert found == {name: line for name, (_, _, _, line) in PLANS.items()}


async def test_until_planned_exits_with_0_for_a_planned_run(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    assert tfruns_run("wait", run.id, "--until", "planned").code == 0


async def test_plan_only_run_exits_with_0_when_planned(lab: Lab, tfruns_run: Command, shell: Shell) -> None:
    workspace = await lab.workspace()
    (shell.directory / "main.tf").write_text(CHANGES)
    ended = tfruns_run("create", "-w", workspace, "--directory", ".", "--plan-only", "--wait", "--json")
    assert ended.code == 0, ended.err
    assert Waited.model_validate(ended.json).status == "planned_and_finished"


async def test_errored_run_exits_with_20(lab: Lab, tfruns_run: Command) -> None:
    ended = tfruns_run("create", "-w", await lab.workspace(BROKEN), "--wait")
    assert ended.code == 20
    assert "errored" in ended.out
    assert "`tfruns run diagnose run-" in ended.out
    assert "Error: Resource precondition failed" in ended.err


@pytest.mark.parametrize(("action", "status"), [("cancel", "canceled"), ("discard", "discarded")])
async def test_canceled_or_discarded_run_exits_with_20(
    lab: Lab, tfruns_run: Command, action: str, status: RunStatus
) -> None:
    workspace = await lab.workspace(CHANGES)
    first = await lab.planned(workspace)
    run = await lab.run(workspace) if action == "cancel" else first
    await (lab.client.runs.cancel(run.id) if action == "cancel" else lab.client.runs.discard(run.id))
    ended = tfruns_run("wait", run.id, "--json")
    assert (ended.code, Waited.model_validate(ended.json).status) == (20, status)


async def test_timeout_exits_with_30_and_shows_the_queue(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    first = await lab.planned(workspace)
    run = await lab.run(workspace)
    ended = tfruns_run("wait", run.id, "--timeout", "1", "--json")
    waited = Waited.model_validate(ended.json)
    assert (ended.code, waited.outcome, waited.status) == (30, "timeout", "pending")
    assert "1 before it in the queue" in (waited.queue or "")
    assert "1 before it in the queue" in ended.err
    assert waited.blocked_by["freed_by"] == "A person applying or discarding that run."
    told = tfruns_run("wait", run.id, "--timeout", "0").out
    assert f"{first.id}, which is planned" in " ".join(told.split())
    assert f"`tfruns run review {first.id}" in " ".join(told.split())


# -- output ----------------------------------------------------------------------------------------------------------


async def test_terminal_shows_the_status_below_the_log(lab: Lab, terminal: Open, gate: ApplyGate) -> None:
    workspace = await lab.workspace(gate.configuration())
    shown = terminal("create", "-w", workspace, "--auto-apply", "--yes", "--wait")
    shown.expect("terraform_data.a: Creating...")
    await wait_until(gate.has_begun, "the apply has begun")
    shown.expect("applying")
    gate.open()
    shown.expect("Apply complete!")
    assert shown.end() == 0
    assert COLOURS.search(shown.raw)


async def test_no_color_disables_colors_on_a_terminal(lab: Lab, terminal: Open) -> None:
    shown = terminal("create", "-w", await lab.workspace(CHANGES), "--wait", NO_COLOR="1")
    assert shown.end() == 10
    assert "2 to add" in shown.text
    assert not COLOURS.search(shown.raw)


async def test_pipe_gets_no_escape_sequences(lab: Lab, tfruns_run: Command) -> None:
    ended = tfruns_run("create", "-w", await lab.workspace(CHANGES), "--wait")
    assert "\x1b" not in ended.out + ended.err


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------


async def test_ctrl_c_and_yes_cancels_the_run_and_waits(lab: Lab, terminal: Open, gate: ApplyGate) -> None:
    run = await lab.run(await lab.workspace(gate.configuration()), auto_apply=True)
    shown = terminal("wait", run.id)
    await wait_until(gate.has_begun, "the apply has begun")
    shown.expect("Creating...")
    shown.interrupt()
    shown.expect(f"Cancel {run.id}?")
    shown.expect("to confirm")
    shown.press("yes\n")
    shown.expect("Canceling")
    assert shown.end() == 20
    assert await lab.status(run) == "canceled"


@pytest.mark.parametrize("answer", ["no\n", "\n", "y\n", "\x04"])
async def test_ctrl_c_without_yes_stops_waiting_for_the_run(lab: Lab, terminal: Open, answer: str) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.planned(workspace)
    run = await lab.run(workspace)
    shown = terminal("wait", run.id)
    shown.expect("pending")
    shown.interrupt()
    shown.expect("to confirm")
    shown.press(answer)
    shown.expect(f"The run continues. To resume waiting: tfruns run wait {run.id}")
    assert shown.end() == 30
    assert await lab.status(run) == "pending"


async def test_second_ctrl_c_stops_waiting(lab: Lab, terminal: Open) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.planned(workspace)
    run = await lab.run(workspace)
    shown = terminal("wait", run.id)
    shown.expect("pending")
    shown.interrupt()
    shown.expect("to confirm")
    shown.interrupt()
    assert shown.end() == 30
    assert await lab.status(run) == "pending"


# -- invalid input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run-0000000000000000",), "not"),
        (("nonsense",), "run"),
        (("run-0000000000000000", "--until", "tomorrow"), "until"),
        (("run-0000000000000000", "--timeout", "-1"), "timeout"),
        ((), "The workspace is missing."),
    ],
)
async def test_wait_refuses_invalid_input(
    lab: Lab, tfruns_run: Command, arguments: tuple[str, ...], message: str
) -> None:
    ended = tfruns_run("wait", *arguments)
    assert ended.code in {1, 2}
    assert message in (ended.err + ended.out)


async def test_wait_prints_errors_as_json(lab: Lab, tfruns_run: Command) -> None:
    ended = tfruns_run("wait", "run-0000000000000000", "--json")
    assert (ended.code, Failure.model_validate(ended.json).error) == (1, "not_found")
