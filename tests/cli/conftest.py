"""One local server for all commands, and a shell configured for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Shell
from tests.support.local_server import LocalServer


@pytest.fixture(scope="package")
def server(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def shell(server: LocalServer, tmp_path: Path) -> Shell:
    return Shell.at(server, tmp_path / "here")
