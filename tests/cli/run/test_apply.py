"""`tfruns run apply`: shows the plan, asks a person, and applies only the shown plan."""

import pytest

from tests.cli.run.configurations import CHANGES
from tests.cli.run.conftest import Command, Open
from tests.support.local_lab import Lab
from tests.support.results import Accepted, Failure, Reviewed, Waited
from tfruns.vocabulary import RunStatus


async def test_apply_confirmed_at_the_terminal_applies_the_shown_plan(lab: Lab, terminal: Open) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.applied(workspace)
    run = await lab.planned(workspace, variables={"revision": '"2"'})
    shown = terminal("apply", run.id, "--wait")
    shown.expect("! -/+ terraform_data.store[*] (2: 0-1)")
    shown.expect('triggers_replace: "1" -> "2" (forces replacement)')
    shown.expect("Plan: 2 to add, 0 to change, 2 to destroy.")
    shown.expect("to real infrastructure?")
    shown.expect("to confirm")
    assert await lab.status(run) == "planned"
    shown.press("yes\n")
    shown.expect("Apply complete!")
    assert shown.end() == 0
    assert await lab.status(run) == "applied"


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", "Ctrl-C", "\x04"])
async def test_apply_not_confirmed_at_the_terminal_applies_nothing(lab: Lab, terminal: Open, answer: str) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    shown = terminal("apply", run.id)
    shown.expect("to confirm")
    shown.interrupt() if answer == "Ctrl-C" else shown.press(answer)
    assert shown.end() == 10
    assert shown.text.endswith("Not applied (type yes to confirm).\n")
    assert await lab.status(run) == "planned"


async def test_apply_without_a_terminal_requires_yes(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    ended = tfruns_run("apply", run.id, "--json")
    assert (ended.code, Failure.model_validate(ended.json).error) == (10, "confirmation_needed")
    assert "confirm with --yes" in ended.err
    assert await lab.status(run) == "planned"


async def test_apply_with_yes_applies_without_a_question_and_waits(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    ended = tfruns_run("apply", run.id, "--yes", "--wait", "--json", "--comment", "as planned")
    assert ended.code == 0, ended.err
    assert Waited.model_validate(ended.json).status == "applied"
    assert "terraform_data.store[*]" in ended.err
    assert "Apply complete!" in ended.err


async def test_apply_without_wait_prints_the_accepted_action(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    run = await lab.planned(workspace)
    ended = tfruns_run("apply", "-w", workspace, "-y", "--json")
    assert ended.code == 0, ended.err
    assert Accepted.model_validate(ended.json).id == run.id
    await lab.until(run, RunStatus.APPLIED)


async def test_apply_refuses_the_fingerprint_of_another_plan(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    fingerprint = Reviewed.model_validate(tfruns_run("review", run.id, "--json").json).fingerprint
    other = fingerprint[::-1]
    ended = tfruns_run("apply", run.id, "--yes", "--fingerprint", other, "--json")
    assert (ended.code, Failure.model_validate(ended.json).error) == (10, "plan_differs")
    assert await lab.status(run) == "planned"
    assert tfruns_run("apply", run.id, "--yes", "--fingerprint", fingerprint).code == 0


async def test_apply_refuses_a_run_that_is_not_confirmable(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    run = await lab.run(workspace, plan_only=True)
    await lab.until(run, RunStatus.PLANNED_AND_FINISHED)
    for action in ("apply", "force-cancel", "force-execute"):
        for confirmed in ((), ("--yes",)):  # a useless confirmation is not required, even without a terminal
            ended = tfruns_run(action, run.id, *confirmed, "--json")
            assert (ended.code, Failure.model_validate(ended.json).error) == (1, "transition_not_allowed"), action
            assert "planned_and_finished" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run-0000000000000000", "--yes"), "not"),
        (("--all", "run-0000000000000000", "--yes"), "--all cannot be combined"),
        (("--all", "--wait", "--yes"), "--all cannot be combined"),
        (("run-0000000000000000", "--status", "planned", "--yes"), "require --all"),
        (("run-0000000000000000", "--dry-run", "--yes"), "require --all"),
        (("run-0000000000000000", "--timeout", "5", "--yes"), "--timeout requires --wait"),
        (("run-0000000000000000", "--bogus"), "--bogus"),
    ],
)
async def test_apply_refuses_invalid_input(
    lab: Lab, tfruns_run: Command, arguments: tuple[str, ...], message: str
) -> None:
    ended = tfruns_run("apply", *arguments)
    assert ended.code in {1, 2}
    assert message in (ended.err + ended.out)
