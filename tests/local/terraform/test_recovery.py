"""Recovery after a server was killed during a phase."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local.terraform.conftest import Bench, Gate, local_exec
from tests.local.terraform.test_cancel import is_gone, tainted
from tfruns.local.terraform.inputs import ApplyOutcome
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.plan_json import ResourceCounts
from tfruns.local.terraform.process import Process, is_running
from tfruns.local.terraform.recovery import recover_apply
from tfruns.local.terraform.variables import VariableValue
from tfruns.vocabulary import PhaseStatus

Gates = Callable[[str], Gate]

# A server that applies the plan in a thread.
SERVER = """
import sys, threading
from pathlib import Path
from tfruns.local.terraform.environment import RunIdentity
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.inputs import ApplyInputs
from tfruns.local.terraform.phases import run_apply
from tfruns.local.terraform.executable import find_terraform
from tfruns.local.terraform.variables import VariableValue
from tfruns.local.cancel_level import CancelLevel

directory, log, workspace = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
inputs = ApplyInputs(
    terraform=find_terraform(),
    directory=directory,
    run=RunIdentity("run-1", workspace, "acme"),
    environment=(VariableValue("PASSWORD", "my-password", is_sensitive=True),),
)
apply = lambda: run_apply(inputs, log=PhaseLog(log), cancel_level=lambda: CancelLevel.NONE)
thread = threading.Thread(target=apply)
thread.start()
thread.join()
"""


def kill_server_during_apply(bench: Bench, started: Gate) -> None:
    """Apply in another process, and kill that process once the gate shows that the apply has started."""
    arguments = [str(bench.inputs.directory), str(bench.apply_log), bench.inputs.run.workspace_name]
    server = subprocess.Popen([sys.executable, "-c", SERVER, *arguments], env=os.environ)
    try:
        started.wait()
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait(10)


def recovered(bench: Bench, patience_s: float) -> ApplyOutcome:
    return recover_apply(bench.apply_inputs(), log=PhaseLog(bench.apply_log), patience_s=patience_s)


def messages(bench: Bench) -> list[str]:
    """The messages in the log of the apply after its header."""
    return [json.loads(line)["@message"] for line in bench.apply_log.read_text().splitlines()[3:]]


@pytest.mark.skipif(sys.platform != "linux", reason="requires Linux")
def test_terraform_stops_gracefully_if_the_server_is_killed(bench: Bench, gate: Gates) -> None:
    started, never = gate("started"), gate("never")
    bench.given(
        local_exec(f"echo my-password; echo up > {started.path}; read go < {never.path}", "stuck"),
        environment=(VariableValue("PASSWORD", "my-password", is_sensitive=True),),
    )
    bench.planned()
    kill_server_during_apply(bench, started)
    outcome = recovered(bench, patience_s=30)
    assert outcome.status is PhaseStatus.ERRORED
    assert tainted(outcome.state) == ["stuck"]


@pytest.mark.skipif(sys.platform != "linux", reason="requires Linux")
def test_recovery_completes_the_log_of_an_apply(bench: Bench, gate: Gates) -> None:
    started, never = gate("started"), gate("never")
    bench.given(
        local_exec(f"echo my-password; echo up > {started.path}; read go < {never.path}", "stuck"),
        environment=(VariableValue("PASSWORD", "my-password", is_sensitive=True),),
    )
    bench.planned()
    kill_server_during_apply(bench, started)
    outcome = recovered(bench, patience_s=30)
    logged = messages(bench)
    for once in (
        "Terraform 1.",
        "stuck: Creating...",
        "(local-exec): [removed]",
        "Interrupt received",
        "apply was interrupted",
    ):
        assert len([message for message in logged if once in message]) == 1
    assert "my-password" not in bench.apply_log.read_text()
    assert outcome.error is not None
    assert outcome.error.startswith("The apply was interrupted: the server stopped.")
    assert "local-exec provisioner error" in outcome.error


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_recovery_kills_a_terraform_that_does_not_stop(bench: Bench, gate: Gates, tmp_path: Path) -> None:
    started, never = gate("started"), gate("never")
    pid_file = tmp_path / "pid"
    script = f"trap '' INT; echo $$ > {pid_file}; setsid sh -c 'echo $$ >> {pid_file}; echo up > {started.path}; "
    bench.given(
        'resource "terraform_data" "done" {}\n'
        + local_exec(script + f"read go < {never.path}'; echo {'$'}{{terraform_data.done.id}}", "stuck")
    )
    bench.planned()
    kill_server_during_apply(bench, started)
    outcome = recovered(bench, patience_s=0)
    assert outcome.state is not None
    assert "done" in [resource["name"] for resource in json.loads(outcome.state.raw)["resources"]]
    assert outcome.counts == ResourceCounts(additions=1)
    assert not is_running(bench.inputs.run_dir.output)
    assert [pid for pid in pid_file.read_text().split() if not is_gone(int(pid))] == []


def test_recovery_of_an_apply_that_had_not_started(bench: Bench) -> None:
    bench.given('resource "terraform_data" "a" {}')
    bench.planned()
    bench.inputs.run_dir.output.unlink()
    outcome = recovered(bench, patience_s=60)
    assert (outcome.status, outcome.state, outcome.counts) == (PhaseStatus.ERRORED, None, ResourceCounts())


def test_recovery_of_an_apply_that_had_finished(bench: Bench) -> None:
    bench.given('resource "terraform_data" "a" {}')
    bench.planned()
    applied = bench.apply()
    before = messages(bench)
    outcome = recovered(bench, patience_s=60)
    assert (outcome.state, outcome.counts) == (applied.state, applied.counts)
    assert messages(bench)[:-1] == before


def test_recovery_without_a_run_directory(bench: Bench) -> None:
    assert recovered(bench, patience_s=60).state is None


def test_plan_that_still_runs_is_killed_before_the_next_one(bench: Bench, gate: Gates) -> None:
    started, never = gate("started"), gate("never")
    bench.given('resource "terraform_data" "a" {}')
    bench.planned()
    run_dir = bench.inputs.run_dir
    orphan = Process(
        ["sh", "-c", f"echo up > {started.path}; read go < {never.path}"],
        cwd=run_dir.root,
        environment={"PATH": os.environ["PATH"], "HOME": str(run_dir.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started.wait()  # before that, its environment may not be readable yet
    bench.planned()
    assert orphan.has_exited(within_s=10)
    assert orphan.close() == -signal.SIGKILL
