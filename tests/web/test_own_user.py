"""The pages of a process, which only its own user can reach."""

import asyncio
import os
import socket
import sys

import httpx2
import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from tfruns.web.own_user import OwnUserOnly, own_users, users_of

CLIENT = ("127.0.0.1", 0xC350)
SERVER_PORT = 0x1F90
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F91 01 00000000:00000000 00:00000000 00000000  1002        0 3 1 0 20 4 30 10 -1
"""
ROW = "   3: {}0100007F:C350 {}0100007F:1F90 {} 00000000:00000000 00:00000000 00000000  {}        0 4 1\n"
MAPPED = "0000000000000000FFFF0000"


def test_the_user_of_a_connection_is_found_in_the_tables_of_the_kernel() -> None:
    if sys.byteorder != "little":
        pytest.skip("the tables of this machine have another byte order")
    for rows, users in (
        ("", []),
        (ROW.format("", "", "01", 1001), [1001]),
        (ROW.format(MAPPED, MAPPED, "01", 1001), [1001]),
        (ROW.format("", "", "05", 0), [-1]),  # closed by its process: the kernel reports root
        ("garbage\n\n", []),
    ):
        assert list(users_of((TABLE + rows).splitlines(), CLIENT, SERVER_PORT)) == users, rows


def test_the_users_are_that_of_the_process_and_root(monkeypatch: pytest.MonkeyPatch) -> None:
    for by_sudo, more in (("", set()), ("1234", {1234}), ("x", set())):
        monkeypatch.setenv("SUDO_UID", by_sudo)
        assert own_users() == {0, os.getuid()} | more


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the users of connections")
async def test_another_user_of_the_computer_gets_no_page() -> None:
    for users, status in ((own_users(), 200), (frozenset({os.getuid() + 1}), 403)):
        app = OwnUserOnly(PlainTextResponse("a page"), users)
        config = uvicorn.Config(app, lifespan="off", log_config=None)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server._serve([listener]))  # noqa: SLF001  # without its signal handlers
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
                response = await http.get(url)
            server.should_exit = True
            await serving
        assert (response.status_code, "a page" in response.text) == (status, status == 200)
