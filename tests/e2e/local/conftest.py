"""The installed `tfruns server` with real Terraform: one for all tests of a module, or one of a test's own."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.gates import ApplyGate, PlanGate
from tests.support.local_lab import Lab
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer

NewServer = Callable[..., LocalServer]


@pytest.fixture(scope="module")
def server(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server that the tests of a module share. Each test creates its own workspaces."""
    with LocalServer(tmp_path_factory.mktemp("server") / "data", "--force-cancel-after", "0") as server:
        yield server


@pytest.fixture
def new_server(processes: None, tmp_path: Path) -> Iterator[NewServer]:
    """Makes servers of the test's own, not started yet, which end with it: `new_server(*arguments, …)`."""
    with ExitStack() as stack:

        def make(
            *arguments: str, data_dir: Path = tmp_path / "data", env: Mapping[str, str] | None = None, fault: str = ""
        ) -> LocalServer:
            made = LocalServer(data_dir, *arguments, env=env, log=tmp_path / f"{data_dir.name}.log", fault=fault)
            stack.callback(made.end)
            return made

        yield make


@pytest.fixture
async def lab(server: LocalServer) -> AsyncIterator[Lab]:
    """Workspaces and runs on the module's server."""
    async with lab_on(server) as lab:
        yield lab


@pytest.fixture(scope="session")
def plan_gate() -> Iterator[PlanGate]:
    with PlanGate().serving() as gate:
        yield gate


@pytest.fixture
def apply_gate(tmp_path: Path) -> Iterator[ApplyGate]:
    gate = ApplyGate(tmp_path)
    yield gate
    gate.close()
