"""Kills of the server and its guard process at random moments.

The server executes runs in several workspaces while it, or its guard process, is repeatedly killed with SIGKILL. After
every few kills, the server runs undisturbed until all runs are final. Then:

- no run created a resource twice, and the runs of a workspace were applied one after the other;
- every run is final, and every errored run was interrupted during its apply;
- the state contains exactly the resources that were created;
- every workspace is free, and its next run is applied;
- no process and no directory of a run is left, and the database is intact.
"""

import asyncio
import itertools
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.local_lab import Lab, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer

from bench.measure import Row
from tfruns.errors import TfrunsError
from tfruns.lifecycle import is_final
from tfruns.vocabulary import RunStatus
from tfruns.wire.runs import Run

_WORKSPACES = 3
_RUNS = 3  # in each workspace, in each round
_KILLS = 8  # in each round
_FINAL_TIMEOUT_S = 300.0
_CLEANUP_TIMEOUT_S = 90.0  # housekeeping runs once a minute
_TERRAFORM_TIMEOUT_S = 3.0
_GUARD_TIMEOUT_S = 2.0  # it starts with the first Terraform process
_MAX_LOG = 20_000  # characters

# Run number n has n + 1 resources. Each takes a moment and records which run created it.
_MAIN = """
    variable "n" {{}}
    resource "terraform_data" "r" {{
      count = var.n + 1
      provisioner "local-exec" {{
        command = "echo $TFC_RUN_ID ${{count.index}} >> '{file}'; sleep 0.1"
      }}
    }}
"""


@dataclass(slots=True)
class KillResults:
    """The results of a trial.

    Attributes:
        kills: number of kills of the server and of the guard, and of server kills shortly after a launch.
        final_statuses: number of runs by final status.
        resumed: how often a phase was planned again or recovered.
        faults: descriptions of violated guarantees.
    """

    kills: Counter[str] = field(default_factory=Counter)
    final_statuses: Counter[str] = field(default_factory=Counter)
    resumed: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def total_kills(self) -> int:
        return self.kills["server"] + self.kills["guard"]

    def lines(self) -> Iterator[str]:
        """The counts, and one line for each fault."""
        early = self.kills["shortly after a launch"]
        yield f"{self.kills['server']} kills of the server ({early} shortly after a launch)"
        yield f"{self.kills['guard']} kills of the guard"
        statuses, resumed = _format_counts(self.final_statuses), _format_counts(self.resumed)
        yield f"{self.final_statuses.total()} runs: {statuses}; {resumed}"
        yield from self.faults


def _format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none resumed"


def measure(kills: int, seed: int, database: str | None = None) -> tuple[list[Row], list[str]]:
    """Run a trial with `kills` kills. Returns its rows and notes."""
    if shutil.which("terraform") is None:
        return [], ["kills skipped: `terraform` is not on the PATH"]
    start = time.perf_counter()
    results = run_trial(kills, seed, database)
    store = "PostgreSQL" if database else "SQLite"
    rows = [Row("faults after kills of server and guard", len(results.faults), "", at_most=0)]
    return rows, [
        f"seed {seed}; {store}; {results.total_kills} kills in {time.perf_counter() - start:.0f} s",
        *results.lines(),
    ]


def run_trial(kills: int, seed: int, database: str | None = None) -> KillResults:
    """Run a trial. It stops at the first fault and then keeps the data directory.

    Args:
        kills: minimum number of kills of the server and the guard together.
        seed: determines the moments of the kills.
        database: URL of a PostgreSQL database for the server; SQLite by default.
    """
    moments, results = random.Random(seed), KillResults()
    directory = Path(tempfile.mkdtemp(prefix="tfruns-faults-"))
    with LocalServer(directory / "data", "--workers", "3", *(("--database", database) if database else ())) as server:
        while results.total_kills < kills and not results.faults:
            asyncio.run(_round(server, moments, directory, results, min(_KILLS, kills - results.total_kills)))
            print(
                f"seed {seed}: {_format_counts(results.kills)}; {_format_counts(results.final_statuses)}",
                file=sys.stderr,
                flush=True,
            )
        if server.stop() != 0:
            results.faults.append("the server did not exit with code 0")
        if not database:
            results.faults += _database_damage(server.data_dir / "tfruns.db")
        if results.faults:
            print(server.stderr[-_MAX_LOG:], f"kept in {directory}", sep="\n", file=sys.stderr)
    if not results.faults:
        shutil.rmtree(directory)
    return results


def _database_damage(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        found = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    return [f"the database is damaged: {line}" for line in found if line != "ok"]


@dataclass(slots=True)
class Round:
    """Some workspaces with their runs, and the files in which the runs record the resources that they create."""

    directory: Path
    runs: dict[str, list[Run]] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    async def fill(self, lab: Lab) -> None:
        for number in range(_WORKSPACES):
            file = self.directory / f"created-{time.monotonic_ns()}-{number}"
            workspace = await lab.workspace(_MAIN.format(file=file))
            self.files[workspace] = file
            self.runs[workspace] = [
                await lab.run(workspace, auto_apply=True, variables={"n": str(n)}) for n in range(_RUNS)
            ]

    def created(self, workspace: str) -> list[tuple[str, int]]:
        """The created resources, in order: run id and index."""
        file = self.files[workspace]
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(run_id, int(index)) for run_id, index in lines]


async def _round(
    server: LocalServer, moments: random.Random, directory: Path, results: KillResults, kills: int
) -> None:
    work = Round(directory)
    if not server.is_running:
        server.restart()
    async with lab_on(server) as lab:
        await work.fill(lab)
        await _cancel_some(lab, [run for mine in work.runs.values() for run in mine], moments)
    _kill_repeatedly(server, moments, results, kills)
    if server.is_running:
        server.kill()
        results.kills["server"] += 1
    async with lab_on(server.restart()) as lab:
        await _check(lab, server, work, results)


async def _cancel_some(lab: Lab, runs: list[Run], moments: random.Random) -> None:
    for run in runs:
        if moments.random() < 0.2:
            with suppress(TfrunsError):  # it is already final
                await lab.client.runs.cancel(run.id)


# -- kills --


def _kill_repeatedly(server: LocalServer, moments: random.Random, results: KillResults, kills: int) -> None:
    """Kill the server, the guard, or both, `kills - 1` times. The last kill is at the end of the round."""
    enough = results.total_kills + kills - 1
    for number in itertools.count():
        if results.total_kills >= enough:
            break
        if number % 2:
            server.pause(moments.uniform(0, 1.5))
        else:
            _wait_for_terraform(server)
            server.pause(moments.uniform(0, 0.5))
        if number % 3 == 0:
            results.kills["guard"] += _kill_guard(server)
            server.pause(moments.uniform(0, 0.5))
            if moments.random() < 0.3:
                continue  # the server starts another guard with its next Terraform process
        server.kill()
        results.kills["server"] += 1
        if moments.random() < 0.2:
            server.launch()  # the next kill may happen while it starts
            results.kills["shortly after a launch"] += 1
        else:
            server.restart()
    server.pause(moments.uniform(0, 1.5))


def _wait_for_terraform(server: LocalServer) -> None:
    deadline = time.monotonic() + _TERRAFORM_TIMEOUT_S
    while not server.terraforms() and time.monotonic() < deadline:
        server.pause(0.02)


def _kill_guard(server: LocalServer) -> bool:
    """Kill the guard. Returns False if none appears in time."""
    deadline = time.monotonic() + _GUARD_TIMEOUT_S
    while (guard := _guard_pid(server)) is None:
        if time.monotonic() > deadline:
            return False
        server.pause(0.02)
    with suppress(ProcessLookupError):
        os.kill(guard, signal.SIGKILL)
    return True


def _guard_pid(server: LocalServer) -> int | None:
    """The pid of the process that interrupts Terraform when the server is killed."""
    for children in Path(f"/proc/{server.process.pid}/task").glob("*/children"):  # each thread has its own list
        with suppress(OSError):
            for pid in children.read_text().split():
                if b"\0-I\0-S\0-c\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return None


# -- checks --


async def _check(lab: Lab, server: LocalServer, work: Round, results: KillResults) -> None:
    for workspace, runs in work.runs.items():
        for run in runs:
            await _check_run(lab, run, results)
        created = work.created(workspace)
        results.faults += [f"{line} was created twice" for line, times in Counter(created).items() if times > 1]
        order = [run.id for run in runs]
        if sorted(created, key=lambda line: order.index(line[0])) != created:
            results.faults.append(f"the runs {order} of {workspace} overlapped: {created}")
        await _check_workspace(lab, workspace, runs, created, results)
    for fault, condition in (
        ("a process is left", lambda: not server.terraforms()),
        ("a directory is left", lambda: not any((server.data_dir / "work").iterdir())),
    ):
        try:
            await wait_until(condition, fault, within_s=_CLEANUP_TIMEOUT_S)
        except AssertionError:
            left = [path.name for path in (server.data_dir / "work").iterdir()]
            results.faults.append(f"{fault}: {left}")


async def _check_run(lab: Lab, run: Run, results: KillResults) -> None:
    deadline = time.monotonic() + _FINAL_TIMEOUT_S
    while not is_final(status := await lab.status(run)):
        if time.monotonic() > deadline:
            results.faults.append(f"{run.id} is still {status}")
            break
        await asyncio.sleep(0.1)
    results.final_statuses[status] += 1
    events = await lab.send("GET", f"/runs/{run.id}/run-events")
    actions = [event["attributes"]["action"] for event in events["data"]]
    results.resumed.update(action for action in actions if action in {"recovered", "planning_again"})
    log = await lab.log(run, "apply")
    if status == RunStatus.APPLIED and "Apply complete!" not in log:
        results.faults.append(f"{run.id} is applied, but its log does not show it")
    if status == RunStatus.ERRORED and "The apply was interrupted: the server stopped." not in log:
        results.faults.append(f"{run.id} is errored, but its apply was not interrupted")


async def _check_workspace(
    lab: Lab, workspace: str, runs: list[Run], created: list[tuple[str, int]], results: KillResults
) -> None:
    try:
        await wait_until(lambda: lab.is_free(workspace), "free", within_s=_CLEANUP_TIMEOUT_S)
    except AssertionError:
        results.faults.append(f"{workspace} is not free")
        return
    instances = await _instances(lab, workspace)
    started = {index for _, index in created}
    lost = started - instances.keys() - await _destroyed(lab, runs, created)
    if lost:
        results.faults.append(f"resources {sorted(lost)} of {workspace} were created but are not in its state")
    unknown = {index for index, is_complete in instances.items() if is_complete} - started
    if unknown:
        results.faults.append(f"resources {sorted(unknown)} of {workspace} are in its state but were never created")
    following = await lab.run(workspace, auto_apply=True, variables={"n": str(_RUNS)})
    await lab.until(following, RunStatus.APPLIED)
    if await _instances(lab, workspace) != dict.fromkeys(range(_RUNS + 1), True):
        results.faults.append(f"the next run of {workspace} did not create all its resources")


async def _instances(lab: Lab, workspace: str) -> dict[int, bool]:
    """The resources in the state, and whether each was created completely."""
    state = await lab.state(workspace) or {"resources": []}
    instances = [instance for resource in state["resources"] for instance in resource["instances"]]
    return {instance["index_key"]: instance.get("status") != "tainted" for instance in instances}


async def _destroyed(lab: Lab, runs: list[Run], created: list[tuple[str, int]]) -> set[int]:
    """The tainted resources that a run destroyed but did not create again."""
    destroyed: set[int] = set()
    for run in runs:
        destroyed -= {index for run_id, index in created if run_id == run.id}
        log = await lab.log(run, "apply")
        for index in range(_RUNS):
            if f"terraform_data.r[{index}]: Destruction complete" in log and (run.id, index) not in created:
                destroyed.add(index)
    return destroyed
