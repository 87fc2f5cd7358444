"""The pages of a process are for its own user: other users of the computer can reach 127.0.0.1, too.

Without this, another user could press "Open in my browser" and read the code in the list of processes, or use a cookie
that the person's browser sent to another port: browsers send cookies to all ports of a host.

Linux lists the user of each connection. On other systems, and for connections from outside of this network namespace,
the user is unknown, and sessions alone protect the pages.
"""

import os
import socket
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_ROOT = 0
_FORBIDDEN = PlainTextResponse("Only the user who runs tfruns can open these pages.\n", HTTPStatus.FORBIDDEN)


class OwnUserOnly:
    """Middleware that rejects connections of other users of this computer.

    Args:
        app: the application.
        users: the ids of the users who may connect.
    """

    def __init__(self, app: ASGIApp, users: Collection[int]) -> None:
        self._app = app
        self._users = users

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_foreign = scope["type"] == "http" and not self._may_connect(scope)
        await (_FORBIDDEN if is_foreign else self._app)(scope, receive, send)

    def _may_connect(self, scope: Scope) -> bool:
        client, server = scope.get("client"), scope.get("server")
        if not client or not server or client[0] != server[0]:
            return True
        return all(user in self._users for user in users_of(_lines(), client, server[1]))


def own_users() -> frozenset[int]:
    """The user of this process, the user who started it with `sudo`, and root, who can read everything anyway."""
    if not hasattr(os, "getuid"):
        return frozenset()
    by_sudo = os.environ.get("SUDO_UID", "")
    return frozenset({_ROOT, os.getuid(), int(by_sudo) if by_sudo.isdecimal() else os.getuid()})


def users_of(lines: Iterable[str], client: tuple[str, int], server_port: int) -> Iterator[int]:
    """The users of the client's side of a connection in the kernel's tables: usually one, none if it is not listed.

    A client that is closing its side gets no response, and may hide its user: its user is -1.

    Args:
        lines: the lines of the tables.
        client: the address and the port of the client.
        server_port: the port of the server.
    """
    wanted = (f"{_address(client[0])}:{client[1]:04X}", f":{server_port:04X}")
    for line in lines:
        fields = line.split()
        if len(fields) > 7 and fields[1].endswith(wanted[0]) and fields[2].endswith(wanted[1]):
            yield int(fields[7]) if fields[3] == _ESTABLISHED else -1


def _address(address: str) -> str:
    """An IPv4 address as the kernel prints it. In the table of IPv6, it is the end of a mapped address."""
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"


def _lines() -> Iterator[str]:
    for table in _TABLES:
        with suppress(OSError):
            yield from table.read_text(encoding="ascii").splitlines()
