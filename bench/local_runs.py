"""What the local backend costs over the same Terraform commands run by hand, how much it gets done, and what it idles.

By hand means in one directory, one after the other, without a person in between: `init`, `plan -out`, `show -json`,
`providers schema -json`, `apply`.
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
    """The rows, and what is to be known about them."""
    terraform = shutil.which("terraform")
    if terraform is None:
        return [], ["skipped: there is no `terraform` on the PATH"]
    compile_sources()
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch) / "data") as server:
        idle = _idle_share(server.pid)
        rows = anyio.run(_measure, server, Path(scratch), terraform)
    rows.append(Row("CPU of an idle server", 100 * idle, "%", at_most=0.3))
    note = (
        f"medians of {_ROUNDS} rounds, interleaved ({_LONG_ROUNDS} for the long run); "
        f"{_RUNS} runs over {_WORKSPACES} workspaces against a loop over the same commands, {_AT_A_TIME} at a time; "
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
    """The share of one core that a process uses while nobody asks it for anything."""
    time.sleep(_SETTLES_S)
    before = cpu_s(pid)
    time.sleep(_IDLE_S)
    return (cpu_s(pid) - before) / _IDLE_S


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _measure(server: Server, scratch: Path, terraform: str) -> list[Row]:
    async with Client(server.url, server.token) as client, http_client(server) as http:
        short, by_hand = await _compare(client, http, scratch, terraform, SHORT, _ROUNDS)
        long, long_by_hand = await _compare(client, http, scratch, terraform, _LONG, _LONG_ROUNDS)
        rate = await _rate(client, http)
    loop = await anyio.to_thread.run_sync(_loop_rate, scratch, terraform)
    return [
        Row("create to applied (baseline: by hand)", short, "s", by_hand),
        Row("of which is the backend's", short - by_hand, "s", at_most=0.5),
        Row("the same where an apply takes 10 s", long, "s", long_by_hand, ratio_at_most=1.05),
        Row(f"{_RUNS} runs over {_WORKSPACES} workspaces (baseline: the loop)", rate, "/s", loop, ratio_at_least=0.6),
    ]


def http_client(server: Server) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=server.url, headers={"authorization": f"Bearer {server.token}"}, timeout=60)


async def _compare(
    client: Client, http: httpx2.AsyncClient, scratch: Path, terraform: str, text: str, rounds: int
) -> tuple[float, float]:
    """Seconds of a run, and of its commands by hand: medians, in turn."""
    workspace = await create_workspace(http, f"one-{len(text)}", text)
    directory = scratch / f"by-hand-{len(text)}"
    ours, by_hand = [], []
    for round_ in range(rounds + 1):
        one, other = (
            await _run_s(client, workspace),
            await anyio.to_thread.run_sync(by_hand_s, directory, terraform, text),
        )
        if round_ > 0:  # the first is the warm-up
            ours.append(one)
            by_hand.append(other)
    return statistics.median(ours), statistics.median(by_hand)


async def _run_s(client: Client, workspace_id: str) -> float:
    """Seconds from the request for a run to its being applied."""
    start = time.perf_counter()
    run = await client.runs.create(workspace_id, RunParams(auto_apply=True))
    while run.status not in _FINAL:
        await anyio.sleep(_POLL_S)
        run = await client.runs.read(run.id)
    if run.status != "applied":
        raise RuntimeError(f"{run.id} is {run.status}")
    return time.perf_counter() - start


def by_hand_s(directory: Path, terraform: str, text: str, commands: Sequence[tuple[str, ...]] = _COMMANDS) -> float:
    """Seconds that commands take in a directory with this configuration."""
    directory.mkdir(exist_ok=True)
    (directory / "main.tf").write_text(text)
    start = time.perf_counter()
    for arguments in commands:
        subprocess.run([terraform, *arguments], cwd=directory, env=environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


async def _rate(client: Client, http: httpx2.AsyncClient) -> float:
    """Runs a second, all asked for at once."""
    workspaces = [await create_workspace(http, f"many-{number}", SHORT) for number in range(_WORKSPACES)]
    start = time.perf_counter()
    runs = [
        await client.runs.create(workspaces[number % _WORKSPACES], RunParams(auto_apply=True))
        for number in range(_RUNS)
    ]
    for run in runs:
        while (seen := await client.runs.read(run.id)).status not in _FINAL:  # noqa: ASYNC110  # another process
            await anyio.sleep(0.1)
        if seen.status != "applied":
            raise RuntimeError(f"{run.id} is {seen.status}")
    return _RUNS / (time.perf_counter() - start)


def _loop_rate(scratch: Path, terraform: str) -> float:
    """The same without a backend: each workspace a directory, in turn, so many at a time."""

    def go(number: int) -> None:
        for _ in range(_RUNS // _WORKSPACES):
            by_hand_s(scratch / f"loop-{number}", terraform, SHORT)

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(_AT_A_TIME) as pool:
        list(pool.map(go, range(_WORKSPACES)))
    return _RUNS / (time.perf_counter() - start)


async def create_workspace(http: httpx2.AsyncClient, name: str, text: str) -> str:
    """A workspace with this configuration; its id."""
    workspace = await _created(http, "/organizations/default/workspaces", "workspaces", {"name": name})
    path = f"/workspaces/{workspace['id']}/configuration-versions"
    configuration = await _created(http, path, "configuration-versions", {"auto-queue-runs": False})
    answer = await http.put(configuration["attributes"]["upload-url"], content=_archive(text))
    answer.raise_for_status()
    return str(workspace["id"])


async def _created(http: httpx2.AsyncClient, path: str, kind: str, attributes: dict[str, Any]) -> Any:
    answer = await http.post(f"/api/v2{path}", json={"data": {"type": kind, "attributes": attributes}})
    answer.raise_for_status()
    return answer.json()["data"]


def _archive(text: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        member = tarfile.TarInfo("main.tf")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()
