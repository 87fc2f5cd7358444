"""The time from the request for a run until it is `planned`, over HTTP, for consecutive runs.

The baseline is the same plan on the command line, interleaved: `init`, `plan -out`, `show -json`. Each run changes a
resource, and is discarded before the next one.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

import anyio
import anyio.to_thread

from bench.local_runs import SHORT, Server, commands_time_s, create_workspace, http_client, serving
from bench.measure import Row, compile_sources
from tfruns import Client, RunParams

DEFAULT_RUNS = 30
_WARM_UP = 2
_POLL_S = 0.005
_COMMANDS = (
    ("init", "-input=false", "-no-color"),
    ("plan", "-input=false", "-out=plan.tfplan"),
    ("show", "-json", "plan.tfplan"),
)


def measure(runs: int = DEFAULT_RUNS) -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    terraform = shutil.which("terraform")
    if terraform is None:
        return [], ["skipped: `terraform` is not on the PATH"]
    compile_sources()
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch) / "data") as server:
        tfruns_s, commands_s = anyio.run(_compare, server, Path(scratch), terraform, runs)
    p50, baseline = statistics.median(tfruns_s) * 1000, statistics.median(commands_s) * 1000
    rows = [
        Row("p50 of create to planned (baseline: commands)", p50, "ms", baseline, at_most=150),
        Row("p90 of create to planned", statistics.quantiles(tfruns_s, n=10)[-1] * 1000, "ms"),
    ]
    return rows, [f"{runs} consecutive runs, interleaved with commands; polled every {_POLL_S} s"]


async def _compare(server: Server, scratch: Path, terraform: str, runs: int) -> tuple[list[float], list[float]]:
    tfruns_s, commands_s = [], []
    async with Client(server.url, server.token) as client, http_client(server) as http:
        workspace = await create_workspace(http, "planned", SHORT)
        for number in range(_WARM_UP + runs):
            run_s = await _planned_s(client, workspace)
            plan_s = await anyio.to_thread.run_sync(commands_time_s, scratch / "commands", terraform, SHORT, _COMMANDS)
            if number >= _WARM_UP:
                tfruns_s.append(run_s)
                commands_s.append(plan_s)
    return tfruns_s, commands_s


async def _planned_s(client: Client, workspace_id: str) -> float:
    """Seconds from the request for a run until it is planned."""
    start = time.perf_counter()
    run = await client.runs.create(workspace_id, RunParams(auto_apply=False))
    while run.status in {"pending", "plan_queued", "planning"}:
        await anyio.sleep(_POLL_S)
        run = await client.runs.read(run.id)
    if run.status != "planned":
        raise RuntimeError(f"{run.id} is {run.status}")
    elapsed = time.perf_counter() - start
    await client.runs.discard(run.id)
    return elapsed
