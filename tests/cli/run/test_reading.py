"""`tfruns run list|show|review|logs|diagnose|history`, as text and as JSON."""

import json

import pytest

from tests.cli.run.configurations import BROKEN, CHANGES
from tests.cli.run.conftest import Command, Open
from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, wait_until
from tests.support.results import Diagnosed, Failure, History, Log, NotReviewed, Reviewed, RunList, RunResult
from tests.support.terminal import COLOURS
from tfruns.vocabulary import RunStatus

_MANY = "\n".join(f'resource "terraform_data" "number_{n}" {{ input = "{"x" * 30}{n}" }}' for n in range(230))
_SECRET = """
variable "password" {
  default   = "correct-horse"
  sensitive = true
}
resource "terraform_data" "a" {
  input = var.password
  provisioner "local-exec" { command = "echo it is ${nonsensitive(var.password)}" }
}
"""


# -- review -----------------------------------------------------------------------------------------------------------


async def test_review_in_a_pipe_has_a_tab_separated_row_per_change(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.applied(workspace)
    run = await lab.planned(workspace, variables={"revision": '"2"'})
    ended = tfruns_run("review", run.id)
    assert ended.rows[0][:4] == ["!", "replace", "terraform_data.store[*]", "2"]
    assert ended.rows[0][5].startswith('triggers_replace: "1" -> "2" (forces replacement)')
    assert ended.rows[0][6] == "0-1"
    assert ended.rows[1][:3] == ["", "update", "output.revision"]
    assert "Plan: 2 to add, 0 to change, 2 to destroy." in ended.err
    found = Reviewed.model_validate(tfruns_run("review", run.id, "--json").json)
    assert (found.counts, found.changed_outputs) == ({"replace": 2}, 1)


async def test_review_on_a_terminal_marks_dangerous_changes_first(lab: Lab, terminal: Open) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.applied(workspace)
    run = await lab.planned(workspace, variables={"revision": '"2"'})
    shown = terminal("review", run.id)
    assert shown.end() == 0
    assert shown.text.index("! -/+ terraform_data.store[*]") < shown.text.index("  ~ output.revision")
    assert "fingerprint " in shown.text
    assert COLOURS.search(shown.raw)


async def test_review_of_a_run_without_a_plan_exits_with_1(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.until(await lab.run(await lab.workspace("resource {")), RunStatus.ERRORED)
    for options in ((), ("--filter", "destroy"), ("--page", "2")):
        ended = tfruns_run("review", run.id, *options)
        assert (ended.code, ended.err) == (1, "")
        assert ended.out.startswith("The run has no plan: it failed. `tfruns run diagnose ")
        assert ended.out.count("no plan") == 1


async def test_review_merges_all_pages_unless_one_is_selected(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(_MANY))
    whole = Reviewed.model_validate(tfruns_run("review", run.id, "--json").json)
    assert (len(whole.rows), whole.total_rows, whole.next_page) == (230, 230, None)
    assert whole.total_pages > 1
    second = Reviewed.model_validate(tfruns_run("review", run.id, "--page", "2", "--json").json)
    assert second.page == 2
    assert {row.address for row in second.rows} < {row.address for row in whole.rows}
    filtered = tfruns_run("review", run.id, "--filter", "terraform_data.number_7")
    assert [row[2] for row in filtered.rows] == ["terraform_data.number_7"]


async def test_review_of_an_address_prints_all_values_in_full(lab: Lab, tfruns_run: Command, terminal: Open) -> None:
    text = "word " * 4_000
    run = await lab.planned(await lab.workspace(f'resource "terraform_data" "a" {{ input = "{text}" }}'))
    rows = tfruns_run("review", run.id, "--address", "terraform_data.a").rows
    assert {tuple(row[:2]) for row in rows} == {("terraform_data.a", "create")}
    parts = [row[2].partition(": ")[2] for row in rows if row[2].startswith("input (characters ")]
    assert "".join(json.loads(part) for part in parts) == text
    found = Reviewed.model_validate(tfruns_run("review", run.id, "--address", "terraform_data.a", "--json").json)
    assert len(found.rows) == 1
    assert found.total_pages > 1
    one = Reviewed.model_validate(
        tfruns_run("review", run.id, "--address", "terraform_data.a", "--page", "2", "--json").json
    )
    assert one.rows[0].values
    assert set(one.rows[0].values) < set(found.rows[0].values)
    shown = terminal("review", run.id, "--address", "terraform_data.a")
    assert shown.end() == 0
    assert "of 20,000" in shown.text


async def test_review_without_a_plan_explains_why(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    await lab.planned(workspace)
    run = await lab.run(workspace)
    assert "The plan does not exist yet" in tfruns_run("review", run.id).out
    assert NotReviewed.model_validate(tfruns_run("review", run.id, "--json").json).status == "pending"


# -- logs -------------------------------------------------------------------------------------------------------------


async def test_logs_print_the_whole_log_with_sensitive_values_masked(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.applied(await lab.workspace(_SECRET))
    ended = tfruns_run("logs", run.id)
    assert ended.out.startswith("Terraform v")
    assert "Apply complete! Resources: 1 added" in ended.out
    assert "correct-horse" not in ended.out
    assert "Plan: 1 to add" in tfruns_run("logs", run.id, "--phase", "plan").out
    assert tfruns_run("logs", run.id, "--tail", "1").out.strip().count("\n") == 0
    assert tfruns_run("logs", run.id, "--search", "complete!").out.startswith("Apply complete!")
    assert Log.model_validate(tfruns_run("logs", run.id, "--json").json).phase == "apply"


async def test_logs_follow_until_the_run_is_final(lab: Lab, terminal: Open, gate: ApplyGate) -> None:
    run = await lab.run(await lab.workspace(gate.configuration()), auto_apply=True)
    shown = terminal("logs", run.id, "--follow")
    await wait_until(gate.has_begun, "the apply has begun")
    shown.expect("terraform_data.a: Creating...")
    gate.open()
    shown.expect("Apply complete!")
    assert shown.end() == 0


async def test_logs_follow_of_a_final_run_prints_the_whole_log(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.applied(await lab.workspace(CHANGES))
    assert tfruns_run("logs", run.id, "--follow").out == tfruns_run("logs", run.id).out


# -- diagnose, history, show, list ------------------------------------------------------------------------------------


async def test_diagnose_explains_a_failure(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.until(await lab.run(await lab.workspace(BROKEN)), RunStatus.ERRORED)
    ended = tfruns_run("diagnose", run.id)
    assert "error: Resource precondition failed" in ended.out
    assert "where: main.tf:5" in ended.out
    found = Diagnosed.model_validate(tfruns_run("diagnose", run.id, "--json").json)
    assert (found.verdict, found.failed_stage) == ("failed", "plan")


async def test_diagnose_explains_a_wait(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    first = await lab.planned(workspace)
    run = await lab.run(workspace)
    ended = tfruns_run("diagnose", run.id)
    assert f"held by id: {first.id}" in ended.out
    assert Diagnosed.model_validate(tfruns_run("diagnose", run.id, "--json").json).verdict == "waiting"


async def test_history_has_events_comments_and_durations(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.applied(await lab.workspace(CHANGES))
    tfruns_run("comment", run.id, "For the record.")
    ended = tfruns_run("history", run.id)
    assert "● " in ended.out
    assert "applied" in ended.out
    assert "For the record." in ended.out
    found = History.model_validate(tfruns_run("history", run.id, "--json").json)
    assert found.timeline[-1]["status"] == "applied"


async def test_show_prints_the_timeline_and_the_next_step(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.planned(await lab.workspace(CHANGES))
    lines = tfruns_run("show", run.id).out.splitlines()
    statuses = [line.split()[2] for line in lines if line.startswith(("│", "●"))]
    assert statuses[-2:] == ["planning", "planned"]
    assert "so far" in lines[-2]
    following = lines[-1].partition("`tfruns run review ")
    assert following[0] == "  next: Waits for a person to apply or discard it. "
    assert following[2].startswith(run.id)
    assert following[2].endswith("` shows the plan.")
    assert RunResult.model_validate(tfruns_run("show", run.id, "--json").json).id == run.id


async def test_list_marks_runs_that_need_a_person_and_filters(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(CHANGES)
    run = await lab.planned(workspace, message="one\ttwo")
    await lab.until(await lab.run(workspace, plan_only=True), RunStatus.PLANNED_AND_FINISHED)
    assert [row[:2] for row in tfruns_run("list", "-w", workspace).rows] == [[run.id, "planned"]]
    assert tfruns_run("list", "-w", workspace).rows[0][5] == "one two"
    assert len(tfruns_run("list", "-w", workspace, "--operation", "plan_only").rows) == 1
    assert tfruns_run("list", "-w", workspace, "--status", "errored").rows == []
    misspelled = tfruns_run("list", "-w", workspace, "--status", "planned,erorred")
    assert misspelled.code == 2
    assert misspelled.err.startswith('Error: The status "erorred" does not exist. Did you mean "errored"?\n')
    assert RunList.model_validate(tfruns_run("list", "-w", workspace, "--json").json).total_count == 1


# -- invalid input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["review", "logs", "diagnose", "history", "show"])
@pytest.mark.parametrize(
    "arguments",
    [("run-0000000000000000",), ("ws-0000000000000000",), ("",), ("-w", "no/such/place"), ("-w", "default/nowhere")],
)
async def test_missing_or_malformed_run_is_an_error(
    lab: Lab, tfruns_run: Command, name: str, arguments: tuple[str, ...]
) -> None:
    ended = tfruns_run(name, *arguments, "--json")
    assert ended.code in {1, 2}
    assert Failure.model_validate(ended.json).message


@pytest.mark.parametrize(
    "arguments",
    [
        ("review", "--page", "0"),
        ("review", "--page", "nine"),
        ("logs", "--phase", "never"),
        ("logs", "--tail", "0"),
        ("logs", "--tail", "1001"),
        ("logs", "--follow", "--json"),
        ("history", "--page", "0"),
        ("history", "--page-size", "51"),
        ("list", "--page-size", "101", "-w", "ws-1"),
        ("list", "--workspace-names", "a", "-w", "ws-1"),
    ],
)
async def test_invalid_option_exits_with_2(lab: Lab, tfruns_run: Command, arguments: tuple[str, ...]) -> None:
    name, *options = arguments
    ended = tfruns_run(name, *([] if name == "list" else ["run-0000000000000000"]), *options)
    assert ended.code == 2
    assert ended.err + ended.out
