"""The review of a plan with 5,000 changes: time, memory in addition to the download, and the size of its pages.

The measured process is `python -m bench.review PLAN`: the tool, and an API in the same process with the plan in memory.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio

from bench.measure import ROOT, Row, compile_sources
from bench.tokens import counter

_CHANGES = 5_000
_ROUNDS = 3
_KINDS = (["update"], ["create"], ["delete"], ["delete", "create"])
_FILTERS = ("", "update", "create", "replace")


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    notes = [compile_sources()]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "plan.json"
        path.write_text(json.dumps(_plan(), separators=(",", ":")), encoding="utf-8")
        size = path.stat().st_size
        runs = [_measure_process(path) for _ in range(_ROUNDS)]
    best = min(runs, key=lambda run: run["seconds"])
    notes.append(
        f"a plan of {size / 1e6:.1f} MB; the best of {_ROUNDS} processes: {[run['seconds'] for run in runs]} s"
    )
    pages = [json.dumps(page, ensure_ascii=False, separators=(",", ":")) for page in best["pages"]]
    rows = [
        Row(f"review of {_CHANGES:,} changes", best["seconds"], "s", at_most=1.5),
        Row("processor time of the review", min(run["cpu_s"] for run in runs), "s"),
        Row("memory in addition to the download", max(run["megabytes"] for run in runs), "MB", at_most=250),
        Row("largest page", max(len(page.encode()) for page in pages), "bytes", size, at_most=9_200),
    ]
    if count := counter():
        rows.append(Row("largest page", max(map(count, pages)), "tokens", at_most=3_000))
    return rows, notes


def _measure_process(plan: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "bench.review", str(plan)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


async def _review(content: bytes) -> dict[str, Any]:
    """Review the plan in this process. Returns times, memory and pages."""
    import httpx2
    from tests.support import samples
    from tests.support.api import FakeApi, answer, client_for

    from tfruns.gate.pipeline import Gate
    from tfruns.gate.registry import find_tool
    from tfruns.policy import Policy
    from tfruns.views.base import as_json

    tool = find_tool("review_run")
    run = samples.planned()
    api = FakeApi().on("GET", f"/runs/{samples.RUN_ID}", answer({"data": run}))
    api.on(
        "GET", f"/plans/{run['relationships']['plan']['data']['id']}/json-output", httpx2.Response(200, content=content)
    )
    async with client_for(api) as client:
        gate = Gate(client, Policy())
        before = _memory_mb("VmRSS")
        start, cpu_start = time.perf_counter(), time.process_time()
        pages = [as_json(await gate.call(tool, {"run_id": samples.RUN_ID}))]
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu_start
        after = _memory_mb("VmHWM")
        arguments = ({"run_id": samples.RUN_ID, "filter": text, "page_number": 2} for text in _FILTERS)
        pages += [as_json(await gate.call(tool, one)) for one in arguments]
    return {
        "seconds": round(seconds, 3),
        "cpu_s": round(cpu_s, 3),
        "megabytes": after - before,
        "pages": pages,
    }


def _memory_mb(name: str) -> float:
    """The current (`VmRSS`) or maximum (`VmHWM`) memory of this process; Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kilobytes) * 1024 / 1e6


def _plan() -> dict[str, Any]:
    """A plan in the format of `terraform show -json`: instances with 40 attributes, half of them with `count`."""
    source = random.Random(5)
    changes: list[Any] = []
    planned: list[Any] = []
    prior: list[Any] = []
    marks = {"password": True, "tags": {}, "disks": [{}], "groups": [False, False]}
    for number in range(_CHANGES):
        actions = _KINDS[number % 4]
        address = f"aws_instance.r{number}" if number % 2 else f"module.m{number % 50}.aws_instance.web[{number}]"
        before = None if actions == ["create"] else _attributes(source, number)
        after = None if actions == ["delete"] else _attributes(source, number)
        kind = {"address": address, "mode": "managed", "type": "aws_instance", "name": "web", "provider_name": "aws"}
        changed = {
            "actions": actions,
            "before": before,
            "after": after,
            "after_unknown": {"id": True, "arn": True, "tags": {}} if after else {},
            "before_sensitive": marks if before else False,
            "after_sensitive": marks if after else False,
        }
        changes.append({**kind, "change": changed})
        for values, resources in ((before, prior), (after, planned)):
            if values:
                resources.append({**kind, "schema_version": 1, "values": values, "sensitive_values": marks})
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": prior}}},
        "complete": True,
    }


def _attributes(source: random.Random, number: int) -> dict[str, Any]:
    return {
        "ami": f"ami-{number % 7}",
        "id": f"i-{source.getrandbits(64):016x}",
        "arn": f"arn:aws:ec2:eu-west-1:123456789012:instance/i-{source.getrandbits(64):016x}",
        "tags": {"Name": f"web-{number}", "environment": "production", "owner": "team-a"},
        "user_data": f"#!/bin/sh\necho {number}\n" * 10,
        "password": f"password-{source.getrandbits(60)}",
        "disks": [{"device_name": "/dev/sda", "size": 10, "encrypted": True, "kms_key_id": None}],
        "groups": ["sg-1", "sg-2"],
        **{f"attribute_{n}": n if n % 3 else f"value-{n}-{source.randrange(5)}" for n in range(32)},
    }


if __name__ == "__main__":
    print(json.dumps(anyio.run(_review, Path(sys.argv[1]).read_bytes())))
