"""Sources of the API client that tools use. The client is created by the first call that needs it."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio import to_thread

from tfruns.errors import ConnectionFailed
from tfruns.local import DEFAULT_ORGANIZATION
from tfruns.local.cannot_start import CannotStart, check_platform

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfruns.client.address import Address
    from tfruns.client.client import Client
    from tfruns.local.attachment import Attachment


class Connection(Protocol):
    """A source of one client at a time.

    Attributes:
        organization: the organization of calls without one, if it is always the same.
    """

    organization: str | None

    async def client(self) -> "Client":
        """The client for a call.

        Raises:
            TfrunsError: the API is not available, or the configuration is invalid.
        """
        ...

    async def aclose(self) -> None:
        """Close the client."""
        ...


class RemoteConnection:
    """A connection to HCP Terraform or Terraform Enterprise.

    Args:
        address: the address of the API; by default, that of the environment.
        organization_at: returns the organization of calls without one at an address, if the environment has none.
    """

    organization: str | None = None

    def __init__(
        self, address: str | None = None, organization_at: "Callable[[Address], str | None]" = lambda _: None
    ) -> None:
        self._address = address
        self._organization_at = organization_at
        self._client: Client | None = None

    async def client(self) -> "Client":
        """The client. It is created again until a token is found, so that `tfruns login` takes effect immediately."""
        from tfruns.client.client import Client  # noqa: PLC0415
        from tfruns.client.settings import load_settings  # noqa: PLC0415

        if self._client is None or self._client.settings.credentials.token is None:
            settings = load_settings(self._address)
            organization = settings.organization or self._organization_at(settings.address)
            self._client = Client(self._address, organization=organization)
        return self._client

    async def aclose(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.aclose()


class LocalConnection:
    """A connection to the local backend of a data directory, which is started if it is not running.

    A server that is started here outlives this process. It exits after a time without use.

    Args:
        data_dir: the data directory; by default, that of the user.
        idle_exit: how long a server that is started here keeps running without use.
    """

    organization: str | None = DEFAULT_ORGANIZATION

    def __init__(self, data_dir: Path | None, idle_exit: str | None = None) -> None:
        self._data_dir = data_dir
        self._idle_exit = idle_exit
        self._client: Client | None = None
        self._attachment: Attachment | None = None
        self._attaching = anyio.Lock()

    async def client(self) -> "Client":
        """The client of the server, which is started again if it has exited since the last call.

        Raises:
            ConnectionFailed: no server is running, and none could be started.
        """
        async with self._attaching:
            if self._client is None or not await to_thread.run_sync(self._is_attached):
                await self.aclose()
                self._client = await to_thread.run_sync(self._attach)
            return self._client

    async def aclose(self) -> None:
        """Close the client, and detach from the server."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
        if self._attachment is not None:
            self._attachment.close()
            self._attachment = None

    def _is_attached(self) -> bool:
        return self._attachment is not None and self._attachment.is_alive()

    def _attach(self) -> "Client":
        try:
            check_platform()
            from tfruns.local.attachment import attach  # noqa: PLC0415
            from tfruns.local.data_dir import DataDirectory  # noqa: PLC0415
            from tfruns.local.idle import idle_exit_s  # noqa: PLC0415

            self._attachment = attach(DataDirectory(self._data_dir), idle_exit_s(self._idle_exit))
        except (CannotStart, OSError) as error:
            raise _not_available(str(error), "For details, start it with `tfruns server`.") from None
        from tfruns.client.client import Client  # noqa: PLC0415

        return Client(
            self._attachment.url,
            self._attachment.token,
            organization=self.organization,
            ca_file=self._attachment.ca_file,
        )


def _not_available(cause: str, solution: str) -> ConnectionFailed:
    return ConnectionFailed("The local backend is not available.", cause=cause, solution=solution)
