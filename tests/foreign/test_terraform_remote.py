"""The Terraform CLI with a `remote` backend over HTTPS, with service discovery and a trusted certificate.

Source: contract notes, section 1; Terraform CLI, "Backend Type: remote", "Remote Service Discovery".
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.foreign.conftest import NewProject
from tests.foreign.terraform_cli import Project
from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab
from tests.support.local_server import LocalServer, until
from tests.support.stdio import environment

pytestmark = pytest.mark.anyio

GREETING = """
    resource "terraform_data" "greeting" { input = "hello" }
    output "greeting" { value = terraform_data.greeting.output }
"""


@pytest.fixture(scope="module")
def arguments() -> tuple[str, ...]:
    return ("--self-signed",)


@pytest.fixture(scope="module")
def hostname(server: LocalServer) -> str:
    """The server's hostname in a configuration."""
    return f"localhost:{server.url.rpartition(':')[2]}"


@pytest.fixture(scope="module")
def env(server: LocalServer, hostname: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with only the trusted certificate and the token."""
    return environment(
        tmp_path_factory.mktemp("home"),
        SSL_CERT_FILE=str(server.data_dir / "tls" / "certificate.pem"),
        CHECKPOINT_DISABLE="1",
        **{f"TF_TOKEN_{hostname}": server.token},
    )


@pytest.fixture
def uninitialized(env: dict[str, str], hostname: str, new_directory: Callable[[], Path], name: str) -> NewProject:
    """Create a directory with a configuration."""

    def make(main: str = GREETING, workspaces: str = f'name = "{name}"', kind: str = 'backend "remote"') -> Project:
        project = Project(new_directory(), env)
        project.write(main)
        block = f'hostname = "{hostname}"\n organization = "default"\n workspaces {{ {workspaces} }}'
        project.write(f"terraform {{\n {kind} {{\n {block}\n }}\n}}\n", "backend.tf")
        return project

    return make


@pytest.fixture
def new_project(uninitialized: NewProject) -> NewProject:
    """The same, initialized."""

    def make(main: str = GREETING) -> Project:
        project = uninitialized(main)
        assert "Successfully configured" in project.run("init", "-input=false").text
        return project

    return make


def test_cloud_block_finds_the_server_by_discovery(uninitialized: NewProject, hostname: str, name: str) -> None:
    project = uninitialized(kind="cloud")
    project.run("init", "-input=false")
    output = project.run("apply", "-auto-approve").text
    assert f"https://{hostname}/app/default/{name}/runs/run-" in output
    assert "Apply complete! Resources: 1 added" in output
    assert project.resources() == ["terraform_data.greeting"]


def test_untrusted_certificate_sends_nothing(uninitialized: NewProject) -> None:
    refused = uninitialized().try_("init", "-input=false", SSL_CERT_FILE="/dev/null", SSL_CERT_DIR="/nowhere")
    assert refused.code == 1
    assert "certificate" in refused.text


def test_workspaces_with_a_prefix_are_made_listed_selected_and_deleted(uninitialized: NewProject, name: str) -> None:
    project = uninitialized(workspaces=f'prefix = "{name}-"')
    project.try_("init", "-input=false")
    project.run("workspace", "new", "a")
    project.run("init", "-input=false")
    project.run("workspace", "new", "b")
    project.run("apply", "-auto-approve")
    assert project.run("workspace", "list").text == "a * b"
    project.run("workspace", "select", "a")
    assert "No state file was found" in project.try_("state", "list").text
    assert project.try_("workspace", "delete", "b").code == 1, "it is not empty"
    project.run("workspace", "delete", "-force", "b")
    assert project.run("workspace", "list").text == "* a"


def test_plan_is_shown_as_by_terraform(new_project: NewProject) -> None:
    output = new_project().run("plan").text
    assert '"@level"' not in output, "the machine-readable log, which this backend does not render"
    assert '# terraform_data.greeting will be created + resource "terraform_data" "greeting" {' in output
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in output
    assert output.count("terraform_data.greeting will be created") == 1


def test_error_is_shown_as_by_terraform(new_project: NewProject) -> None:
    project = new_project()
    project.write('output "wrong" { value = terraform_data.missing.output }', "wrong.tf")
    failed = project.try_("plan")
    assert failed.code == 1
    assert "Error: Reference to undeclared resource" in failed.text
    assert "on wrong.tf line 1" in failed.text
    assert 'A managed resource "terraform_data" "missing" has not been declared' in failed.text


def test_apply_is_confirmed_or_declined(new_project: NewProject) -> None:
    project = new_project()
    with project.terminal("apply") as terminal:
        terminal.answer("Enter a value:", "no")
        terminal.expect("Apply discarded")
        assert terminal.end() == 1, terminal.text
    with project.terminal("apply") as terminal:
        terminal.expect("Plan: 1 to add")
        terminal.answer("Enter a value:", "yes")
        terminal.expect("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.")
        assert terminal.end() == 0, terminal.text
    assert project.resources() == ["terraform_data.greeting"]
    assert project.run("output", "-raw", "greeting").raw == "hello"


def test_apply_log_is_streamed(new_project: NewProject, apply_gate: ApplyGate) -> None:
    project = new_project(apply_gate.configuration(before="echo a line of the provisioner"))
    with project.terminal("apply", "-auto-approve") as terminal:
        terminal.expect("(local-exec): a line of the provisioner")
        assert "Creation complete" not in terminal.text
        apply_gate.open()
        terminal.expect("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.")
        assert terminal.end() == 0, terminal.text


def test_failed_apply_shows_why(new_project: NewProject) -> None:
    project = new_project('resource "terraform_data" "bad" {\n provisioner "local-exec" { command = "exit 3" }\n}')
    failed = project.try_("apply", "-auto-approve")
    assert failed.code == 1
    assert "Error: local-exec provisioner error" in failed.text
    assert "exit status 3" in failed.text
    assert project.resources() == ["terraform_data.bad"]


async def test_states_locks_and_destruction(new_project: NewProject, name: str, lab: Lab) -> None:
    project = new_project()
    project.run("apply", "-auto-approve")
    project.run("apply", "-refresh-only", "-auto-approve")
    assert "marked as tainted" in project.run("taint", "terraform_data.greeting").text
    assert "Successfully moved" in project.run("state", "mv", "terraform_data.greeting", "terraform_data.b").text
    assert project.json("state", "pull")["serial"] >= 3
    workspace = await lab.client.workspaces.read(f"default/{name}")
    await lab.lock(workspace.id)
    assert "Error acquiring the state lock" in project.try_("state", "rm", "terraform_data.b").text
    project.run("force-unlock", "-force", f"default/{name}")
    project.run("state", "rm", "terraform_data.b")
    assert project.resources() == []
    project.run("apply", "-auto-approve")
    assert "1 destroyed" in project.run("destroy", "-auto-approve").text
    assert project.resources() == []


def test_ctrl_c_in_mid_apply_cancels(new_project: NewProject, apply_gate: ApplyGate) -> None:
    project = new_project(apply_gate.configuration())
    with project.terminal("apply", "-auto-approve") as terminal:
        terminal.expect("Provisioning with 'local-exec'...")
        until(apply_gate.has_begun, "it is applied")
        terminal.interrupt()
        terminal.expect("The remote operation was successfully cancelled.")
        terminal.end()
    # Terraform prints this when the cancel is accepted; the state is stored when the apply has stopped.
    until(lambda: project.try_("state", "list").text == "terraform_data.a", "its state is stored")
