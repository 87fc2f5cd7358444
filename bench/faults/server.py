"""Kill the server, or the guard beside it, at random moments: `python -m bench.faults.server --kills 1000 [--seed N]`.

A server works on the runs of some workspaces and is killed (SIGKILL) again and again. After every few kills it is left
alone until all is done. Then no run was applied twice, none is lost, all are final, no workspace is held, no process
and no directory of a run is left. The seed is printed; with `--seed` the moments are the same again.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.local_lab import Lab, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer

from tfruns.errors import TfrunsError
from tfruns.lifecycle import is_final
from tfruns.vocabulary import RunStatus
from tfruns.wire.runs import Run

_WORKSPACES = 3
_RUNS = 3  # in each workspace, in each round
_KILLS = 6  # in each round
_DONE_WITHIN_S = 300.0
_TIDY_WITHIN_S = 90.0  # housekeeping comes once a minute

# Run number n wants n + 1 resources; each writes down which run has made it, and takes a moment.
_MAIN = """
    variable "n" {{}}
    resource "terraform_data" "r" {{
      count = var.n + 1
      provisioner "local-exec" {{
        command = "echo $TFC_RUN_ID ${{count.index}} >> '{file}'; sleep 0.1"
      }}
    }}
"""


@dataclass
class Tally:
    """What was done, and what was found."""

    kills: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


@dataclass
class Round:
    """Some workspaces with their runs, and the files in which the runs write what they make."""

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
        """Which run has made which resource."""
        file = self.files[workspace]
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(run_id, int(index)) for run_id, index in lines]


def _guard_of(server: LocalServer) -> int | None:
    """The process that interrupts the Terraforms of a killed server."""
    for children in Path(f"/proc/{server.process.pid}/task").glob("*/children"):  # each thread has its own
        with suppress(OSError):
            for pid in children.read_text().split():
                if b"\0-I\0-S\0-c\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return None


def _kill_often(server: LocalServer, moments: random.Random, tally: Tally, kills: int) -> None:
    for _ in range(kills):
        server.pause(moments.uniform(0, 1.5))
        guard = _guard_of(server) if moments.random() < 0.3 else None
        if guard is not None:
            with suppress(ProcessLookupError):
                os.kill(guard, signal.SIGKILL)
            tally.kills["guard"] += 1
            server.pause(moments.uniform(0, 0.5))
        server.kill()
        is_early = moments.random() < 0.2
        tally.kills["server"] += 1
        if is_early:  # the next kill comes while it starts
            server.launch()
            tally.kills["while starting"] += 1
        else:
            server.restart()


async def _cancel_some(lab: Lab, runs: list[Run], moments: random.Random) -> None:
    for run in runs:
        if moments.random() < 0.2:
            with suppress(TfrunsError):  # it has ended already
                await lab.client.runs.cancel(run.id)


async def _check(lab: Lab, server: LocalServer, work: Round, tally: Tally) -> None:
    for workspace, mine in work.runs.items():
        for run in mine:
            await _check_run(lab, run, tally)
        made = work.made(workspace)
        twice = [line for line, times in Counter(made).items() if times > 1]
        tally.faults += [f"{run_id} made resource {index} twice" for run_id, index in twice]
        await _check_workspace(lab, workspace, made, tally)
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
    if status == RunStatus.ERRORED and "The server was stopped" not in await lab.log(run, "apply"):
        tally.faults.append(f"{run.id} is errored, and its apply was not interrupted")


async def _check_workspace(lab: Lab, workspace: str, made: list[tuple[str, int]], tally: Tally) -> None:
    try:
        await wait_until(lambda: lab.is_free(workspace), "free", within_s=_TIDY_WITHIN_S)
    except AssertionError:
        tally.faults.append(f"{workspace} is held")
        return
    state = await lab.state(workspace) or {"resources": []}
    known = {instance["index_key"] for found in state["resources"] for instance in found["instances"]}
    lost = {index for _, index in made} - known
    if lost:
        tally.faults.append(f"resources {sorted(lost)} of {workspace} were made and are not in its state")


async def _round(server: LocalServer, moments: random.Random, directory: Path, tally: Tally, kills: int) -> None:
    work = Round(directory)
    async with lab_on(server) as lab:
        await work.fill(lab)
        await _cancel_some(lab, [run for mine in work.runs.values() for run in mine], moments)
    _kill_often(server, moments, tally, kills)
    if server.is_running:
        server.kill()
    async with lab_on(server.restart()) as lab:
        await _check(lab, server, work, tally)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.server")
    parser.add_argument("--kills", type=int, default=60, metavar="N")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), metavar="N")
    parser.add_argument("--database", metavar="URL", help="a PostgreSQL database for the server")
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}", flush=True)
    moments, tally = random.Random(chosen.seed), Tally()
    with tempfile.TemporaryDirectory(prefix="tfruns-faults-") as name:
        options = ("--database", chosen.database) if chosen.database else ()
        server = LocalServer(Path(name) / "data", "--workers", "3", *options)
        with server:
            while tally.kills["server"] < chosen.kills and not tally.faults:
                left = chosen.kills - tally.kills["server"]
                asyncio.run(_round(server, moments, Path(name), tally, min(_KILLS, left)))
                print(f"{dict(tally.kills)} {dict(tally.endings)}", flush=True)
        if tally.faults:
            print(server.stderr[-20_000:], file=sys.stderr)
    print("\n".join(tally.faults) or f"{sum(tally.endings.values())} runs, nothing lost, nothing applied twice")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
