"""`tfruns run apply`: the plan is shown, a person is asked, and only what was shown is applied."""

import pytest

from tests.cli.run.configurations import CHANGES
from tests.cli.run.conftest import Command, Open
from tests.support.local_lab import Lab
from tests.support.results import Accepted, Failure, Reviewed, Waited
from tfruns.vocabulary import RunStatus


async def test_yes_at_the_terminal_applies_the_plan_that_was_shown(lab: Lab, terminal: Open) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.applied(workspace)
    run = await lab.planned(workspace, variables={"revision": '"2"'})
    shown = terminal("apply", run.id, "--wait")
    shown.expect("! -/+ terraform_data.store[*] (2: 0-1)")
    shown.expect('triggers_replace: "1" -> "2" (forces replacement)')
    shown.expect("Plan: 2 to add, 0 to change, 2 to destroy.")
    shown.expect("to real infrastructure?")
    shown.expect("for a yes")
    assert await lab.status(run) == "planned"
    shown.press("yes\n")
    shown.expect("Apply complete!")
    assert shown.end() == 0
    assert await lab.status(run) == "applied"


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", "Ctrl-C", "\x04"])
async def test_anything_else_at_the_terminal_applies_nothing(lab: Lab, terminal: Open, answer: str) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    shown = terminal("apply", run.id)
    shown.expect("for a yes")
    shown.interrupt() if answer == "Ctrl-C" else shown.press(answer)
    assert shown.end() == 10
    assert "Nothing was sent" in shown.text
    assert await lab.status(run) == "planned"


async def test_without_a_terminal_and_without_yes_it_is_refused(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    ended = tfruns_run("apply", run.id, "--json")
    assert (ended.code, Failure.model_validate(ended.json).error) == (10, "confirmation_needed")
    assert "Say --yes" in ended.err
    assert await lab.status(run) == "planned"


async def test_yes_beforehand_applies_without_a_question_and_waits(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    ended = tfruns_run("apply", run.id, "--yes", "--wait", "--json", "--comment", "as planned")
    assert ended.code == 0, ended.err
    assert Waited.model_validate(ended.json).status == "applied"
    assert "terraform_data.store[*]" in ended.err
    assert "Apply complete!" in ended.err


async def test_without_wait_it_says_that_it_was_accepted(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    run = await lab.planned(workspace)
    ended = tfruns_run("apply", "-w", workspace, "-y", "--json")
    assert ended.code == 0, ended.err
    assert Accepted.model_validate(ended.json).id == run.id
    await lab.until(run, RunStatus.APPLIED)


async def test_a_fingerprint_of_another_plan_applies_nothing(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    fingerprint = Reviewed.model_validate(tfruns_run("review", run.id, "--json").json).fingerprint
    other = fingerprint[::-1]
    ended = tfruns_run("apply", run.id, "--yes", "--fingerprint", other, "--json")
    assert (ended.code, Failure.model_validate(ended.json).error) == (10, "plan_differs")
    assert await lab.status(run) == "planned"
    assert tfruns_run("apply", run.id, "--yes", "--fingerprint", fingerprint).code == 0


async def test_a_run_that_does_not_wait_for_an_apply_says_so(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    run = await lab.run(workspace, plan_only=True)
    await lab.until(run, RunStatus.PLANNED_AND_FINISHED)
    ended = tfruns_run("apply", run.id, "--yes")
    assert ended.code == 1
    assert "planned_and_finished" in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run-0000000000000000", "--yes"), "not"),
        (("--all", "run-0000000000000000", "--yes"), "--all goes with filters"),
        (("--all", "--wait", "--yes"), "--all goes with filters"),
        (("run-0000000000000000", "--status", "planned", "--yes"), "are for --all"),
        (("run-0000000000000000", "--dry-run", "--yes"), "are for --all"),
        (("run-0000000000000000", "--timeout", "5", "--yes"), "--timeout is for --wait"),
        (("run-0000000000000000", "--bogus"), "--bogus"),
    ],
)
async def test_a_wrong_input_is_refused_in_words(
    lab: Lab, tfruns_run: Command, arguments: tuple[str, ...], says: str
) -> None:
    ended = tfruns_run("apply", *arguments)
    assert ended.code in {1, 2}
    assert says in (ended.err + ended.out)
