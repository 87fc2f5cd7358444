"""A full disk while logs, plans or states are written."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local.terraform.conftest import Bench, Gate, local_exec
from tests.local.terraform.test_cancel import tainted
from tests.support.local_server import until
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.phases import run_apply, run_plan
from tfruns.vocabulary import PhaseStatus

DISK_FULL = "The run failed: the server's disk is full. Free disk space, then start a new run."


class FullLog(PhaseLog):
    """A log on a disk that becomes full when a write contains the mark."""

    def __init__(self, path: Path, mark: bytes) -> None:
        super().__init__(path)
        self._mark = mark
        self.is_full = False

    def write(self, data: bytes) -> None:
        self.is_full = self.is_full or self._mark in data
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(data)


@pytest.mark.parametrize("mark", [b"Terraform v", b'"version"', b"change_summary"])
def test_plan_whose_log_exceeds_the_disk_is_errored(bench: Bench, mark: bytes) -> None:
    bench.given('resource "terraform_data" "a" {}')
    outcome = run_plan(bench.inputs, log=FullLog(bench.plan_log, mark), cancel_level=bench.level)
    assert (outcome.status, outcome.error) == (PhaseStatus.ERRORED, DISK_FULL)


def test_apply_whose_log_exceeds_the_disk_keeps_its_state(bench: Bench, gate: Callable[[str], Gate]) -> None:
    never = gate("never")
    bench.given(local_exec(f"echo too much; read go < {never.path}", "stuck"))
    bench.planned()
    outcome = run_apply(bench.inputs, log=FullLog(bench.apply_log, b"too much"), cancel_level=bench.level)
    assert (outcome.status, outcome.error) == (PhaseStatus.ERRORED, DISK_FULL)
    assert tainted(outcome.state) == ["stuck"]
    assert not bench.inputs.run_dir.reserve.exists()  # freed for the state


def test_reserve_is_freed_when_the_disk_is_full(
    bench: Bench, gate: Callable[[str], Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    started, stop = gate("started"), gate("stop")
    bench.given(local_exec(f"echo up > {started.path}; read go < {stop.path}"))
    bench.planned()
    applying = bench.start_apply()
    started.wait()
    reserve = bench.inputs.run_dir.reserve
    assert reserve.exists()
    full = os.statvfs_result((4096, 4096, 10, 0, 0, 10, 10, 10, 0, 255))
    monkeypatch.setattr("tfruns.local.terraform.directory.os.statvfs", lambda _: full)
    until(lambda: not reserve.exists(), "the reserve is freed")
    stop.open()
    assert applying.result(60).error is None


def test_incomplete_output_of_a_command_is_an_error(bench: Bench) -> None:
    from tfruns.local.terraform.command import PhaseStopped, load_json

    truncated = bench.root / "plan.json"
    truncated.write_text('{"format_version": "1.2", "resource_')
    with pytest.raises(PhaseStopped, match="output of Terraform is incomplete"):
        load_json(truncated)
