"""Cancel and force-cancel during a plan and an apply."""

import json
import os
import select
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.local.terraform.conftest import TIMEOUT_S, Bench, Gate, local_exec
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.phases import run_apply
from tfruns.local.terraform.plan_json import ResourceCounts
from tfruns.local.terraform.process import is_running
from tfruns.local.terraform.state import State
from tfruns.vocabulary import PhaseStatus

Gates = Callable[[str], Gate]


class SlowState:
    """A server of a remote state that reports requests and delays its responses until the test releases them."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self.release = threading.Event()
        slow = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                slow.requested.set()
                slow.release.wait(TIMEOUT_S)
                self.send_error(404)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def configuration(self) -> str:
        return f"""
        data "terraform_remote_state" "slow" {{
          backend = "http"
          config  = {{ address = "http://127.0.0.1:{self.server.server_port}/" }}
        }}
        """

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def slow_state() -> Iterator[SlowState]:
    slow = SlowState()
    yield slow
    slow.close()


def tainted(state: State | None) -> list[str]:
    assert state is not None
    resources = json.loads(state.raw)["resources"]
    return [r["name"] for r in resources if r["instances"][0].get("status") == "tainted"]


@pytest.mark.parametrize("level", [CancelLevel.INTERRUPT, CancelLevel.KILL])
def test_cancel_and_kill_stop_a_running_plan(bench: Bench, slow_state: SlowState, level: CancelLevel) -> None:
    bench.given(slow_state.configuration)
    running = bench.start_plan()
    assert slow_state.requested.wait(TIMEOUT_S)
    bench.level.value = level
    if level is CancelLevel.INTERRUPT:
        slow_state.release.set()  # Terraform completes the request
    outcome = running.result(TIMEOUT_S)
    assert outcome.status is PhaseStatus.CANCELED
    assert outcome.plan_json is None
    assert not is_running(bench.inputs.run_dir.output)


def test_force_cancel_kills_a_plan_that_ignores_the_interrupt(bench: Bench, slow_state: SlowState) -> None:
    bench.given(slow_state.configuration)
    running = bench.start_plan()
    assert slow_state.requested.wait(TIMEOUT_S)
    bench.level.value = CancelLevel.INTERRUPT
    bench.level.value = CancelLevel.KILL
    outcome = running.result(TIMEOUT_S)
    assert (outcome.status, outcome.exit_code) == (PhaseStatus.CANCELED, -9)
    assert "Error: The run was canceled." in bench.plan_log.read_text()


def test_cancel_stops_a_running_apply_and_keeps_its_state(bench: Bench, gate: Gates) -> None:
    started, never = gate("started"), gate("never")
    bench.given(
        local_exec(f"echo up > {started.path}; read go < {never.path}", "stuck")
        + '\nresource "terraform_data" "later" { input = terraform_data.stuck.id }'
    )
    bench.planned()
    running = bench.start_apply()
    started.wait()
    bench.level.value = CancelLevel.INTERRUPT
    outcome = running.result(TIMEOUT_S)
    assert outcome.status is PhaseStatus.CANCELED
    assert outcome.exit_code == 1
    assert tainted(outcome.state) == ["stuck"]
    assert "Interrupt received" in bench.apply_log.read_text()


def test_killed_apply_keeps_the_completed_resources(bench: Bench, gate: Gates) -> None:
    started, never = gate("started"), gate("never")
    bench.given(
        'resource "terraform_data" "done" {}\n'
        + local_exec(
            f"trap '' INT; echo {'$'}{{terraform_data.done.id}} > {started.path}; read go < {never.path}", "stuck"
        )
    )
    bench.planned()
    running = bench.start_apply()
    started.wait()
    bench.level.value = CancelLevel.KILL
    outcome = running.result(TIMEOUT_S)
    assert (outcome.status, outcome.exit_code, outcome.counts) == (
        PhaseStatus.CANCELED,
        -9,
        ResourceCounts(additions=1),
    )
    assert outcome.state is not None
    assert "done" in [resource["name"] for resource in json.loads(outcome.state.raw)["resources"]]


def test_cancel_stops_the_child_processes_of_a_local_exec(bench: Bench, gate: Gates, tmp_path: Path) -> None:
    started, never = gate("started"), gate("never")
    pid_file = tmp_path / "pid"
    script = f"sh -c 'echo $$ > {pid_file}; echo up > {started.path}; read go < {never.path}'; true"
    bench.given(local_exec(script))
    bench.planned()
    running = bench.start_apply()
    started.wait()
    bench.level.value = CancelLevel.INTERRUPT
    assert running.result(TIMEOUT_S).status is PhaseStatus.CANCELED
    assert is_gone(int(pid_file.read_text()))


def is_gone(pid: int) -> bool:
    """Wait until a killed process has exited. Its new parent may not have reaped it yet."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


def test_background_processes_of_a_local_exec_end_with_the_apply(bench: Bench, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    bench.given(local_exec(f"tail -f /dev/null > /dev/null 2>&1 & echo $! > {pid_file}"))
    assert bench.applied().counts.additions == 1
    assert is_gone(int(pid_file.read_text()))


def test_phase_canceled_before_its_start_runs_no_command(bench: Bench) -> None:
    bench.given(local_exec("true"))
    bench.planned()
    bench.level.value = CancelLevel.INTERRUPT
    apply = bench.apply()
    assert (apply.status, apply.exit_code, apply.state) == (PhaseStatus.CANCELED, None, None)
    assert bench.plan().status is PhaseStatus.CANCELED


def test_apply_that_succeeds_despite_a_cancel_is_finished(bench: Bench, gate: Gates) -> None:
    started, go = gate("started"), gate("go")
    bench.given(local_exec(f"trap '' INT; echo up > {started.path}; read go < {go.path}"))
    bench.planned()
    polls: list[CancelLevel] = []

    def finish_after_the_first_poll() -> CancelLevel:
        if polls:
            go.open()
        polls.append(CancelLevel.NONE)
        return CancelLevel.NONE

    outcome = run_apply(bench.inputs, log=PhaseLog(bench.apply_log), cancel_level=finish_after_the_first_poll)
    assert polls
    assert outcome.status is PhaseStatus.FINISHED
