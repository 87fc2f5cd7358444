"""Many clients of one server: 195 that read and 5 that create runs, all at once, with real Terraform.

The rate limit is off: the one of HCP Terraform, 30 requests a second, is about a token and not about a server.
The clients, the server and Terraform share the cores of the machine. The baseline is the same readers against a bare
ASGI application that answers one fixed document of the size of a run, with no creators. The processor's time of the
server for each request is shown, too: it depends less on what else the machine does.
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
_PATIENCE_S = 600
_BARE = """
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
    """The rows, and what is to be known about them."""
    if shutil.which("terraform") is None:
        return [], ["skipped: there is no `terraform` on the PATH"]
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch) / "data") as server:
        job, size = anyio.run(_prepare, server)
        quiet, quiet_cpu = _load({**job, "creators": []}, server.pid)
        busy, busy_cpu = _load(job, server.pid)
        drained_s = anyio.run(_drain, server)
    with _bare(size) as (url, pid):
        bare, _ = _load({**job, "url": url, "creators": []}, pid)
    rates = [len(found["read_ms"]) / _SECONDS for found in (busy, quiet, bare)]
    p50, p99 = (_percentile(busy["read_ms"], percent) for percent in (50, 99))
    rows = [
        Row("195 readers and 5 creators (baseline: a bare server)", rates[0], "/s", rates[2], at_least=400),
        Row("p50 of a read", p50, "ms", _percentile(bare["read_ms"], 50)),
        Row("p99 of a read", p99, "ms", _percentile(bare["read_ms"], 99), at_most=1000),
        Row("195 readers alone", rates[1], "/s", rates[2]),
        Row("p99 of a read, readers alone", _percentile(quiet["read_ms"], 99), "ms"),
        Row("processor's time of the server for a read, readers alone", quiet_cpu, "ms"),
        Row(f"{_DRAINED_RUNS} runs in {_DRAINED_WORKSPACES} workspaces", drained_s, "s"),
    ]
    return rows, [
        f"{_SECONDS} s each; the rate limit is off",
        f"{len(busy['create_ms'])} runs created, p50 of a create {_percentile(busy['create_ms'], 50):.0f} ms",
        f"processor's time of the server for a request with creators: {busy_cpu:.2f} ms, with the engine's part in it",
    ]


def _percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def _load(job: dict[str, Any], pid: int) -> tuple[dict[str, list[float]], float]:
    """What the clients measure, and the milliseconds of the server's processor time for each request."""
    before = cpu_s(pid)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load_clients"],
        cwd=ROOT,
        input=json.dumps(job),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_PATIENCE_S,
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found, (cpu_s(pid) - before) * 1000 / sum(map(len, found.values()))


async def _prepare(server: Server) -> tuple[dict[str, Any], int]:
    """The clients' job, and the size of a run's document."""
    async with http_client(server) as http:
        ids = [await create_workspace(http, f"load-{number}", SHORT) for number in range(_CREATORS + 1)]
        bodies = [_run_body(id_) for id_ in ids]
        runs = [await _created(http, bodies[0]) for _ in range(30)]
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


async def _created(http: httpx2.AsyncClient, body: dict[str, Any]) -> str:
    answer = await http.post("/api/v2/runs", json=body)
    return str(answer.raise_for_status().json()["data"]["id"])


async def _until_final(http: httpx2.AsyncClient, runs: list[str]) -> None:
    for run in runs:
        deadline = time.monotonic() + _PATIENCE_S
        while (status := await _status(http, run)) not in {"applied", "planned_and_finished"}:
            if status in {"errored", "canceled"} or time.monotonic() > deadline:
                raise RuntimeError(f"{run} is {status}")
            await anyio.sleep(0.1)


async def _status(http: httpx2.AsyncClient, run: str) -> str:
    answer = await http.get(f"/api/v2/runs/{run}")
    return str(answer.raise_for_status().json()["data"]["attributes"]["status"])


async def _drain(server: Server) -> float:
    """Seconds from the first of many runs to the end of the last."""
    async with http_client(server) as http:
        ids = [await create_workspace(http, f"drain-{number}", SHORT) for number in range(_DRAINED_WORKSPACES)]
        start = time.perf_counter()
        runs = [await _created(http, _run_body(ids[number % len(ids)])) for number in range(_DRAINED_RUNS)]
        await _until_final(http, runs)
        return time.perf_counter() - start


@contextmanager
def _bare(size: int) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-c", _BARE, str(size)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip(), process.pid
        finally:
            process.terminate()
