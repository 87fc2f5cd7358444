"""A client of the local backend for Python programs: the only module that combines client and backend."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from anyio import CancelScope, to_thread

from tfruns.client.client import Client
from tfruns.client.in_process import in_process_client
from tfruns.local import DEFAULT_ORGANIZATION
from tfruns.local.attachment import attached
from tfruns.local.data_dir import DataDirectory, InUse
from tfruns.local.startup import BackendOptions, open_backend

T = TypeVar("T")

_ADDRESS = "http://127.0.0.1"  # no server listens there: requests stay in the process


@asynccontextmanager
async def client(
    data_dir: Path | None = None, options: BackendOptions | None = None, *, organization: str = DEFAULT_ORGANIZATION
) -> AsyncIterator[Client]:
    """A client of the local backend, which runs in this process unless a server already uses its data directory.

        async with tfruns.local.client() as client:
            workspaces = client.workspaces.list("default")

    At the end of the block, a backend in this process stops: Terraform is interrupted, and its state is kept.

    Args:
        data_dir: the data directory. Default: `TFRUNS_DATA_DIR`, or the platform's directory for application data.
        options: the options of a backend in this process.
        organization: the organization of workspace names that are given without one.

    Raises:
        NoTerraform: Terraform is not installed on this machine.
        SecondBackend: this process already runs a backend with a PostgreSQL database.
        OSError: the directory cannot be written.
    """
    directory = DataDirectory(data_dir)
    async with AsyncExitStack() as stack:
        try:
            backend = await stack.enter_async_context(in_thread(open_backend(directory, options or BackendOptions())))
        except InUse:
            server = await stack.enter_async_context(in_thread(attached(directory)))
            client_ = Client(server.url, server.token, organization=organization, ca_file=server.ca_file)
        else:
            await stack.enter_async_context(in_thread(backend.executing()))
            client_ = in_process_client(backend.app, _ADDRESS, backend.token, organization=organization)
        yield await stack.enter_async_context(client_)


@asynccontextmanager
async def in_thread(block: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and exit a slow context manager in a thread, without blocking the event loop."""
    entered = await to_thread.run_sync(block.__enter__)
    try:
        yield entered
    finally:
        with CancelScope(shield=True):  # a backend that is not stopped would keep the process alive
            await to_thread.run_sync(block.__exit__, None, None, None)
