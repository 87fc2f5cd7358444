"""A client of an application in the same process, without the network."""

from typing import Any

import httpx2

from tfruns.client.client import Client


def in_process_client(app: Any, address: str, token: str, *, organization: str | None = None) -> Client:
    """A client of an ASGI application.

    Args:
        app: the application, which serves the API.
        address: the address that the application has in the network, for the links to it.
        token: the API token.
        organization: the organization of workspace names that are given without one.
    """
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return Client(address, token, organization=organization, http_transport=transport)
