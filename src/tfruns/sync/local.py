"""The local backend for programs without `async`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tfruns import local
from tfruns.sync.blocking import Loop
from tfruns.sync.client import Client

if TYPE_CHECKING:
    from tfruns.local import BackendOptions


@contextmanager
def client(
    data_dir: Path | None = None,
    options: "BackendOptions | None" = None,
    *,
    organization: str = local.DEFAULT_ORGANIZATION,
) -> Iterator[Client]:
    """A client of the local backend, which runs in this process unless a server already uses its data directory.

        with tfruns.sync.local.client() as client:
            ...

    At the end of the block, a backend in this process stops: Terraform is interrupted, and its state is kept.

    Args and Raises: as `tfruns.local.client`.
    """
    loop = Loop(_close_nothing)
    try:
        with loop.entered(local.client(data_dir, options, organization=organization)) as asynchronous:
            yield Client.of(asynchronous, loop)
    finally:
        loop.close()


async def _close_nothing() -> None:
    """Leave the connections to the block that has opened them."""
