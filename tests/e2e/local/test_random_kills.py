"""The server is killed again and again while it works on the runs of several workspaces. What always holds, holds."""

import json
import os
import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.local.conftest import NewServer
from tests.support.local_lab import Lab
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tfruns.lifecycle import is_final
from tfruns.vocabulary import RunStatus
from tfruns.wire.runs import Run

KILLS = int(os.environ.get("TFRUNS_TEST_KILLS", "10"))  # more on request: each takes some seconds
_WORKSPACES = 4
_RUNS = max(KILLS // 3, 4)  # in each
_WHOLE_WITHIN_S = 180.0

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


@pytest.mark.anyio
async def test_nothing_is_lost_stuck_or_applied_twice_however_often_it_is_killed(
    new_server: NewServer, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    server = new_server("--workers", "3").start()
    runs: dict[str, list[Run]] = {}
    async with lab_on(server) as lab:
        for number in range(_WORKSPACES):
            workspace = await lab.workspace(_MAIN.format(file=tmp_path / f"made-{number}"))
            runs[workspace] = [await lab.run(workspace, auto_apply=True, variables={"n": str(n)}) for n in range(_RUNS)]
    killed_while_starting = kill_often(server, moments)
    print(f"{KILLS} kills, {killed_while_starting} of them while it was starting")

    async with lab_on(server.restart()) as lab:
        left = [run for mine in runs.values() for run in mine if not is_final(await lab.status(run))]
        print(f"{len(left)} of {_WORKSPACES * _RUNS} runs are still to go")
        for number, (workspace, mine) in enumerate(runs.items()):
            ended = [
                await lab.until(run, RunStatus.APPLIED, RunStatus.ERRORED, within_s=_WHOLE_WITHIN_S) for run in mine
            ]
            made = made_in(tmp_path / f"made-{number}")
            assert max(Counter(made).values(), default=1) == 1, f"one run made one resource twice: {made}"
            order = [run.id for run in mine]
            assert sorted(made, key=lambda line: order.index(line[0])) == made, "the runs went one after the other"
            await check_runs(lab, ended)
            await check_state(lab, workspace, made)
            assert await lab.is_free(workspace)
            await lab.until(await lab.run(workspace, auto_apply=True, variables={"n": str(_RUNS)}), RunStatus.APPLIED)
            assert len((await lab.state(workspace))["resources"][0]["instances"]) == _RUNS + 1
        taken_up = Counter(await events(lab, [run for mine in runs.values() for run in mine]))
        print(f"recovered {taken_up['recovered']} times, planned again {taken_up['planning_again']} times")
        assert taken_up["recovered"] + taken_up["planning_again"] >= KILLS // 5, "the kills have hit something"
    assert server.terraforms() == []
    assert server.stop() == 0
    check_database(server)


def kill_often(server: LocalServer, moments: random.Random) -> int:
    """Kill the server and start it again, so often; returns how often it did not get to listen in between."""
    early = 0
    for number in range(KILLS):
        server.pause(moments.uniform(0, 1.0))
        server.kill()
        if number == KILLS - 1:
            break
        if moments.random() < 0.2:
            early += 1
            server.launch()
        else:
            server.restart()
    return early


async def events(lab: Lab, runs: list[Run]) -> list[str]:
    """All that happened to some runs."""
    documents = [await lab.send("GET", f"/runs/{run.id}/run-events") for run in runs]
    return [event["attributes"]["action"] for document in documents for event in document["data"]]


def made_in(file: Path) -> list[tuple[str, int]]:
    """Which run has made which resource, in order."""
    lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [(run_id, int(index)) for run_id, index in lines]


async def check_runs(lab: Lab, runs: list[Run]) -> None:
    """What was applied, and what was begun and not finished, says so in its log."""
    for run in runs:
        applying = run.status_timestamps.get("applying-at")
        if run.status == RunStatus.APPLIED:
            assert "Apply complete!" in await lab.log(run, "apply")
        elif applying is not None:
            log = await lab.log(run, "apply")
            assert "The server was stopped while it applied" in log
            assert log.startswith("\x02")
            assert log.endswith("\x03")
        else:
            raise AssertionError(f"{run.id} was errored in its plan\n{await lab.log(run)}")


async def check_state(lab: Lab, workspace: str, made: list[tuple[str, int]]) -> None:
    """What was made is in the state, and in the state is nothing else."""
    state = await lab.state(workspace)
    instances = [found for resource in (state or {"resources": []})["resources"] for found in resource["instances"]]
    whole = {found["index_key"] for found in instances if found.get("status") != "tainted"}
    begun = {index for _, index in made}
    assert whole <= begun, json.dumps(state)
    assert begun <= {found["index_key"] for found in instances}, json.dumps(state)


def check_database(server: LocalServer) -> None:
    connection = sqlite3.connect(server.data_dir / "tfruns.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
