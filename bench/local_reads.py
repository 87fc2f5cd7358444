"""Reads of a run and of pages of run lists, in process, with many runs in the database of the local backend.

One workspace contains half of the runs, a hundred workspaces the others. The baseline is a database with a hundredth of
the runs.
"""

import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2

from bench.measure import Row
from tfruns.local.api.app import build_app
from tfruns.local.api.authentication import create_admin
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.signer import Signer
from tfruns.local.backend import Backend
from tfruns.local.ids import random_text
from tfruns.local.queue import Priority
from tfruns.local.server import freeze_loaded_objects
from tfruns.local.service.workspaces import create_organization, create_workspace
from tfruns.local.store.database import Database
from tfruns.local.store.objects import Objects
from tfruns.wire.run_options import RunOptions

DEFAULT_RUNS = 100_000
_BATCH = 20_000
_ROUNDS = 100
_DAYS = 400
_OPERATIONS = {"plan_and_apply": 60, "plan_only": 30, "destroy": 4, "refresh_only": 3, "save_plan": 2, "empty_apply": 1}
_STATUSES = {"applied": 70, "planned_and_finished": 15, "errored": 8, "discarded": 4, "canceled": 3}


_Times = dict[str, list[float]]


class _NoEngine:
    def dispatch(self, run_id: str, phase: str, priority: Priority) -> None:  # noqa: ARG002
        raise AssertionError("this backend executes nothing")


def measure(runs: int = DEFAULT_RUNS) -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    with tempfile.TemporaryDirectory() as scratch:
        few = _Seeded(Path(scratch) / "few", runs // 100)
        many = _Seeded(Path(scratch) / "many", runs)
        freeze_loaded_objects()  # as the server does when it is ready
        times, cpu_times = asyncio.run(_measure([few, many]))
        few.close()
        many.close()
    at_most = 20.0 if runs <= DEFAULT_RUNS else 40.0
    rows = [
        Row(f"p99 of {name}", _p99(times[1][name]), "ms", _p99(times[0][name]), at_most=at_most) for name in times[1]
    ]
    medians = ", ".join(f"{name} {statistics.median(found):.1f}" for name, found in times[1].items())
    cpu = ", ".join(f"{statistics.median(found):.1f}" for found in cpu_times[1].values())
    sizes = f"{runs:,} runs, seeded in {many.seconds:.0f} s; the baseline has {runs // 100:,}"
    return rows, [
        sizes,
        f"{_ROUNDS} requests of each kind, interleaved",
        f"medians in ms: {medians}",
        f"medians of processor time, in ms: {cpu}",
    ]


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[-1]


async def _measure(backends: "list[_Seeded]") -> tuple[list[_Times], list[_Times]]:
    """The elapsed and the processor time of each request, in milliseconds, for each backend."""
    times: list[_Times] = [{name: [] for name in _requests(one)} for one in backends]
    cpu_times: list[_Times] = [{name: [] for name in _requests(one)} for one in backends]
    for round_ in range(-5, _ROUNDS):  # the first rounds are the warm-up
        for one, found, cpu in zip(backends, times, cpu_times, strict=True):
            async with one.client() as http:
                await http.get("/api/v2/ping")
                for name, path in _requests(one).items():
                    start, cpu_start = time.perf_counter(), time.process_time()
                    response = await http.get(f"/api/v2{path}")
                    elapsed_ms = (time.perf_counter() - start) * 1000
                    cpu_ms = (time.process_time() - cpu_start) * 1000
                    assert response.status_code == 200, response.text
                    if round_ >= 0:
                        found[name].append(elapsed_ms)
                        cpu[name].append(cpu_ms)
    return times, cpu_times


def _requests(one: "_Seeded") -> dict[str, str]:
    id_ = random.choice(one.run_ids)
    workspace, organization = f"/workspaces/{one.workspace_id}/runs", "/organizations/default/runs"
    return {
        "a run": f"/runs/{id_}",
        "a workspace's page 1": workspace,
        "a workspace's page 50": f"{workspace}?page[number]=50",
        "a workspace's, filter[status]": f"{workspace}?filter[status]=errored,canceled",
        "a workspace's, filter[operation]": f"{workspace}?filter[operation]=plan_only,destroy",
        "a workspace's, filter[status_group]": f"{workspace}?filter[status_group]=final",
        "a workspace's, search[basic]": f"{workspace}?search[basic]={id_}",
        "an organization's page 1": organization,
        "an organization's page 50": f"{organization}?page[number]=50",
        "an organization's, filter[status]": f"{organization}?filter[status]=errored,canceled",
        "an organization's, filter[operation]": f"{organization}?filter[operation]=plan_only,destroy",
        "an organization's, filter[status_group]": f"{organization}?filter[status_group]=final",
    }


class _Seeded:
    """A backend without an engine, with generated runs in its database."""

    def __init__(self, directory: Path, runs: int) -> None:
        directory.mkdir()
        self._database = Database(f"sqlite:///{directory / 'tfruns.db'}")
        self._database.migrate()
        backend = Backend(self._database, Objects(directory / "objects"), _NoEngine(), "1.11.4")
        self._token = create_admin(backend)
        with self._database.write() as write:
            create_organization(backend, write, "default", None)
            ids = [create_workspace(backend, write, "default", f"ws-{n}", {}).id for n in range(101)]
        self.workspace_id = ids[0]
        self.run_ids: list[str] = []
        start = time.perf_counter()
        with closing(sqlite3.connect(directory / "tfruns.db")) as connection:
            self._seed(connection, ids, runs)
        self.seconds = time.perf_counter() - start
        self._app = build_app(backend, Signer(b"k" * 32), RateLimiter(is_limited=False))

    def client(self) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {self._token}"}
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self._app), base_url="http://127.0.0.1", headers=headers
        )

    def close(self) -> None:
        self._database.close()

    def _seed(self, connection: sqlite3.Connection, workspace_ids: list[str], runs: int) -> None:
        connection.execute("PRAGMA synchronous=OFF")
        dice = random.Random(1)
        counts: dict[tuple[str, str, str], int] = {}
        remaining = iter(range(runs))
        while numbers := list(islice(remaining, _BATCH)):
            batch = [_run(dice, workspace_ids, number, runs) for number in numbers]
            for run in batch:
                key = (run["workspace_id"], run["operation"], run["status"])
                counts[key] = counts.get(key, 0) + 1
                if run["workspace_id"] == self.workspace_id and run["operation"] != "plan_only":
                    self.run_ids.append(run["id"])
            _insert(connection, "runs", batch)
            _insert(connection, "phases", _phases(batch))
            _insert(connection, "run_events", _events(batch))
            connection.commit()
        names = ("workspace_id", "operation", "status", "runs")
        _insert(connection, "run_counts", [dict(zip(names, (*key, n), strict=True)) for key, n in counts.items()])
        connection.commit()


def _run(dice: random.Random, workspace_ids: list[str], number: int, runs: int) -> dict[str, Any]:
    operation = dice.choices(list(_OPERATIONS), list(_OPERATIONS.values()))[0]
    status = (
        "planned_and_finished"
        if operation == "plan_only"
        else dice.choices(list(_STATUSES), list(_STATUSES.values()))[0]
    )
    created = datetime.now(UTC) - timedelta(days=_DAYS) * (1 - number / runs)
    return {
        "id": f"run-{random_text(16)}",
        "workspace_id": workspace_ids[0] if dice.random() < 0.5 else dice.choice(workspace_ids[1:]),
        "organization": "default",
        "configuration_version_id": "cv-0000000000000000",
        "status": status,
        "status_timestamps": json.dumps({"plan-queueable-at": "2026-01-02T03:04:05.000Z"}),
        "operation": operation,
        "source": "tfe-api",
        "message": f"Change number {number}",
        "created_at": created.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "created_by_id": "user-0000000000000000",
        "auto_apply": 0,
        "has_changes": 1,
        "options": json.dumps(RunOptions().with_defaults().model_dump()),
        "variables": "[]",
        "workspace_variables": "[]",
        "holds_workspace": 0,
        "cancel_level": 0,
    }


def _phases(runs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for run in runs:
        for kind in ("plan", "apply"):
            yield {
                "id": f"{kind}-{run['id'][4:]}", "run_id": run["id"], "kind": kind, "status": "finished",
                "status_timestamps": "{}", "generated_configuration": 0,
            }  # fmt: skip


def _events(runs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for run in runs:
        for number, action in enumerate(("queued", "planning", run["status"])):
            yield {
                "id": f"re-{run['id'][4:]}{number}", "run_id": run["id"], "action": action,
                "created_at": run["created_at"],
            }  # fmt: skip


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    listed = list(rows)
    names = list(listed[0])
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    connection.executemany(statement, listed)
