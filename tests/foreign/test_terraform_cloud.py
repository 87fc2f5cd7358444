"""The Terraform CLI with a `cloud` block over plain HTTP; a `host` block in its configuration names the server.

Source: contract notes, section 1; Terraform CLI, "HCP Terraform settings", "Connect to HCP Terraform".
"""

import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.foreign.conftest import NewProject
from tests.foreign.terraform_cli import Project
from tests.support.gates import ApplyGate, PlanGate
from tests.support.local_lab import Lab
from tests.support.local_server import until
from tfruns.wire.runs import Run

pytestmark = pytest.mark.anyio

GREETING = """
    resource "terraform_data" "greeting" { input = "hello" }
    output "greeting" { value = terraform_data.greeting.output }
"""
GREEN_PLUS = "\x1b[32m+\x1b[0m"


def cloud(workspaces: str) -> str:
    return f"""
        terraform {{
          cloud {{
            hostname     = "tfruns.local"
            organization = "default"
            workspaces {{
              {workspaces}
            }}
          }}
        }}
    """


@pytest.fixture
def uninitialized(cli_env: dict[str, str], new_directory: Callable[[], Path], name: str) -> NewProject:
    """Create a directory with a configuration."""

    def make(main: str = GREETING, workspaces: str = f'name = "{name}"') -> Project:
        project = Project(new_directory(), cli_env)
        project.write(main)
        project.write(cloud(workspaces), "cloud.tf")
        return project

    return make


@pytest.fixture
def new_project(uninitialized: NewProject) -> NewProject:
    """The same, initialized."""

    def make(main: str = GREETING) -> Project:
        project = uninitialized(main)
        project.run("init", "-input=false")
        return project

    return make


def initialize_with(project: Project, workspace: str) -> None:
    """Initialize a project that selects workspaces by tags, without any matching workspace."""
    with project.terminal("init") as terminal:
        terminal.expect("There are no workspaces with the configured tags")
        terminal.answer("Enter a value:", workspace)
        assert terminal.end() == 0, terminal.text


async def run_of(lab: Lab, output: str) -> Run:
    """The run whose URL a command printed."""
    found = re.search(r"/runs/(run-\w+)", output)
    assert found, output
    return await lab.client.runs.read(found.group(1))


# -- init, workspaces -------------------------------------------------------------------------------------------------


async def test_init_creates_the_workspace(new_project: NewProject, name: str, lab: Lab) -> None:
    output = new_project().run("init", "-input=false").text
    assert "HCP Terraform has been successfully initialized!" in output
    assert (await lab.client.workspaces.read(f"default/{name}")).name == name


async def test_workspaces_are_made_and_found_by_a_tag(uninitialized: NewProject, name: str, lab: Lab) -> None:
    project = uninitialized(workspaces=f'tags = ["{name}"]')
    initialize_with(project, f"{name}-a")
    project.run("workspace", "new", f"{name}-b")
    assert project.run("workspace", "list").text == f"{name}-a * {name}-b"
    project.run("workspace", "select", f"{name}-a")
    assert project.run("workspace", "show").text == f"{name}-a"
    document = await lab.send("GET", f"/organizations/default/workspaces/{name}-a")
    assert document["data"]["attributes"]["tag-names"] == [name]
    assert "successfully initialized" in project.run("init", "-input=false").text


def test_init_asks_for_the_first_workspace_of_a_tag(uninitialized: NewProject, name: str) -> None:
    project = uninitialized(workspaces=f'tags = ["{name}"]')
    initialize_with(project, f"{name}-first")
    assert project.run("workspace", "list").text == f"* {name}-first"


async def test_tags_with_values_are_bound_to_a_workspace_and_find_it(
    uninitialized: NewProject, name: str, lab: Lab
) -> None:
    project = uninitialized(workspaces=f'tags = {{ app = "{name}", tier = "web" }}')
    initialize_with(project, f"{name}-a")
    assert project.run("workspace", "list").text == f"* {name}-a"
    workspace = await lab.client.workspaces.read(f"default/{name}-a")
    bindings = await lab.send("GET", f"/workspaces/{workspace.id}/tag-bindings")
    found = {item["attributes"]["key"]: item["attributes"]["value"] for item in bindings["data"]}
    assert found == {"app": name, "tier": "web"}
    other = uninitialized(workspaces=f'tags = {{ app = "{name}", tier = "database" }}')
    assert f"{name}-a" not in other.try_("workspace", "list").text


def test_workspace_in_the_configured_project_is_created(uninitialized: NewProject, name: str) -> None:
    project = uninitialized(workspaces=f'name = "{name}"\n project = "Default Project"')
    assert "successfully initialized" in project.run("init", "-input=false").text


def test_workspace_is_deleted_only_without_resources(uninitialized: NewProject, name: str) -> None:
    project = uninitialized(workspaces=f'tags = ["{name}"]')
    initialize_with(project, f"{name}-a")
    project.run("workspace", "new", f"{name}-b")
    project.run("apply", "-auto-approve")
    project.run("workspace", "select", f"{name}-a")
    refused = project.try_("workspace", "delete", f"{name}-b")
    assert refused.code == 1
    assert "is not empty" in refused.text or "still managing resources" in refused.text
    project.run("workspace", "delete", "-force", f"{name}-b")
    assert project.run("workspace", "list").text == f"* {name}-a"


# -- plan -------------------------------------------------------------------------------------------------------------


async def test_plan_is_shown_in_color_with_the_run_url(new_project: NewProject, name: str, lab: Lab) -> None:
    output = new_project().run("plan")
    assert f"https://tfruns.local/app/default/{name}/runs/run-" in output.text
    assert "# terraform_data.greeting will be created" in output.text
    assert f"{GREEN_PLUS} resource" in re.sub(r"(\x1b\[0m)+", "\x1b[0m", output.raw)
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in output.text
    assert '"@level"' not in output.text, "it is the JSON log, not rendered"
    run = await run_of(lab, output.text)
    assert (run.plan_only, run.status, run.source) == (True, "planned_and_finished", "terraform+cloud")


def test_plan_without_changes_is_reported(new_project: NewProject) -> None:
    project = new_project()
    project.run("apply", "-auto-approve")
    assert "No changes. Your infrastructure matches the configuration." in project.run("plan").text


def test_plan_options_take_effect(new_project: NewProject) -> None:
    project = new_project(GREETING + 'resource "terraform_data" "other" { input = var.word }\nvariable "word" {}')
    project.run("apply", "-auto-approve", "-var", "word=first")
    output = project.run("plan", "-var", "word=second", "-replace", "terraform_data.greeting").text
    assert "terraform_data.greeting will be replaced, as requested" in output
    assert '"first" -> "second"' in output
    output = project.run("plan", "-var", "word=second", "-target", "terraform_data.other", "-refresh=false").text
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in output
    assert "2 to destroy" in project.run("plan", "-destroy", "-var", "word=first").text
    assert "No changes" in project.run("plan", "-refresh-only", "-var", "word=first").text


def test_sensitive_value_is_never_shown(new_project: NewProject) -> None:
    project = new_project("""
        variable "password" {
          sensitive = true
          default   = "correct horse battery"
        }
        resource "terraform_data" "a" { input = var.password }
        output "password" {
          value     = terraform_data.a.output
          sensitive = true
        }
    """)
    for output in (project.run("plan").text, project.run("apply", "-auto-approve").text, project.run("output").text):
        assert "sensitive" in output
        assert "correct horse battery" not in output
    assert "(sensitive value)" in project.run("plan", "-var", "password=another horse battery").text
    assert project.json("output", "-json")["password"]["value"] == "correct horse battery"


def test_configuration_error_is_shown_as_by_terraform(new_project: NewProject) -> None:
    project = new_project()
    project.write('output "wrong" { value = terraform_data.missing.output }', "wrong.tf")
    failed = project.try_("plan")
    assert failed.code == 1
    assert "Error: Reference to undeclared resource" in failed.text
    assert "on wrong.tf line 1" in failed.text


def test_files_that_a_plan_reads_are_uploaded(new_project: NewProject) -> None:
    project = new_project('output "text" { value = file("${path.module}/more/text.txt") }')
    (project.directory / "more").mkdir()
    project.write("from a file", "more/text.txt")
    project.write("more/ignored.txt\n", ".terraformignore")
    project.run("apply", "-auto-approve")
    assert project.run("output", "-raw", "text").raw == "from a file"


# -- apply ------------------------------------------------------------------------------------------------------------


async def test_confirmed_apply_is_applied(new_project: NewProject, name: str, lab: Lab) -> None:
    project = new_project()
    with project.terminal("apply") as terminal:
        terminal.expect("Plan: 1 to add, 0 to change, 0 to destroy.")
        terminal.expect(f'Do you want to perform these actions in workspace "{name}"?')
        terminal.answer("Enter a value:", "yes")
        terminal.expect("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.")
        assert terminal.end() == 0, terminal.text
    assert project.resources() == ["terraform_data.greeting"]
    run = await run_of(lab, terminal.text)
    assert (run.status, run.auto_apply) == ("applied", False)


async def test_declined_apply_is_discarded(new_project: NewProject, name: str, lab: Lab) -> None:
    project = new_project()
    with project.terminal("apply") as terminal:
        terminal.answer("Enter a value:", "no")
        terminal.expect("Apply discarded.")
        assert terminal.end() == 1, terminal.text
    assert "No state" in project.try_("state", "list").text
    assert (await run_of(lab, terminal.text)).status == "discarded"


async def test_apply_confirmed_elsewhere_continues(new_project: NewProject, name: str, lab: Lab) -> None:
    project = new_project()
    with project.terminal("apply") as terminal:
        terminal.expect("Enter a value:")
        await lab.client.runs.apply((await run_of(lab, terminal.text)).id)
        terminal.expect("approved using the UI or API")
        terminal.expect("Apply complete!")
        assert terminal.end() == 0, terminal.text


def test_apply_log_is_streamed(new_project: NewProject, apply_gate: ApplyGate) -> None:
    project = new_project(apply_gate.configuration(before="echo a line of the provisioner"))
    with project.terminal("apply", "-auto-approve") as terminal:
        terminal.expect("terraform_data.a: (local-exec): a line of the provisioner")
        assert "Apply complete!" not in terminal.text
        assert "Creation complete" not in terminal.text
        apply_gate.open()
        terminal.expect("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.")
        assert terminal.end() == 0, terminal.text


async def test_apply_auto_approve_asks_nothing_and_shows_the_outputs(
    new_project: NewProject, name: str, lab: Lab
) -> None:
    output = new_project().run("apply", "-auto-approve").text
    assert 'Apply complete! Resources: 1 added, 0 changed, 0 destroyed. Outputs: greeting = "hello"' in output
    assert (await run_of(lab, output)).auto_apply is True


def test_failed_apply_shows_why_and_keeps_its_state(new_project: NewProject) -> None:
    project = new_project("""
        resource "terraform_data" "good" {}
        resource "terraform_data" "bad" {
          depends_on = [terraform_data.good]
          provisioner "local-exec" { command = "echo about to fail; exit 3" }
        }
    """)
    failed = project.try_("apply", "-auto-approve")
    assert failed.code == 1
    assert "Error: local-exec provisioner error" in failed.text
    assert "exit status 3" in failed.text
    assert project.resources() == ["terraform_data.bad", "terraform_data.good"]
    assert "terraform_data.bad is tainted, so must be replaced" in project.run("plan").text


def test_destroy_leaves_nothing(new_project: NewProject) -> None:
    project = new_project()
    project.run("apply", "-auto-approve")
    with project.terminal("destroy") as terminal:
        terminal.expect("terraform_data.greeting will be destroyed")
        terminal.answer("Enter a value:", "yes")
        terminal.expect("Apply complete! Resources: 0 added, 0 changed, 1 destroyed.")
        assert terminal.end() == 0, terminal.text
    assert project.resources() == []


async def test_refresh_is_a_run_that_only_refreshes(new_project: NewProject, name: str, lab: Lab) -> None:
    project = new_project()
    project.run("apply", "-auto-approve")
    run = await run_of(lab, project.run("refresh").text)
    assert (run.refresh_only, run.auto_apply) == (True, True)
    assert project.resources() == ["terraform_data.greeting"]


# -- saved plans ------------------------------------------------------------------------------------------------------


def test_saved_plan_is_shown_and_applied(new_project: NewProject) -> None:
    project = new_project()
    assert "Plan: 1 to add" in project.run("plan", "-out=p").text
    assert set(json.loads((project.directory / "p").read_text())) == {"remote_plan_format", "run_id", "hostname"}
    shown = project.run("show", "p").text
    assert "# terraform_data.greeting will be created" in shown
    document = project.json("show", "-json", "p")
    assert [change["address"] for change in document["resource_changes"]] == ["terraform_data.greeting"]
    assert "Apply complete! Resources: 1 added" in project.run("apply", "p").text
    assert project.resources() == ["terraform_data.greeting"]
    again = project.try_("apply", "p")
    assert again.code == 1
    assert "already been applied" in again.text or "Saved plan is already" in again.text, again.text


def test_stale_saved_plan_is_refused(new_project: NewProject) -> None:
    project = new_project()
    project.run("plan", "-out=p")
    project.run("apply", "-auto-approve")
    refused = project.try_("apply", "p")
    assert refused.code == 1
    assert "discarded" in refused.text


# -- states -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def applied(new_project: NewProject) -> Project:
    """A project with a state."""
    project = new_project("""
        resource "terraform_data" "a" { input = 1 }
        resource "terraform_data" "b" { input = { list = ["x", "y"] } }
        output "number" { value = terraform_data.a.output }
        output "object" { value = terraform_data.b.output }
    """)
    project.run("apply", "-auto-approve")
    return project


def test_outputs_are_read(applied: Project) -> None:
    assert applied.run("output", "number").text == "1"
    assert applied.json("output", "-json", "object") == {"list": ["x", "y"]}
    assert set(applied.json("output", "-json")) == {"number", "object"}
    assert 'Output "missing" not found' in applied.try_("output", "missing").text


def test_state_is_listed_shown_and_pulled(applied: Project) -> None:
    assert applied.resources() == ["terraform_data.a", "terraform_data.b"]
    assert "input = 1" in applied.run("state", "show", "terraform_data.a").text
    assert applied.json("state", "pull")["serial"] >= 1
    assert "terraform_data.b" in applied.run("show").text
    assert applied.json("show", "-json")["values"]["outputs"]["number"]["value"] == 1


async def test_state_is_changed_under_the_workspace_lock(applied: Project, name: str, lab: Lab) -> None:
    serial = applied.json("state", "pull")["serial"]
    assert "marked as tainted" in applied.run("taint", "terraform_data.a").text
    assert "terraform_data.a is tainted, so must be replaced" in applied.run("plan").text
    assert "untainted" in applied.run("untaint", "terraform_data.a").text
    assert "Successfully moved 1 object" in applied.run("state", "mv", "terraform_data.a", "terraform_data.c").text
    assert "Successfully removed 1 resource" in applied.run("state", "rm", "terraform_data.b").text
    assert applied.resources() == ["terraform_data.c"]
    assert applied.json("state", "pull")["serial"] == serial + 4
    assert await lab.is_free((await lab.client.workspaces.read(f"default/{name}")).id)


def test_state_is_pushed_and_an_older_one_refused(applied: Project) -> None:
    state = applied.json("state", "pull")
    applied.write(json.dumps({**state, "serial": state["serial"] + 5}), "new.json")
    applied.run("state", "push", "new.json")
    assert applied.json("state", "pull")["serial"] >= state["serial"] + 5
    applied.write(json.dumps(state), "old.json")
    assert "cannot import state with serial" in applied.try_("state", "push", "old.json").text


# -- locks, the queue, Ctrl-C -----------------------------------------------------------------------------------------


async def test_lock_is_respected_until_force_unlocked(new_project: NewProject, name: str, lab: Lab) -> None:
    project = new_project()
    project.run("apply", "-auto-approve")
    workspace = await lab.client.workspaces.read(f"default/{name}")
    await lab.lock(workspace.id)
    refused = project.try_("taint", "terraform_data.greeting")
    assert refused.code == 1
    assert "Error acquiring the state lock" in refused.text
    wrong = project.try_("force-unlock", "-force", "another-lock")
    assert wrong.code == 1
    assert "successfully unlocked" in project.run("force-unlock", "-force", f"default/{name}").text
    assert await lab.is_free(workspace.id)
    project.run("taint", "terraform_data.greeting")


async def test_run_waits_for_a_locked_workspace_with_a_message(new_project: NewProject, name: str, lab: Lab) -> None:
    project = new_project()
    workspace = await lab.client.workspaces.read(f"default/{name}")
    await lab.lock(workspace.id)
    with project.terminal("apply", "-auto-approve") as terminal:
        terminal.expect("Waiting for the manually locked workspace to be unlocked...")
        await lab.unlock(workspace.id)
        terminal.expect("Apply complete!")
        assert terminal.end() == 0, terminal.text


async def test_second_of_two_runs_waits_in_the_queue_with_a_message(
    new_project: NewProject, apply_gate: ApplyGate
) -> None:
    first, second = new_project(apply_gate.configuration()), new_project(GREETING)
    with ExitStack() as stack:
        one = stack.enter_context(first.terminal("apply", "-auto-approve"))
        until(apply_gate.has_begun, "the first is applied")
        two = stack.enter_context(second.terminal("apply", "-auto-approve"))
        two.expect("Waiting for 1 run(s) to finish before being queued...")
        apply_gate.open()
        one.expect("Apply complete!")
        assert one.end() == 0, one.text
        two.expect("Apply complete!")
        assert two.end() == 0, two.text
    assert second.resources() == ["terraform_data.greeting"], "it plans with the state that the first has left"


async def test_ctrl_c_leaves_a_plan_alone(new_project: NewProject, name: str, plan_gate: PlanGate, lab: Lab) -> None:
    project = new_project(plan_gate.configuration(name))
    with project.terminal("plan") as terminal:
        terminal.expect("Initializing plugins and modules...")
        terminal.interrupt()
        terminal.expect("Interrupt received.")
        terminal.end()
    run = await run_of(lab, terminal.text)
    plan_gate.open(name)
    await lab.until(run, "planned_and_finished")


async def test_ctrl_c_in_an_apply_asks_and_then_cancels_it(
    new_project: NewProject, name: str, plan_gate: PlanGate, lab: Lab
) -> None:
    project = new_project(plan_gate.configuration(name))
    with project.terminal("apply") as terminal:
        until(lambda: plan_gate.requests(name), "it plans")
        terminal.interrupt()
        terminal.expect("Do you want to cancel the remote operation?")
        terminal.answer("Enter a value:", "yes")
        terminal.expect("The remote operation was successfully cancelled.")
        plan_gate.open(name)
        terminal.end()
    await lab.until(await run_of(lab, terminal.text), "canceled")


async def test_ctrl_c_in_mid_apply_cancels_without_a_question_if_none_was_to_be_asked(
    new_project: NewProject, apply_gate: ApplyGate, lab: Lab
) -> None:
    main = apply_gate.configuration(depends_on="terraform_data.done") + 'resource "terraform_data" "done" {}'
    project = new_project(main)
    with project.terminal("apply", "-auto-approve") as terminal:
        terminal.expect("terraform_data.a: Provisioning with 'local-exec'...")
        until(apply_gate.has_begun, "it is applied")
        terminal.interrupt()
        terminal.expect("The remote operation was successfully cancelled.")
        terminal.end()
    await lab.until(await run_of(lab, terminal.text), "canceled")
    assert project.resources() == ["terraform_data.a", "terraform_data.done"]
    assert "terraform_data.a is tainted, so must be replaced" in project.run("plan").text
