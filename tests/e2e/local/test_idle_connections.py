"""Clients that connect and send nothing: the server still responds to others, and its log does not grow."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.local.conftest import NewServer
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S

pytestmark = pytest.mark.anyio

FEW_FILES = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (%d, %d))"
# Opens connections, replaces closed ones, and prints a line once all are open.
IDLE = """
import resource, select, socket, sys
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
poll, opened = select.poll(), {}
def connect():
    client = socket.create_connection((host, port), timeout=60)
    opened[client.fileno()] = client
    poll.register(client, select.POLLIN)
for _ in range(count):
    connect()
print("open", flush=True)
while True:
    for file, _ in poll.poll(1000):
        poll.unregister(file)
        opened.pop(file).close()
        connect()
"""


@contextmanager
def idle_connections(server: LocalServer, count: int) -> Iterator[None]:
    host, _, port = server.url.partition("://")[2].rpartition(":")
    command = [sys.executable, "-c", IDLE, host, port, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        try:
            assert client.stdout is not None
            assert client.stdout.readline() == "open\n"
            yield
        finally:
            client.kill()


def cpu_s(server: LocalServer) -> float:
    times = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / 100


CASES = {
    "more than the usual limit of files": ((), "", 1200),
    "TLS": (("--self-signed",), "", 300),
    "few files": ((), FEW_FILES % (200, 200), 300),
    "a low limit that can be raised": ((), FEW_FILES % (100, 4096), 300),
}


@pytest.mark.parametrize(("arguments", "fault", "count"), CASES.values(), ids=CASES)
async def test_requests_are_served_during_idle_connections(
    arguments: tuple[str, ...], fault: str, count: int, new_server: NewServer
) -> None:
    server = new_server(*arguments, fault=fault).start()
    async with lab_on(server) as lab:
        with idle_connections(server, count):
            cpu, start = cpu_s(server), time.monotonic()
            for _ in range(5):
                began = time.monotonic()
                async with server.http() as new:
                    assert (await new.get("/api/v2/ping")).status_code == 204
                assert (await lab.http.get("/api/v2/account/details")).status_code == 200
                assert time.monotonic() - began < PATIENCE_S / 6
            used = (cpu_s(server) - cpu) / (time.monotonic() - start)
            workspace = await lab.workspace('output "a" { value = 1 }')
            await lab.applied(workspace)
    assert used < 0.9, "the server waits for the most part"
    lines = server.stderr.splitlines()
    assert len(lines) < 20, server.stderr
    assert "Traceback" not in server.stderr
    assert server.stop() == 0
