"""Other requests are served while a large text is masked: no tool blocks the event loop."""

import time
from typing import Any

import anyio
import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, query
from tests.tools.calls import ASSISTANT, LOG_URL, RUN_ID, TOOLS
from tests.unit.review.plans import plan, resource
from tfruns.gate.pipeline import Gate
from tfruns.views.base import as_json

PLAN_ID, APPLY_ID = samples.PLAN_ID, "apply-47MBvjwzBG8YKc2v"
SECRET = "a" * 60_000
LINE = "a" * 240_000
LONGEST_S = 0.15  # of processor time between two turns of other tasks; masking on the event loop takes longer
_TICK_S = 0.005

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("get_run_logs", "errored", {}),
    ("get_run_logs", "errored", {"offset": 0}),
    ("get_run_logs", "errored", {"search": "a"}),
    ("get_run_logs", "errored", {"phase": "plan"}),
    ("diagnose_run", "errored", {}),
    ("diagnose_run", "errored without a message", {}),
    ("get_run_history", "errored", {}),
    ("get_run_details", "errored", {}),
    ("list_runs_in_workspace", "errored", {"workspace_id": samples.WORKSPACE_ID}),
    ("wait_for_run", "planning", {"timeout_s": 0}),
    ("review_run", "planned", {}),
]


def api_with(status: str) -> FakeApi:
    """A run whose plan has a one-letter secret, which all texts of the run contain."""
    status, *silent = status.split(" ", 1)
    line = LINE + "\n"
    log = (
        line * 4 + "Ready.\n" + line + ("" if silent else "╷\n│ Error: It is wrong\n│ \n│ " + LINE[:9_000] + "\n╵\n")
    ).encode()
    variables = [{"key": "v", "value": f'"{SECRET}b"'}]
    stamps = {"confirmed-at": "2026-01-02T03:05:05Z"} if status == "errored" else {}
    run = samples.run(status=status, message=LINE * 4, variables=variables, status_timestamps=stamps)
    source = plan(resource("a.b", ["update"], before={"p": LINE}, after={"p": SECRET}, after_sensitive={"p": True}))
    state = {"errored": "errored", "planning": "running", "planned": "finished"}[status]
    comments = [samples.comment(body=LINE) | {"id": f"wsc-{number}"} for number in range(4)]
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": run}))
    api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/runs", answer(samples.page(run, total=1)))
    for kind, id_ in (("plans", PLAN_ID), ("applies", APPLY_ID)):
        attributes = {"status": state, "log-read-url": LOG_URL}
        api.on("GET", f"/{kind}/{id_}", answer({"data": {"id": id_, "type": kind, "attributes": attributes}}))
    has_plan = status != "planning"
    api.on("GET", f"/plans/{PLAN_ID}/json-output", answer(source) if has_plan else httpx2.Response(204))
    api.on("GET", f"/runs/{RUN_ID}/run-events", answer(samples.page()))
    api.on("GET", f"/runs/{RUN_ID}/comments", answer(samples.page(*comments)))

    def part(request: httpx2.Request) -> httpx2.Response:
        offset, limit = (int(query(request)[name]) for name in ("offset", "limit"))
        return httpx2.Response(200, content=log[offset : offset + limit])

    return api.on("GET", LOG_URL, part)


async def longest_turn(tool: str, status: str, arguments: dict[str, Any]) -> tuple[float, str]:
    """The longest processor time of the event loop between two turns of another task, and the result of the tool.

    The processor time of its thread counts, so neither other threads nor other programs of this machine matter.
    """
    turns = [0.0]

    async def tick() -> None:
        last = time.thread_time()
        while True:
            await anyio.sleep(_TICK_S)
            turns.append(time.thread_time() - last)
            last = time.thread_time()

    least = {} if "workspace_id" in arguments else {"run_id": RUN_ID}
    async with client_for(api_with(status)) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        with anyio.fail_after(60):
            await anyio.sleep(_TICK_S)  # the clock runs
            view = as_json(await Gate(client, ASSISTANT).call(TOOLS[tool], {**least, **arguments}))
            await anyio.sleep(2 * _TICK_S)  # the last turn is measured
        tasks.cancel_scope.cancel()
    return max(turns), str(view)


@pytest.mark.anyio
async def test_no_tool_blocks_the_event_loop_while_it_masks() -> None:
    for tool, status, arguments in CALLS:
        longest, text = await longest_turn(tool, status, arguments)
        assert longest < LONGEST_S, f"{tool} {arguments}: {longest:.2f} s"
        assert "a" * 6 not in text, tool
