"""A client of the local backend for Python programs: the one place where client and backend are put together."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx2
from anyio import CancelScope, to_thread

from tfruns.client.client import Client
from tfruns.local.attaching import attached
from tfruns.local.data_dir import DEFAULT_ORGANIZATION, DataDirectory, InUse
from tfruns.local.running import BackendOptions, running

T = TypeVar("T")

_ADDRESS = "http://127.0.0.1"  # nothing listens there: requests stay in the process


@asynccontextmanager
async def client(
    data_dir: Path | None = None, options: BackendOptions | None = None, *, organization: str = DEFAULT_ORGANIZATION
) -> AsyncIterator[Client]:
    """A client of the local backend, which runs in this process unless a server has its data directory already.

        async with tfruns.local.client() as client:
            workspaces = client.workspaces.list("default")

    At the end of the block a backend in this process stops: what Terraform does is interrupted, and its state is kept.

    Args:
        data_dir: the data directory; by default `TFRUNS_DATA_DIR`, or where the platform keeps such data.
        options: how the backend is set up, if it runs in this process.
        organization: that bare workspace names belong to.

    Raises:
        NoTerraform: there is no Terraform on this machine.
        SecondBackend: this process runs a backend with a PostgreSQL database already.
        OSError: the directory cannot be written.
    """
    directory = DataDirectory(data_dir)
    async with AsyncExitStack() as stack:
        try:
            backend = await stack.enter_async_context(_in_thread(running(directory, options or BackendOptions())))
        except InUse:
            server = await stack.enter_async_context(_in_thread(attached(directory)))
            made = Client(server.url, server.token, organization=organization, ca_file=server.ca_file)
        else:
            in_process = httpx2.ASGITransport(backend.app, raise_app_exceptions=False)
            await stack.enter_async_context(_in_thread(backend.executing()))
            made = Client(_ADDRESS, backend.token, organization=organization, http_transport=in_process)
        yield await stack.enter_async_context(made)


@asynccontextmanager
async def _in_thread(block: AbstractContextManager[T]) -> AsyncIterator[T]:
    """A block whose beginning and end take a while, without the event loop waiting for them."""
    entered = await to_thread.run_sync(block.__enter__)
    try:
        yield entered
    finally:
        with CancelScope(shield=True):  # a backend that is not stopped would keep the process
            await to_thread.run_sync(block.__exit__, None, None, None)
