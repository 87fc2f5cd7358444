"""The local backend compared with Terraform commands: latency, throughput, and CPU use when idle.

The commands run consecutively in one directory: `init`, `plan -out`, `show -json`, `providers schema -json`, `apply`.
"""

import concurrent.futures
import io
import os
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2

from bench.measure import Row, command, compile_sources, environment
from tfruns import Client, RunParams

_ROUNDS = 9
_LONG_ROUNDS = 3
_RUNS = 100
_WORKSPACES = 20
_AT_A_TIME = 2
_SETTLES_S = 5.0
_IDLE_S = 60.0
_POLL_S = 0.01
_FINAL = {"applied", "planned_and_finished", "errored", "canceled", "discarded"}

SHORT = 'resource "terraform_data" "a" {\n  input = timestamp()\n}\n'
_LONG = """\
resource "terraform_data" "a" {
  triggers_replace = timestamp()
  provisioner "local-exec" {
    command = "sleep 10"
  }
}
"""
_COMMANDS = (
    ("init", "-input=false", "-no-color"),
    ("plan", "-input=false", "-out=plan.tfplan"),
    ("show", "-json", "plan.tfplan"),
    ("providers", "schema", "-json"),
    ("apply", "-input=false", "plan.tfplan"),
)


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    terraform = shutil.which("terraform")
    if terraform is None:
        return [], ["skipped: `terraform` is not on the PATH"]
    compile_sources()
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch) / "data") as server:
        idle = _idle_share(server.pid)
        rows = anyio.run(_measure, server, Path(scratch), terraform)
    rows.append(Row("CPU of an idle server", 100 * idle, "%", at_most=0.3))
    note = (
        f"medians of {_ROUNDS} rounds, interleaved ({_LONG_ROUNDS} for the long run); "
        f"{_RUNS} runs in {_WORKSPACES} workspaces, compared with a loop of the same commands, {_AT_A_TIME} at a time; "
        f"idle for {_IDLE_S:.0f} s"
    )
    return rows, [note]


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    token: str
    pid: int


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    arguments = [command(), "server", "--port", "0", "--data-dir", str(data)]
    process = subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        yield Server(url, (data / "token").read_text().strip(), process.pid)
    finally:
        process.terminate()
        process.wait(timeout=120)


def _idle_share(pid: int) -> float:
    """The share of one core that an idle process uses."""
    time.sleep(_SETTLES_S)
    before = cpu_s(pid)
    time.sleep(_IDLE_S)
    return (cpu_s(pid) - before) / _IDLE_S


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _measure(server: Server, scratch: Path, terraform: str) -> list[Row]:
    async with Client(server.url, server.token) as client, http_client(server) as http:
        short, short_commands = await _compare(client, http, scratch, terraform, SHORT, _ROUNDS)
        long, long_commands = await _compare(client, http, scratch, terraform, _LONG, _LONG_ROUNDS)
        rate = await _rate(client, http)
    loop = await anyio.to_thread.run_sync(_loop_rate, scratch, terraform)
    return [
        Row("create to applied (baseline: commands)", short, "s", short_commands),
        Row("of this, added by the backend", short - short_commands, "s", at_most=0.5),
        Row("the same with an apply of 10 s", long, "s", long_commands, ratio_at_most=1.05),
        Row(
            f"{_RUNS} runs in {_WORKSPACES} workspaces (baseline: a loop of commands)",
            rate,
            "/s",
            loop,
            ratio_at_least=0.6,
        ),
    ]


def http_client(server: Server) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=server.url, headers={"authorization": f"Bearer {server.token}"}, timeout=60)


async def _compare(
    client: Client, http: httpx2.AsyncClient, scratch: Path, terraform: str, text: str, rounds: int
) -> tuple[float, float]:
    """The median times of a run and of the same commands, interleaved, in seconds."""
    workspace = await create_workspace(http, f"one-{len(text)}", text)
    directory = scratch / f"commands-{len(text)}"
    runs_s, commands_s = [], []
    for round_ in range(rounds + 1):
        run_s = await _run_s(client, workspace)
        baseline_s = await anyio.to_thread.run_sync(commands_time_s, directory, terraform, text)
        if round_ > 0:  # the first round is the warm-up
            runs_s.append(run_s)
            commands_s.append(baseline_s)
    return statistics.median(runs_s), statistics.median(commands_s)


async def _run_s(client: Client, workspace_id: str) -> float:
    """Seconds from the request for a run until it is applied."""
    start = time.perf_counter()
    run = await client.runs.create(workspace_id, RunParams(auto_apply=True))
    while run.status not in _FINAL:
        await anyio.sleep(_POLL_S)
        run = await client.runs.read(run.id)
    if run.status != "applied":
        raise RuntimeError(f"{run.id} is {run.status}")
    return time.perf_counter() - start


def commands_time_s(
    directory: Path, terraform: str, text: str, commands: Sequence[tuple[str, ...]] = _COMMANDS
) -> float:
    """The time of Terraform commands in a directory with this configuration, in seconds."""
    directory.mkdir(exist_ok=True)
    (directory / "main.tf").write_text(text)
    start = time.perf_counter()
    for arguments in commands:
        subprocess.run([terraform, *arguments], cwd=directory, env=environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


async def _rate(client: Client, http: httpx2.AsyncClient) -> float:
    """Runs per second, all requested at the same time."""
    workspaces = [await create_workspace(http, f"many-{number}", SHORT) for number in range(_WORKSPACES)]
    start = time.perf_counter()
    runs = [
        await client.runs.create(workspaces[number % _WORKSPACES], RunParams(auto_apply=True))
        for number in range(_RUNS)
    ]
    for run in runs:
        while (current := await client.runs.read(run.id)).status not in _FINAL:  # noqa: ASYNC110  # another process
            await anyio.sleep(0.1)
        if current.status != "applied":
            raise RuntimeError(f"{run.id} is {current.status}")
    return _RUNS / (time.perf_counter() - start)


def _loop_rate(scratch: Path, terraform: str) -> float:
    """The same rate with commands: one directory per workspace, `_AT_A_TIME` in parallel."""

    def run_commands(number: int) -> None:
        for _ in range(_RUNS // _WORKSPACES):
            commands_time_s(scratch / f"loop-{number}", terraform, SHORT)

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(_AT_A_TIME) as pool:
        list(pool.map(run_commands, range(_WORKSPACES)))
    return _RUNS / (time.perf_counter() - start)


async def create_workspace(http: httpx2.AsyncClient, name: str, text: str) -> str:
    """Create a workspace with this configuration. Returns its id."""
    workspace = await _create(http, "/organizations/default/workspaces", "workspaces", {"name": name})
    path = f"/workspaces/{workspace['id']}/configuration-versions"
    configuration = await _create(http, path, "configuration-versions", {"auto-queue-runs": False})
    response = await http.put(configuration["attributes"]["upload-url"], content=_archive(text))
    response.raise_for_status()
    return str(workspace["id"])


async def _create(http: httpx2.AsyncClient, path: str, kind: str, attributes: dict[str, Any]) -> Any:
    response = await http.post(f"/api/v2{path}", json={"data": {"type": kind, "attributes": attributes}})
    response.raise_for_status()
    return response.json()["data"]


def _archive(text: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        member = tarfile.TarInfo("main.tf")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()
