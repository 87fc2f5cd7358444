"""Kills of the server and of its guard process at random moments.

The server executes runs in several workspaces while it, or the guard process beside it, is killed with SIGKILL again
and again. After every few kills the server is left alone until all runs are final. Then the following has to hold:

- no run made a resource twice, and the runs of a workspace were applied one after the other;
- every run is final, and an errored one was interrupted in its apply;
- what was made is in the state, and the state has nothing else;
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
_DONE_WITHIN_S = 300.0
_TIDY_WITHIN_S = 90.0  # housekeeping runs once a minute
_TERRAFORM_WITHIN_S = 3.0
_GUARD_WITHIN_S = 2.0  # it is started with the first Terraform
_SHOWN_OF_LOG = 20_000  # characters

# Run number n wants n + 1 resources. Each writes down which run has made it, and takes a moment.
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
class Tally:
    """What was done and what was found.

    Attributes:
        kills: of the server, of the guard; how many of the former shortly after a launch.
        endings: the statuses in which the runs ended.
        resumed: how often a phase was planned again or recovered.
        faults: what should not have happened.
    """

    kills: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    resumed: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def total_kills(self) -> int:
        return self.kills["server"] + self.kills["guard"]

    def lines(self) -> Iterator[str]:
        """What was counted, and each fault."""
        early = self.kills["shortly after a launch"]
        yield f"{self.kills['server']} kills of the server ({early} shortly after a launch)"
        yield f"{self.kills['guard']} kills of the guard"
        yield f"{self.endings.total()} runs: {_listed(self.endings)}; {_listed(self.resumed)}"
        yield from self.faults


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none resumed"


def measure(kills: int, seed: int, database: str | None = None) -> tuple[list[Row], list[str]]:
    """The rows and notes of a trial with this many kills."""
    if shutil.which("terraform") is None:
        return [], ["kills skipped: there is no `terraform` on the PATH"]
    start = time.perf_counter()
    tally = play(kills, seed, database)
    store = "PostgreSQL" if database else "SQLite"
    rows = [Row("faults after kills of server and guard", len(tally.faults), "", at_most=0)]
    return rows, [
        f"seed {seed}; {store}; {tally.total_kills} kills in {time.perf_counter() - start:.0f} s",
        *tally.lines(),
    ]


def play(kills: int, seed: int, database: str | None = None) -> Tally:
    """Kill this many times, and stop early at the first fault; the data directory is then kept.

    Args:
        kills: at least this many kills of the server and of the guard together.
        seed: determines the moments.
        database: the URL of a PostgreSQL database for the server.
    """
    moments, tally = random.Random(seed), Tally()
    directory = Path(tempfile.mkdtemp(prefix="tfruns-faults-"))
    with LocalServer(directory / "data", "--workers", "3", *(("--database", database) if database else ())) as server:
        while tally.total_kills < kills and not tally.faults:
            asyncio.run(_round(server, moments, directory, tally, min(_KILLS, kills - tally.total_kills)))
            print(f"seed {seed}: {_listed(tally.kills)}; {_listed(tally.endings)}", file=sys.stderr, flush=True)
        if server.stop() != 0:
            tally.faults.append("the server did not stop with code 0")
        if not database:
            tally.faults += _damage_of(server.data_dir / "tfruns.db")
        if tally.faults:
            print(server.stderr[-_SHOWN_OF_LOG:], f"kept in {directory}", sep="\n", file=sys.stderr)
    if not tally.faults:
        shutil.rmtree(directory)
    return tally


def _damage_of(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        found = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    return [f"the database is damaged: {line}" for line in found if line != "ok"]


@dataclass(slots=True)
class Round:
    """Some workspaces with their runs, and the files in which the runs write down what they make."""

    directory: Path
    runs: dict[str, list[Run]] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    async def fill(self, lab: Lab) -> None:
        for number in range(_WORKSPACES):
            file = self.directory / f"made-{time.monotonic_ns()}-{number}"
            workspace = await lab.workspace(_MAIN.format(file=file))
            self.files[workspace] = file
            self.runs[workspace] = [
                await lab.run(workspace, auto_apply=True, variables={"n": str(n)}) for n in range(_RUNS)
            ]

    def made(self, workspace: str) -> list[tuple[str, int]]:
        """Which run has made which resource, in order."""
        file = self.files[workspace]
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(run_id, int(index)) for run_id, index in lines]


async def _round(server: LocalServer, moments: random.Random, directory: Path, tally: Tally, kills: int) -> None:
    work = Round(directory)
    if not server.is_running:
        server.restart()
    async with lab_on(server) as lab:
        await work.fill(lab)
        await _cancel_some(lab, [run for mine in work.runs.values() for run in mine], moments)
    _kill_often(server, moments, tally, kills)
    if server.is_running:
        server.kill()
        tally.kills["server"] += 1
    async with lab_on(server.restart()) as lab:
        await _check(lab, server, work, tally)


async def _cancel_some(lab: Lab, runs: list[Run], moments: random.Random) -> None:
    for run in runs:
        if moments.random() < 0.2:
            with suppress(TfrunsError):  # it has ended already
                await lab.client.runs.cancel(run.id)


# -- kills --


def _kill_often(server: LocalServer, moments: random.Random, tally: Tally, kills: int) -> None:
    """Kill the server, the guard, or the guard and then the server, this many times but one: the round ends with it."""
    enough = tally.total_kills + kills - 1
    for number in itertools.count():
        if tally.total_kills >= enough:
            break
        if number % 2:
            server.pause(moments.uniform(0, 1.5))
        else:
            _wait_for_terraform(server)
            server.pause(moments.uniform(0, 0.5))
        if number % 3 == 0:
            tally.kills["guard"] += _kill_guard(server)
            server.pause(moments.uniform(0, 0.5))
            if moments.random() < 0.3:
                continue  # the server starts another guard with its next Terraform
        server.kill()
        tally.kills["server"] += 1
        if moments.random() < 0.2:
            server.launch()  # the next kill may come while it starts
            tally.kills["shortly after a launch"] += 1
        else:
            server.restart()
    server.pause(moments.uniform(0, 1.5))


def _wait_for_terraform(server: LocalServer) -> None:
    deadline = time.monotonic() + _TERRAFORM_WITHIN_S
    while not server.terraforms() and time.monotonic() < deadline:
        server.pause(0.02)


def _kill_guard(server: LocalServer) -> bool:
    """Kill the guard, if one appears within a moment."""
    deadline = time.monotonic() + _GUARD_WITHIN_S
    while (guard := _guard_of(server)) is None:
        if time.monotonic() > deadline:
            return False
        server.pause(0.02)
    with suppress(ProcessLookupError):
        os.kill(guard, signal.SIGKILL)
    return True


def _guard_of(server: LocalServer) -> int | None:
    """The process that interrupts the Terraforms of a killed server."""
    for children in Path(f"/proc/{server.process.pid}/task").glob("*/children"):  # each thread has its own
        with suppress(OSError):
            for pid in children.read_text().split():
                if b"\0-I\0-S\0-c\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return None


# -- checks --


async def _check(lab: Lab, server: LocalServer, work: Round, tally: Tally) -> None:
    for workspace, runs in work.runs.items():
        for run in runs:
            await _check_run(lab, run, tally)
        made = work.made(workspace)
        tally.faults += [f"{line} was made twice" for line, times in Counter(made).items() if times > 1]
        order = [run.id for run in runs]
        if sorted(made, key=lambda line: order.index(line[0])) != made:
            tally.faults.append(f"the runs {order} of {workspace} were mixed: {made}")
        await _check_workspace(lab, workspace, runs, made, tally)
    for what, condition in (
        ("a process is left", lambda: not server.terraforms()),
        ("a directory is left", lambda: not any((server.data_dir / "work").iterdir())),
    ):
        try:
            await wait_until(condition, what, within_s=_TIDY_WITHIN_S)
        except AssertionError:
            left = [path.name for path in (server.data_dir / "work").iterdir()]
            tally.faults.append(f"{what}: {left}")


async def _check_run(lab: Lab, run: Run, tally: Tally) -> None:
    deadline = time.monotonic() + _DONE_WITHIN_S
    while not is_final(status := await lab.status(run)):
        if time.monotonic() > deadline:
            tally.faults.append(f"{run.id} is still {status}")
            break
        await asyncio.sleep(0.1)
    tally.endings[status] += 1
    events = await lab.send("GET", f"/runs/{run.id}/run-events")
    actions = [event["attributes"]["action"] for event in events["data"]]
    tally.resumed.update(action for action in actions if action in {"recovered", "planning_again"})
    log = await lab.log(run, "apply")
    if status == RunStatus.APPLIED and "Apply complete!" not in log:
        tally.faults.append(f"{run.id} is applied, and its log does not say so")
    if status == RunStatus.ERRORED and "The server was stopped" not in log:
        tally.faults.append(f"{run.id} is errored, and its apply was not interrupted")


async def _check_workspace(
    lab: Lab, workspace: str, runs: list[Run], made: list[tuple[str, int]], tally: Tally
) -> None:
    try:
        await wait_until(lambda: lab.is_free(workspace), "free", within_s=_TIDY_WITHIN_S)
    except AssertionError:
        tally.faults.append(f"{workspace} is held")
        return
    instances = await _instances(lab, workspace)
    begun = {index for _, index in made}
    lost = begun - instances.keys() - await _destroyed(lab, runs, made)
    if lost:
        tally.faults.append(f"resources {sorted(lost)} of {workspace} were made and are not in its state")
    unmade = {index for index, is_whole in instances.items() if is_whole} - begun
    if unmade:
        tally.faults.append(f"resources {sorted(unmade)} of {workspace} are in its state and were never made")
    following = await lab.run(workspace, auto_apply=True, variables={"n": str(_RUNS)})
    await lab.until(following, RunStatus.APPLIED)
    if await _instances(lab, workspace) != dict.fromkeys(range(_RUNS + 1), True):
        tally.faults.append(f"the next run of {workspace} did not make all of its resources")


async def _instances(lab: Lab, workspace: str) -> dict[int, bool]:
    """The resources in the state, and whether each was made to its end."""
    state = await lab.state(workspace) or {"resources": []}
    instances = [instance for resource in state["resources"] for instance in resource["instances"]]
    return {instance["index_key"]: instance.get("status") != "tainted" for instance in instances}


async def _destroyed(lab: Lab, runs: list[Run], made: list[tuple[str, int]]) -> set[int]:
    """The tainted resources that a run destroyed to make them again, and did not get to."""
    destroyed: set[int] = set()
    for run in runs:
        destroyed -= {index for run_id, index in made if run_id == run.id}
        log = await lab.log(run, "apply")
        for index in range(_RUNS):
            if f"terraform_data.r[{index}]: Destruction complete" in log and (run.id, index) not in made:
                destroyed.add(index)
    return destroyed
