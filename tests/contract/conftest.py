"""Each requirement is tested twice: in the same process, and over a socket."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.local.serving import serving
from tests.local.support import Api

_PATIENCE_S = 30.0


@dataclass(slots=True)
class Listener:
    """A server on loopback that serves the application of the current test."""

    address: str = ""
    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Listener(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(found, lifespan="off", ws="none", log_config=None))
        arguments: dict[str, Any] = {"sockets": [listening]}
        thread = threading.Thread(target=server.run, kwargs=arguments, daemon=True)
        thread.start()
        yield found
        server.should_exit = True
        thread.join(_PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture(params=["in process", "over a socket"])
async def api(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A backend with a workspace `network` and a configuration version."""
    with serving(store_url, tmp_path) as served:
        address = None
        if request.param == "over a socket":
            listener = request.getfixturevalue("listener")
            listener.app, address = served.app, listener.address
        async with served.client(address=address) as http:
            found = served.api(http)
            found.workspace_id = await found.create_workspace()
            await found.configured()
            yield found
