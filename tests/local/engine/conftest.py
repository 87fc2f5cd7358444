"""Fixtures for the tests of the engine: a worker with a fake executor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.local.support import Api
from tfruns.local.engine.cancel import CancelCheck, StopSignal
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.worker import Worker
from tfruns.local.service.phases import PhaseResult, StartedPhase
from tfruns.local.terraform.environment import OperatorSettings
from tfruns.local.terraform.executable import Terraform

Play = Callable[[StartedPhase, CancelCheck], PhaseResult]


@dataclass
class Executor:
    """A fake executor. It returns or calls the `plays` of the test in order."""

    plays: list[Play | PhaseResult] = field(default_factory=list)
    started: list[StartedPhase] = field(default_factory=list)

    def __call__(self, _: Any, __: Any, phase: StartedPhase, level: CancelCheck) -> PhaseResult:
        self.started.append(phase)
        play = self.plays.pop(0) if self.plays else PhaseResult("finished", has_changes=phase.kind == "plan")
        return play if isinstance(play, PhaseResult) else play(phase, level)


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Executor:
    """The fake executor, which replaces Terraform."""
    executor = Executor()
    monkeypatch.setattr("tfruns.local.engine.worker.execute", executor)
    return executor


@pytest.fixture
def config(tmp_path: Path) -> ExecutionConfig:
    """The configuration of the execution."""
    terraform = Terraform(("terraform",), "terraform", "1.11.4", "linux_amd64")
    (tmp_path / "work").mkdir()
    return ExecutionConfig(terraform, tmp_path / "work", OperatorSettings())


@pytest.fixture
def stop_signal() -> StopSignal:
    return StopSignal()


@pytest.fixture
def worker(api: Api, config: ExecutionConfig, stop_signal: StopSignal) -> Worker:
    """A worker with the fake executor."""
    return Worker(api.backend, config, lease="this start", stop_signal=stop_signal)
