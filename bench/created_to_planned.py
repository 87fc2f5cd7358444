"""How long a run takes from the request to `planned`, over HTTP, one run after another.

The baseline is what a person types for the same plan, in a directory of its own, in the same minute: `init`,
`plan -out`, `show -json`. Each run changes a resource, and is discarded before the next one.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

import anyio
import anyio.to_thread

from bench.local_runs import SHORT, Server, by_hand_s, create_workspace, http_client, serving
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
    """The rows, and how they were measured."""
    terraform = shutil.which("terraform")
    if terraform is None:
        return [], ["skipped: there is no `terraform` on the PATH"]
    compile_sources()
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch) / "data") as server:
        ours, by_hand = anyio.run(_compare, server, Path(scratch), terraform, runs)
    p50, p50_by_hand = statistics.median(ours) * 1000, statistics.median(by_hand) * 1000
    rows = [
        Row("p50 of create to planned (baseline: by hand)", p50, "ms", p50_by_hand, at_most=150),
        Row("p90 of create to planned", statistics.quantiles(ours, n=10)[-1] * 1000, "ms"),
    ]
    return rows, [f"{runs} runs one after another, by hand and by the backend in turn; polled every {_POLL_S} s"]


async def _compare(server: Server, scratch: Path, terraform: str, runs: int) -> tuple[list[float], list[float]]:
    ours, by_hand = [], []
    async with Client(server.url, server.token) as client, http_client(server) as http:
        workspace = await create_workspace(http, "planned", SHORT)
        for number in range(_WARM_UP + runs):
            one = await _planned_s(client, workspace)
            other = await anyio.to_thread.run_sync(by_hand_s, scratch / "by-hand", terraform, SHORT, _COMMANDS)
            if number >= _WARM_UP:
                ours.append(one)
                by_hand.append(other)
    return ours, by_hand


async def _planned_s(client: Client, workspace_id: str) -> float:
    """Seconds from the request for a run to its being planned."""
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
