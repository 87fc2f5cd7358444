"""Fixtures for the tests of the execution: Terraform, uploads, inputs, and gates that block a running Terraform."""

import io
import json
import os
import select
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tfruns.local.cancel_level import CancelLevel
from tfruns.local.terraform.environment import RunIdentity
from tfruns.local.terraform.executable import Terraform, find_terraform
from tfruns.local.terraform.inputs import ApplyInputs, ApplyOutcome, PlanInputs, PlanOutcome
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.phases import run_apply, run_plan
from tfruns.local.terraform.state import State

TIMEOUT_S = 60.0


def not_canceled() -> CancelLevel:
    return CancelLevel.NONE


def upload(path: Path, files: dict[str, str]) -> Path:
    """An archive of a configuration."""
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def local_exec(command: str, name: str = "a") -> str:
    """A resource that runs a command when it is created."""
    return f"""
    resource "terraform_data" "{name}" {{
      provisioner "local-exec" {{
        command = {json.dumps(command)}
      }}
    }}
    """


class Gate:
    """A FIFO between the test and a shell in a local-exec, which blocks one until the other writes."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait(self) -> str:
        """Wait for a write, and return its text."""
        ready, _, _ = select.select([self._file], [], [], TIMEOUT_S)
        assert ready, f"nothing was written to {self.path}"
        return os.read(self._file, 4096).decode()

    def wait_at_most(self, seconds: float) -> str:
        """Wait for a write, and return its text, or an empty text after the timeout."""
        ready, _, _ = select.select([self._file], [], [], seconds)
        return os.read(self._file, 4096).decode() if ready else ""

    def open(self) -> None:
        os.write(self._file, b"go\n")

    def close(self) -> None:
        os.close(self._file)


class Level:
    """A cancel level that the test sets."""

    def __init__(self) -> None:
        self.value = CancelLevel.NONE

    def __call__(self) -> CancelLevel:
        return self.value


class Bench:
    """One run: its files, its inputs and its phases."""

    def __init__(self, root: Path, terraform: Terraform) -> None:
        self.root = root
        self.inputs = PlanInputs(
            terraform=terraform,
            directory=root / "run",
            run=RunIdentity("run-CZcmD7eagjhyX0vN", "network", "acme"),
            archive=root / "upload.tar.gz",
        )
        self.level = Level()
        self._pool = ThreadPoolExecutor()

    def given(self, main: str = "", files: dict[str, str] | None = None, **options: Any) -> PlanInputs:
        """Set the configuration and other inputs. `main` is the content of main.tf."""
        upload(self.inputs.archive, {"main.tf": main, **(files or {})} if main or files is None else files)
        self.inputs = replace(self.inputs, **options)
        return self.inputs

    def plan(self, **options: Any) -> PlanOutcome:
        return run_plan(replace(self.inputs, **options), log=PhaseLog(self.plan_log), cancel_level=self.level)

    def apply(self, **options: Any) -> ApplyOutcome:
        return run_apply(self.apply_inputs(**options), log=PhaseLog(self.apply_log), cancel_level=self.level)

    def start_plan(self) -> "Future[PlanOutcome]":
        return self._pool.submit(self.plan)

    def start_apply(self) -> "Future[ApplyOutcome]":
        return self._pool.submit(self.apply)

    def planned(self) -> PlanOutcome:
        """Plan, and check that it succeeds."""
        outcome = self.plan()
        assert outcome.error is None
        return outcome

    def applied(self) -> ApplyOutcome:
        """Plan and apply, and check that both succeed. The next plan uses the new state."""
        self.planned()
        outcome = self.apply()
        assert outcome.error is None
        if outcome.state:
            self.inputs = replace(self.inputs, state=outcome.state.raw)
        return outcome

    def apply_inputs(self, **options: Any) -> ApplyInputs:
        fields = {name: getattr(self.inputs, name) for name in ApplyInputs.__dataclass_fields__}
        return ApplyInputs(**{**fields, **options})

    @property
    def plan_log(self) -> Path:
        return self.root / "plan.log"

    @property
    def apply_log(self) -> Path:
        return self.root / "apply.log"

    def close(self) -> None:
        self.level.value = CancelLevel.KILL
        self._pool.shutdown()


@pytest.fixture(scope="session")
def terraform(processes: None) -> Terraform:
    return find_terraform()


@pytest.fixture
def bench(tmp_path: Path, terraform: Terraform) -> Iterator[Bench]:
    bench = Bench(tmp_path, terraform)
    yield bench
    bench.close()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Callable[[str], Gate]]:
    gates: list[Gate] = []

    def make(name: str) -> Gate:
        gates.append(Gate(tmp_path / name))
        return gates[-1]

    yield make
    for gate in gates:
        gate.close()


def outputs_of(state: State | None) -> dict[str, Any]:
    """The values of the outputs in a state."""
    assert state is not None
    return {name: output["value"] for name, output in json.loads(state.raw)["outputs"].items()}
