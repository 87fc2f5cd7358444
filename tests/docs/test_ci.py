"""The workflow of docs/ci.md: its steps are run against the local backend with real Terraform."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.command import PATIENCE_S, Shell
from tests.support.command_process import forwarding_command, start
from tests.support.local_server import LocalServer
from tests.support.stdio import tfruns

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH"),
]

_PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
_WORKFLOW = re.search(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)
assert _WORKFLOW is not None
WORKFLOW: dict[str, Any] = yaml.safe_load(_WORKFLOW[1])
_EXPRESSION = re.compile(r"\$\{\{ ([a-z_.]+) \}\}")
CONFIGURATION = 'variable "size" { default = 1 }\nresource "terraform_data" "a" { input = var.size }\n'


class Job:
    """A job of the workflow in a directory of its own, with a stand-in for `gh` that records its arguments."""

    def __init__(self, shell: Shell, workspace: str) -> None:
        self.shell = shell
        self.contexts: dict[str, str] = {"github.event.number": "7", "github.sha": "abc", "github.token": "not-a-token"}
        self.outputs = shell.home / "output"
        self.comments = shell.home / "comments"
        stand_in = shell.home / "bin" / "gh"
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(f'#!/bin/sh\necho "$@" >> {self.comments}\ncat plan.md >> {self.comments}\n')
        stand_in.chmod(0o755)
        self.control = forwarding_command(stand_in.parent)
        self.env = {
            **shell.env,
            "TF_WORKSPACE": workspace,
            "PATH": f"{stand_in.parent}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(self.outputs),
        }

    def run(self, job: str, name: str) -> subprocess.CompletedProcess[str]:
        """Run a step, and make its outputs available to later ones."""
        (step,) = [step for step in WORKFLOW["jobs"][job]["steps"] if step.get("name") == name]
        env = {key: self._evaluated(value) for key, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.shell.directory,
            env={**self.env, **env},
            pass_fds=[self.control],
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        for key, value in self.values.items():
            self.contexts[f"steps.{step.get('id')}.outputs.{key}"] = value
            self.contexts[f"needs.{job}.outputs.{key}"] = value
        return done

    @property
    def values(self) -> Mapping[str, str]:
        lines = self.outputs.read_text().splitlines() if self.outputs.exists() else []
        return dict(line.split("=", 1) for line in lines)

    def _evaluated(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self.contexts[found[1]], text)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def job(server: LocalServer, tmp_path: Path) -> Job:
    shell = Shell.at(server, tmp_path / "here")
    (shell.directory / "main.tf").write_text(CONFIGURATION)
    shell("workspace", "create", tmp_path.name)
    return Job(shell, tmp_path.name)


def test_pull_request_is_planned_and_commented(job: Job) -> None:
    done = job.run("check", "Plan")
    assert done.returncode == 0, done
    assert job.values["status"] == "planned_and_finished"
    assert (job.values["outcome"], job.values["has_changes"]) == ("final", "true")
    assert job.values["plan"] == "Plan: 1 to add, 0 to change, 0 to destroy."
    assert job.run("check", "Comment").returncode == 0
    comments = job.comments.read_text()
    assert comments.startswith("pr comment 7 --body-file plan.md --edit-last --create-if-none\n### Terraform run ")
    assert "Plan: 1 to add" in comments.replace("&#58;", ":")


def test_failed_plan_fails_the_job_and_is_commented(job: Job) -> None:
    (job.shell.directory / "main.tf").write_text('resource "terraform_data" "a" { input = var.missing }\n')
    assert job.run("check", "Plan").returncode == 20
    assert job.values["status"] == "errored"
    assert job.run("check", "Comment").returncode == 0
    assert "undeclared input variable" in job.comments.read_text()


def test_merge_is_planned_and_applied(job: Job) -> None:
    assert job.run("plan", "Plan").returncode == 0
    assert job.values["outcome"] == "attention"
    assert WORKFLOW["jobs"]["apply"]["if"] == "needs.plan.outputs.outcome == 'attention'"
    done = job.run("apply", "Apply")
    assert done.returncode == 0, done
    assert job.values["status"] == "applied"
    job.outputs.unlink()
    assert job.run("plan", "Plan").returncode == 0
    assert job.values["outcome"] == "final"  # without changes, nothing is to be applied


def test_fingerprint_of_another_plan_is_refused(job: Job) -> None:
    job.run("plan", "Plan")
    job.contexts["needs.plan.outputs.fingerprint"] = "of-another-plan"
    done = job.run("apply", "Apply")
    assert done.returncode == 10
    assert "fingerprint does not match" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("options", "code", "text", "status"),
    [
        (("--cancel-on-interrupt",), 20, "Canceling run-", "canceled"),
        ((), 30, "The run continues. To resume waiting: tfruns run wait run-", "pending"),
    ],
)
def test_canceled_job(
    job: Job, number: signal.Signals, options: tuple[str, ...], code: int, text: str, status: str
) -> None:
    job.run("plan", "Plan")  # waits for confirmation, so that the next run is pending
    command = [tfruns(), "run", "create", "-w", job.env["TF_WORKSPACE"], "--wait", *options]
    process = start(command, cwd=job.shell.directory, env=job.shell.env, stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    shown = ""
    while "] pending" not in shown:
        line = process.stderr.readline().decode()
        assert line, shown
        shown += line
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == code
    assert text in process.stderr.read().decode()
    process.stderr.close()
    run_id = shown.partition("Created ")[2].partition(".")[0]
    assert job.shell("run", "show", run_id, "--jq", ".status").out == f"{status}\n"
