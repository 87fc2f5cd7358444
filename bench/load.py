"""Many clients of one server: 195 that read and 5 that create runs, at the same time, with real Terraform.

The rate limit is off: HCP Terraform's limit of 30 requests a second applies to a token, not to a server. The clients,
the server and Terraform share the cores of the machine. The baseline is a minimal ASGI application that returns one
document of the size of a run, with the same readers and no creators. The server's processor time per request depends
less on other load.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2

from bench.local_runs import SHORT, Server, cpu_s, create_workspace, http_client, serving
from bench.measure import ROOT, Row, environment

_READERS = 195
_CREATORS = 5
_SECONDS = 20
_DRAINED_RUNS = 500
_DRAINED_WORKSPACES = 50
_TIMEOUT_S = 600
_MINIMAL_SERVER = """
import sys, socket, uvicorn
body = b"x" * int(sys.argv[1])
head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})
listener = socket.create_server(("127.0.0.1", 0))
print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, loop="uvloop"))
server.run(sockets=[listener])
"""


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    if shutil.which("terraform") is None:
        return [], ["skipped: `terraform` is not on the PATH"]
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch) / "data") as server:
        job, size = anyio.run(_prepare, server)
        quiet, quiet_cpu = _load({**job, "creators": []}, server.pid)
        busy, busy_cpu = _load(job, server.pid)
        drained_s = anyio.run(_drain, server)
    with _minimal_server(size) as (url, pid):
        bare, _ = _load({**job, "url": url, "creators": []}, pid)
    rates = [len(found["read_ms"]) / _SECONDS for found in (busy, quiet, bare)]
    p50, p99 = (_percentile(busy["read_ms"], percent) for percent in (50, 99))
    rows = [
        Row("195 readers and 5 creators (baseline: a minimal server)", rates[0], "/s", rates[2], at_least=400),
        Row("p50 of a read", p50, "ms", _percentile(bare["read_ms"], 50)),
        Row("p99 of a read", p99, "ms", _percentile(bare["read_ms"], 99), at_most=1000),
        Row("195 readers alone", rates[1], "/s", rates[2]),
        Row("p99 of a read, readers alone", _percentile(quiet["read_ms"], 99), "ms"),
        Row("processor time of the server per read, readers alone", quiet_cpu, "ms"),
        Row(f"{_DRAINED_RUNS} runs in {_DRAINED_WORKSPACES} workspaces", drained_s, "s"),
    ]
    return rows, [
        f"{_SECONDS} s each; the rate limit is off",
        f"{len(busy['create_ms'])} runs created, p50 of a create {_percentile(busy['create_ms'], 50):.0f} ms",
        f"processor time of the server per request with creators, including the engine: {busy_cpu:.2f} ms",
    ]


def _percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def _load(job: dict[str, Any], pid: int) -> tuple[dict[str, list[float]], float]:
    """Run the clients. Returns their measurements, and the server's processor time per request in milliseconds."""
    before = cpu_s(pid)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load_clients"],
        cwd=ROOT,
        input=json.dumps(job),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_TIMEOUT_S,
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found, (cpu_s(pid) - before) * 1000 / sum(map(len, found.values()))


async def _prepare(server: Server) -> tuple[dict[str, Any], int]:
    """Create workspaces and runs. Returns the job of the clients, and the size of a run's document."""
    async with http_client(server) as http:
        ids = [await create_workspace(http, f"load-{number}", SHORT) for number in range(_CREATORS + 1)]
        bodies = [_run_body(id_) for id_ in ids]
        runs = [await _create_run(http, bodies[0]) for _ in range(30)]
        await _until_final(http, runs)
        document = await http.get(f"/api/v2/runs/{runs[0]}")
        plan = document.json()["data"]["relationships"]["plan"]["data"]["id"]
    paths = [f"/runs/{runs[0]}", f"/workspaces/{ids[0]}", f"/runs/{runs[1]}", f"/plans/{plan}"]
    paths += [f"/runs/{runs[2]}", f"/workspaces/{ids[0]}/runs", f"/runs/{runs[3]}", "/organizations/default/workspaces"]
    job = {
        "url": server.url,
        "token": server.token,
        "seconds": _SECONDS,
        "readers": _READERS,
        "reads": [f"/api/v2{path}" for path in paths],
        "creators": [json.dumps(body) for body in bodies[1:]],
    }
    return job, len(document.content)


def _run_body(workspace_id: str) -> dict[str, Any]:
    workspace = {"data": {"type": "workspaces", "id": workspace_id}}
    return {"data": {"type": "runs", "attributes": {"auto-apply": True}, "relationships": {"workspace": workspace}}}


async def _create_run(http: httpx2.AsyncClient, body: dict[str, Any]) -> str:
    response = await http.post("/api/v2/runs", json=body)
    return str(response.raise_for_status().json()["data"]["id"])


async def _until_final(http: httpx2.AsyncClient, runs: list[str]) -> None:
    for run in runs:
        deadline = time.monotonic() + _TIMEOUT_S
        while (status := await _status(http, run)) not in {"applied", "planned_and_finished"}:
            if status in {"errored", "canceled"} or time.monotonic() > deadline:
                raise RuntimeError(f"{run} is {status}")
            await anyio.sleep(0.1)


async def _status(http: httpx2.AsyncClient, run: str) -> str:
    response = await http.get(f"/api/v2/runs/{run}")
    return str(response.raise_for_status().json()["data"]["attributes"]["status"])


async def _drain(server: Server) -> float:
    """Seconds from the creation of the first run until the last one is final."""
    async with http_client(server) as http:
        ids = [await create_workspace(http, f"drain-{number}", SHORT) for number in range(_DRAINED_WORKSPACES)]
        start = time.perf_counter()
        runs = [await _create_run(http, _run_body(ids[number % len(ids)])) for number in range(_DRAINED_RUNS)]
        await _until_final(http, runs)
        return time.perf_counter() - start


@contextmanager
def _minimal_server(size: int) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-c", _MINIMAL_SERVER, str(size)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip(), process.pid
        finally:
            process.terminate()
