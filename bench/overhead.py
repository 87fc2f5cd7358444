"""The client compared with a plain GET of `httpx2`, on loopback: sequential reads, and 32 in flight."""

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
    """Run the benchmark. Returns its rows and notes."""
    with _serving() as address:
        rows = anyio.run(_measure, address)
    return rows, [
        f"medians of {_ROUNDS} interleaved rounds: {_SEQUENTIAL} sequential reads, {_READS} with {_IN_FLIGHT} in flight"
    ]


async def _measure(address: str) -> list[Row]:
    async with httpx2.AsyncClient() as http, Client(address, "bench-token") as client:
        url = f"{address}/api/v2/runs/{samples.RUN_ID}"
        headers = {"authorization": "Bearer bench-token"}

        async def read_plain() -> object:
            return (await http.get(url, headers=headers)).content

        async def read() -> object:
            return await client.runs.read(samples.RUN_ID)

        latencies: tuple[list[float], list[float]] = ([], [])
        rates: tuple[list[float], list[float]] = ([], [])
        for round_ in range(_ROUNDS + 1):
            for kind, one in enumerate((read_plain, read)):
                latency, rate = await _latency_ms(one), await _rate(one)
                if round_ > 0:  # the first round is the warm-up
                    latencies[kind].append(latency)
                    rates[kind].append(rate)
    plain_ms, client_ms = map(statistics.median, latencies)
    plain_rate, client_rate = map(statistics.median, rates)
    return [
        Row("read of a run (baseline: plain GET)", client_ms, "ms", plain_ms),
        Row("of this, overhead of the client", client_ms - plain_ms, "ms", at_most=1.0),
        Row(
            f"reads at {_IN_FLIGHT} in flight (baseline: plain GETs)", client_rate, "/s", plain_rate, ratio_at_least=0.6
        ),
    ]


async def _latency_ms(read: Read) -> float:
    """The median time of sequential reads, in milliseconds."""
    times = []
    for _ in range(_SEQUENTIAL):
        start = time.perf_counter()
        await read()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


async def _rate(read: Read) -> float:
    """Reads per second, with `_IN_FLIGHT` in parallel."""
    remaining = iter(range(_READS))

    async def work() -> None:
        for _ in remaining:
            await read()

    start = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(_IN_FLIGHT):
            tasks.start_soon(work)
    return _READS / (time.perf_counter() - start)


@contextmanager
def _serving() -> Iterator[str]:
    """Run the server in a separate process. Yields its URL."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.single_run_api"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.communicate(timeout=30)
