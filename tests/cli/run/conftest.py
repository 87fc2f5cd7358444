"""`tfruns run` against the local backend with real Terraform: one server, and workspaces for each test."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.command import Done, Shell
from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tests.support.stdio import tfruns
from tests.support.terminal import Terminal

Command = Callable[..., Done]
Open = Callable[..., Terminal]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("terraform") is None:
        for item in items:
            if "lab" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason="terraform is not on the PATH"))


@pytest.fixture(scope="package")
def server(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server on which a run can be force-canceled immediately."""
    with LocalServer(tmp_path_factory.mktemp("server") / "data", "--force-cancel-after", "0") as server:
        yield server


@pytest.fixture
async def lab(server: LocalServer) -> AsyncIterator[Lab]:
    async with lab_on(server) as lab:
        yield lab


@pytest.fixture
def tfruns_run(shell: Shell) -> Command:
    """Runs `tfruns run …` with pipes: `tfruns_run("list", "--json", NAME="an environment variable")`."""

    def run(*arguments: str, **variables: str) -> Done:
        return shell("run", *arguments, code=None, **variables)

    return run


@pytest.fixture
def terminal(shell: Shell) -> Iterator[Open]:
    """Opens `tfruns run …` in a terminal, which is closed at the end of the test."""
    with ExitStack() as stack:

        def open_(*arguments: str, **variables: str) -> Terminal:
            env = {"TERM": "xterm-256color", **shell.env, **variables}
            return stack.enter_context(Terminal([tfruns(), "run", *arguments], cwd=shell.directory, env=env))

        yield open_


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[ApplyGate]:
    """An apply that waits for the test."""
    gate = ApplyGate(tmp_path)
    yield gate
    gate.close()
