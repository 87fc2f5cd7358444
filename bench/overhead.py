"""What the client costs over a bare GET of `httpx2`, on loopback: one read after the other, and 32 in flight."""

import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio
import httpx2
from tests.support import samples

from bench.measure import ROOT, Row
from tfruns import Client

_ROUNDS = 9
_SEQUENTIAL = 200
_READS = 1000
_IN_FLIGHT = 32

Read = Callable[[], Awaitable[object]]


def measure() -> tuple[list[Row], list[str]]:
    """The rows, and what is to be known about them."""
    with _serving() as address:
        rows = anyio.run(_measure, address)
    return rows, [f"medians of {_ROUNDS} rounds, interleaved: {_SEQUENTIAL} reads in a row, {_READS} at {_IN_FLIGHT}"]


async def _measure(address: str) -> list[Row]:
    async with httpx2.AsyncClient() as bare, Client(address, "bench-token") as client:
        url = f"{address}/api/v2/runs/{samples.RUN_ID}"
        headers = {"authorization": "Bearer bench-token"}

        async def read_bare() -> object:
            return (await bare.get(url, headers=headers)).content

        async def read() -> object:
            return await client.runs.read(samples.RUN_ID)

        latencies: tuple[list[float], list[float]] = ([], [])
        rates: tuple[list[float], list[float]] = ([], [])
        for round_ in range(_ROUNDS + 1):
            for kind, one in enumerate((read_bare, read)):
                latency, rate = await _latency_ms(one), await _rate(one)
                if round_ > 0:  # the first is the warm-up
                    latencies[kind].append(latency)
                    rates[kind].append(rate)
    bare_ms, ours_ms = map(statistics.median, latencies)
    bare_rate, our_rate = map(statistics.median, rates)
    return [
        Row("a read of a run (baseline: a bare GET)", ours_ms, "ms", bare_ms),
        Row("of which is the client's overhead", ours_ms - bare_ms, "ms", at_most=1.0),
        Row(f"reads at {_IN_FLIGHT} in flight (baseline: bare GETs)", our_rate, "/s", bare_rate, ratio_at_least=0.6),
    ]


async def _latency_ms(read: Read) -> float:
    """The median of reads one after the other."""
    times = []
    for _ in range(_SEQUENTIAL):
        start = time.perf_counter()
        await read()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


async def _rate(read: Read) -> float:
    """Reads a second, so many at once."""
    waiting = iter(range(_READS))

    async def work() -> None:
        for _ in waiting:
            await read()

    start = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(_IN_FLIGHT):
            tasks.start_soon(work)
    return _READS / (time.perf_counter() - start)


@contextmanager
def _serving() -> Iterator[str]:
    """The address of a server in a process of its own."""
    server = subprocess.Popen([sys.executable, "-m", "bench.run_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.communicate(timeout=30)
