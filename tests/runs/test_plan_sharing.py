"""Readers of one plan share one download, and all open plans share one budget."""

import json
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx2
import pytest
from anyio.lowlevel import checkpoint

from tests.support import samples
from tests.support.api import FakeApi, client_for, error
from tests.support.tables import rows
from tests.unit.review.plans import plan, resource
from tfruns.client.client import Client
from tfruns.errors import NotFound, TfrunsError, UnexpectedResponse
from tfruns.runs import plans
from tfruns.runs.plans import open_plan, plan_summary, secrets_of
from tfruns.wire.runs import Run

PLAN = json.dumps(plan(resource(actions=["delete"], before={"a": "b"}))).encode()


def run(number: int = 0) -> Run:
    document = samples.planned()
    document["relationships"]["plan"]["data"]["id"] = f"plan-{number:016}"
    return Run.from_wire(document)


def full(number: int = 0) -> str:
    return f"/plans/plan-{number:016}/json-output"


class GatedApi(FakeApi):
    """A scripted API that answers once its gate is open."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.gate = anyio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        await self.gate.wait()
        return response


async def summarize(client: Client, outcomes: list[object]) -> None:
    try:
        found = await plan_summary(client, run())
    except TfrunsError as failure:
        outcomes.append(type(failure))
    else:
        outcomes.append(found.is_destructive if found else None)


@rows(
    ("answers", "outcome", "requests"),
    [
        ([httpx2.Response(200, content=PLAN)], True, 1),
        ([httpx2.Response(204)], None, 1),
        ([httpx2.Response(200, content=b"{")], UnexpectedResponse, 1),
        ([error(404, "not found")], NotFound, 2),  # the full form, and the redacted one
    ],
    ids=["plan", "none yet", "no plan", "hidden"],
)
async def test_all_readers_of_a_plan_share_one_download(
    answers: list[httpx2.Response], outcome: object, requests: int
) -> None:
    api = GatedApi()
    api.on("GET", full(), *answers)
    client = client_for(api)
    outcomes: list[object] = []
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(summarize, client, outcomes)
        await anyio.wait_all_tasks_blocked()
        api.gate.set()
    assert outcomes == [outcome] * 8
    assert len(api.requests) == requests


async def test_failed_download_is_not_shared_with_later_readers() -> None:
    api = FakeApi().on("GET", full(), httpx2.Response(200, content=b"{"), httpx2.Response(200, content=PLAN))
    client = client_for(api)
    outcomes: list[object] = []
    for _ in range(3):
        await summarize(client, outcomes)
    assert outcomes == [UnexpectedResponse, True, True]
    assert len(api.requests) == 2


async def test_canceled_reader_leaves_the_plan_to_the_others() -> None:
    api = GatedApi()
    api.on("GET", full(), httpx2.Response(200, content=PLAN))
    client = client_for(api)
    outcomes: list[object] = []
    async with anyio.create_task_group() as tasks:
        first = anyio.CancelScope()

        async def read_first() -> None:
            with first:
                await secrets_of(client, run())

        tasks.start_soon(read_first)
        await anyio.wait_all_tasks_blocked()
        for _ in range(3):
            tasks.start_soon(summarize, client, outcomes)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        api.gate.set()
    assert outcomes == [True] * 3
    assert len(api.requests) == 2  # that of the canceled reader, and one for all others


async def test_reader_shares_a_plan_that_another_one_has_open() -> None:
    api = FakeApi().on("GET", full(), httpx2.Response(200, content=PLAN))
    client = client_for(api)
    async with open_plan(client, run()) as one, open_plan(client, run()) as other:
        assert one is not None
        assert other is one
    async with open_plan(client, run()) as third:
        assert third is not one
    assert len(api.requests) == 2


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_MAX_BYTES", len(PLAN) * 5 // 2)


@pytest.mark.parametrize(("is_length_announced", "at_once"), [(True, 2), (False, 1)])
@pytest.mark.usefixtures("small_budget")
async def test_concurrently_open_plans_share_one_budget(is_length_announced: bool, at_once: int) -> None:
    """A plan of unannounced size waits for the whole budget."""
    api = FakeApi(is_length_announced=is_length_announced)
    for number in range(6):
        api.on("GET", full(number), httpx2.Response(200, content=PLAN))
    client = client_for(api)
    now_open, most_open, opened = 0, 0, 0
    are_enough = anyio.Event()

    async def read(number: int) -> None:
        nonlocal now_open, most_open, opened
        async with open_plan(client, run(number)) as found:
            assert found is not None
            now_open, opened = now_open + 1, opened + 1
            most_open = max(most_open, now_open)
            if now_open == at_once:
                are_enough.set()
            await are_enough.wait()
            await checkpoint()
            now_open -= 1

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(read, number)
    assert opened == 6
    assert most_open == at_once
    with anyio.fail_after(10):  # everything is free again
        async with AsyncExitStack() as stack:
            for number in range(at_once):
                await stack.enter_async_context(open_plan(client, run(number)))
