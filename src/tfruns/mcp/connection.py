"""Where the tools' client comes from. Nothing is read or connected before the first call that needs it."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio import to_thread

from tfruns.errors import ConnectionFailed
from tfruns.local.cannot_start import CannotStart, check_platform

if TYPE_CHECKING:
    from tfruns.client.client import Client
    from tfruns.local.attachment import Attachment


class Connection(Protocol):
    """A source of one client at a time."""

    async def client(self) -> "Client":
        """The client to use for a call.

        Raises:
            TfrunsError: there is none.
        """
        ...

    async def aclose(self) -> None:
        """Close what was opened."""
        ...


class RemoteConnection:
    """HCP Terraform or Terraform Enterprise.

    Args:
        address: of the API; by default, what the environment says.
    """

    def __init__(self, address: str | None = None) -> None:
        self._address = address
        self._client: Client | None = None

    async def client(self) -> "Client":
        """The client; made again as long as it found no token, so that a `terraform login` helps at once."""
        from tfruns.client.client import Client  # noqa: PLC0415

        if self._client is None or self._client.settings.credentials.token is None:
            self._client = Client(self._address)
        return self._client

    async def aclose(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.aclose()


class LocalConnection:
    """The local backend of a data directory: the server that owns it, or one that is started.

    A server that is started here outlives this process: it exits when it was not used for a while.

    Args:
        data_dir: the data directory; by default, the user's.
        idle_exit: how long a server that is started here stays without use.
    """

    def __init__(self, data_dir: Path | None, idle_exit: str | None = None) -> None:
        self._data_dir = data_dir
        self._idle_exit = idle_exit
        self._client: Client | None = None
        self._attachment: Attachment | None = None
        self._attaching = anyio.Lock()

    async def client(self) -> "Client":
        """A client of the server, attached to anew where that has ended since the last call.

        Raises:
            ConnectionFailed: there is none, and none could be started.
        """
        async with self._attaching:
            if self._client is None or not await to_thread.run_sync(self._is_there):
                await self.aclose()
                self._client = await to_thread.run_sync(self._attach)
            return self._client

    async def aclose(self) -> None:
        """Let the server go."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
        if self._attachment is not None:
            self._attachment.close()
            self._attachment = None

    def _is_there(self) -> bool:
        return self._attachment is not None and self._attachment.is_alive()

    def _attach(self) -> "Client":
        try:
            check_platform()
            from tfruns.local.attachment import attach  # noqa: PLC0415
            from tfruns.local.data_dir import DEFAULT_ORGANIZATION, DataDirectory  # noqa: PLC0415
            from tfruns.local.idle import idle_exit_s  # noqa: PLC0415

            self._attachment = attach(DataDirectory(self._data_dir), idle_exit_s(self._idle_exit))
        except (CannotStart, OSError) as error:
            raise _not_there(str(error), "Start it yourself to see more: tfruns server") from None
        from tfruns.client.client import Client  # noqa: PLC0415

        return Client(
            self._attachment.url,
            self._attachment.token,
            organization=DEFAULT_ORGANIZATION,
            ca_file=self._attachment.ca_file,
        )


def _not_there(why: str, solution: str) -> ConnectionFailed:
    return ConnectionFailed("There is no local backend.", cause=why, solution=solution)
