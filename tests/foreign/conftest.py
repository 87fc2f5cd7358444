"""One server per test module, used by clients that do not know tfruns."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.foreign.terraform_cli import Project, cli_environment
from tests.support.gates import ApplyGate, PlanGate
from tests.support.local_lab import Lab
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer

NewProject = Callable[..., Project]

EXPECTED = "/expected-to-be-unknown"
_TROUBLE = re.compile(r"is not served|ERROR|Traceback")
_numbers = count(1)


def trouble(server: LocalServer) -> list[str]:
    """The lines of a server's log about unserved requests and internal failures."""
    return [line for line in server.stderr.splitlines() if _TROUBLE.search(line) and EXPECTED not in line]


@pytest.fixture(scope="module")
def arguments() -> tuple[str, ...]:
    """The options of the module's server."""
    return ()


@pytest.fixture(scope="module")
def server(
    processes: None, tmp_path_factory: pytest.TempPathFactory, arguments: tuple[str, ...]
) -> Iterator[LocalServer]:
    """A server shared by the tests of a module. At the end, no client has sent a request that it does not serve."""
    with LocalServer(tmp_path_factory.mktemp("server") / "data", *arguments) as server:
        yield server
        assert trouble(server) == []


@pytest.fixture(scope="module")
def cli_env(server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the Terraform CLI."""
    return cli_environment(server, tmp_path_factory.mktemp("cli"))


@pytest.fixture
def name() -> str:
    """The name of a workspace that no other test uses."""
    return f"ws-{next(_numbers)}"


@pytest.fixture
def new_directory(tmp_path: Path) -> Callable[[], Path]:
    """Create empty directories."""

    def make() -> Path:
        directory = tmp_path / f"project-{next(_numbers)}"
        directory.mkdir()
        return directory

    return make


@pytest.fixture
async def lab(server: LocalServer) -> AsyncIterator[Lab]:
    """A client of the API, to prepare and to check."""
    async with lab_on(server) as lab:
        yield lab


@pytest.fixture
def apply_gate(tmp_path: Path) -> Iterator[ApplyGate]:
    """Block an apply until the test releases it."""
    gate = ApplyGate(tmp_path)
    yield gate
    gate.close()


@pytest.fixture(scope="module")
def plan_gate() -> Iterator[PlanGate]:
    """Block plans until the test releases them."""
    with PlanGate().serving() as gate:
        yield gate
