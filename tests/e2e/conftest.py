"""A fake API, and the installed command."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.api import TOKEN
from tests.support.http_api import HttpApi
from tests.support.stdio import WITH_HANDSHAKE, WITHOUT_HANDSHAKE, Era, Message, StdioServer, environment

Start = Callable[..., StdioServer]


@pytest.fixture(scope="session")
def _session_api() -> Iterator[HttpApi]:
    with HttpApi() as api:
        yield api


@pytest.fixture
def api(_session_api: HttpApi) -> HttpApi:
    """The fake API, with an empty script."""
    _session_api.reset()
    return _session_api


@pytest.fixture
def child_environment(api: HttpApi, tmp_path: Path) -> dict[str, str]:
    """The environment in which the command uses the fake API."""
    return environment(tmp_path, TFE_ADDRESS=api.address, TFE_TOKEN=TOKEN)


@pytest.fixture
def start(processes: None, child_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts servers, which are stopped after the test: `start(*arguments, era=..., env=..., capabilities=...)`."""
    with ExitStack() as stack:

        def start_one(
            *arguments: str,
            era: Era = WITH_HANDSHAKE,
            env: dict[str, str] = child_environment,
            capabilities: Message | None = None,
        ) -> StdioServer:
            log = tmp_path / "stderr.log"
            return stack.enter_context(StdioServer(*arguments, env=env, log=log, era=era, capabilities=capabilities))

        yield start_one


@pytest.fixture(params=[WITH_HANDSHAKE, WITHOUT_HANDSHAKE])
def era(request: pytest.FixtureRequest) -> Era:
    chosen: Era = request.param
    return chosen


@pytest.fixture
def fresh(start: Start, era: Era) -> StdioServer:
    """A new server, once for each era of the protocol, after the handshake if there is one."""
    return start(era=era)


@pytest.fixture(scope="session")
def _shared(processes: None) -> Iterator[dict[Era, StdioServer]]:
    servers: dict[Era, StdioServer] = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture
def server(_shared: dict[Era, StdioServer], era: Era, child_environment: dict[str, str], tmp_path: Path) -> StdioServer:
    """A server like `fresh`, shared by tests that leave no state behind, because starting one is slow."""
    if era not in _shared or not _shared[era].is_running:
        _shared[era] = StdioServer(env=child_environment, log=tmp_path / "stderr.log", era=era).__enter__()
    _shared[era].forget()
    return _shared[era]
