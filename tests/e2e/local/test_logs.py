"""A log while it grows, as clients read it: how soon a line can be read, its ends, and its parts."""

import time

import anyio
import pytest

from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tfruns.vocabulary import RunStatus

pytestmark = pytest.mark.anyio

LINES = 20
# Terraform forwards a line of a local-exec immediately; the line contains the time.
_TICKING = f"for i in $(seq {LINES}); do echo tick $i at $(date +%s.%N) end; sleep 0.05; done"
_AT_MOST_S = 0.2


async def test_log_line_is_readable_a_fifth_of_a_second_after_it_is_written(lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(local_exec("ticking", _TICKING)))
    await lab.client.runs.apply(run.id)
    url = (await lab.apply(run)).log_read_url
    assert url is not None
    delays: dict[str, float] = {}
    text, began = "", time.monotonic()
    while not text.endswith("\x03"):
        assert time.monotonic() - began < 60, text
        asked = time.time()  # the duration of the response does not depend on the log
        text += (await lab.http.get(url, params={"offset": len(text), "limit": 1 << 20})).text
        for number, written in ticks(text).items():
            delays.setdefault(number, max(0.0, asked - written))
        await anyio.sleep(0.005)
    assert len(delays) == LINES
    ordered = sorted(delays.values())
    median, worst = ordered[LINES // 2], ordered[-1]
    print(f"a line is seen after {median * 1000:.0f} ms (median), {worst * 1000:.0f} ms (worst of {LINES})")
    assert median <= _AT_MOST_S, "robust on a busy machine: a line may be late, not the half of them"


def ticks(text: str) -> dict[str, float]:
    """When the lines of the local-exec were written, by their number."""
    found = {}
    for part in text.split("(local-exec): tick ")[1:]:
        words = part.split()
        if len(words) > 3 and words[3].startswith("end"):
            found[words[0]] = float(words[2])
    return found


async def test_log_has_its_start_marker_while_it_grows_and_then_its_end_marker(lab: Lab, apply_gate: ApplyGate) -> None:
    run = await lab.planned(await lab.workspace(apply_gate.configuration()))
    assert await lab.log(run, "apply") == "", "nothing is written yet"
    plan = await lab.log(run)
    assert plan.startswith("\x02Terraform v")
    assert plan.endswith("\x03")
    await lab.client.runs.apply(run.id)
    await wait_until(apply_gate.has_begun, "the apply waits in the gate")
    growing = await lab.log(run, "apply")
    assert growing.startswith("\x02Terraform v")
    assert "\x03" not in growing
    apply_gate.open()
    await lab.until(run, RunStatus.APPLIED)
    ended = await lab.log(run, "apply")
    assert ended.startswith(growing)
    assert ended.endswith("\x03")
    assert ended.splitlines()[1:3] == ["on linux_amd64", "Initializing plugins and modules..."]


async def test_log_can_be_read_in_parts_of_any_size(lab: Lab) -> None:
    run = await lab.planned(await lab.workspace('resource "terraform_data" "a" { input = "ünïcödé" }'))
    plan = await lab.plan(run)
    whole = await lab.client.plans.read_log(plan)
    assert plan.log_read_url is not None
    for size in (1000, 65536):
        parts = [
            await lab.client.plans.read_log(plan, offset=offset, max_bytes=size)
            for offset in range(0, len(whole) + size, size)
        ]
        assert b"".join(parts) == whole
        assert parts[-1] == b"", "nothing past the end, and no error"
    for offset in (0, 1, len(whole) - 1, len(whole), len(whole) + 1):
        answer = await lab.http.get(plan.log_read_url, params={"offset": offset, "limit": 1})
        assert (answer.status_code, answer.content) == (200, whole[offset : offset + 1])
    assert (await lab.http.get(plan.log_read_url)).content == whole
    assert (await lab.http.get(plan.log_read_url, headers={"authorization": ""})).content == whole


async def test_large_log_is_complete(lab: Lab) -> None:
    run = await lab.applied(await lab.workspace(local_exec("much", "seq 1 20000")))
    log = await lab.log(run, "apply")
    assert all(f"(local-exec): {number}" in log for number in (1, 9999, 20000))
    assert log.count('"type":"provision_progress"') >= 20000
