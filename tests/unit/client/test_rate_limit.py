"""Concurrent calls stay below the API's limits (30 requests/s, 30 run lists/min), in virtual time."""

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.support.api import ADDRESS, TOKEN, FakeApi, answer, error
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, WORKSPACE_ID, page, run
from tests.support.tables import rows
from tests.support.virtual_time import LoopClock, TimedApi, VirtualTimeLoop, most_within
from tfruns.client.client import Client
from tfruns.client.rate_limit import RateLimit, RateLimits

RUN_PATH = f"/runs/{RUN_ID}"
LIST_PATH = f"/workspaces/{WORKSPACE_ID}/runs"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualTimeLoop}


def now() -> float:
    return asyncio.get_running_loop().time()


def client_on(api: FakeApi) -> Client:
    return Client(ADDRESS, TOKEN, http_transport=api, clock=LoopClock())


async def read(client: Client) -> None:
    await client.runs.read(RUN_ID)


async def list_runs(client: Client) -> None:
    await client.runs.list_for_workspace(WORKSPACE_ID).page()


async def together(times: int, call: Callable[[Client], Any], client: Client) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(times):
            tasks.start_soon(call, client)


# -- the limits that are known beforehand -----------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("latency_s", [0.0, 0.3, 2.0])
async def test_no_second_has_more_than_30_requests(latency_s: float) -> None:
    api = TimedApi(latency_s)
    api.on("GET", RUN_PATH, answer({"data": run()}))
    await together(200, read, client_on(api))
    assert len(api.starts) == 200
    assert most_within(api.starts, 1.0) <= 30
    assert max(api.starts) <= 200 / 25, "and not much less either"


@pytest.mark.anyio
async def test_no_minute_has_more_than_30_run_lists() -> None:
    api = TimedApi(0.1)
    api.on("GET", LIST_PATH, answer(page(run())))
    await together(100, list_runs, client_on(api))
    assert len(api.starts) == 100
    assert most_within(api.starts, 60.0) <= 30
    assert max(api.starts) <= 60 * 100 / 25


@pytest.mark.anyio
async def test_workspace_and_organization_run_lists_share_one_limit() -> None:
    api = TimedApi()
    api.on("GET", LIST_PATH, answer(page(run()))).on("GET", "/organizations/acme/runs", answer(page(run())))
    client = client_on(api)

    async def list_organization(client: Client) -> None:
        await client.runs.list_for_organization("acme").page()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(together, 25, list_runs, client)
        tasks.start_soon(together, 25, list_organization, client)
    assert most_within(api.starts, 60.0) <= 30


@pytest.mark.anyio
async def test_trickling_calls_stay_below_the_limit() -> None:
    api = TimedApi()
    api.on("GET", RUN_PATH, answer({"data": run()}))
    client = client_on(api)
    async with anyio.create_task_group() as tasks:
        for _ in range(40):
            for _ in range(5):
                tasks.start_soon(read, client)
            await anyio.sleep(0.11)
    assert most_within(api.starts, 1.0) <= 30


@pytest.mark.anyio
async def test_waiting_run_lists_do_not_block_other_requests() -> None:
    api = TimedApi()
    api.on("GET", LIST_PATH, answer(page(run()))).on("GET", RUN_PATH, answer({"data": run()}))
    client = client_on(api)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(together, 40, list_runs, client)
        await anyio.sleep(2.0)
        await read(client)
        assert now() < 3.0


@pytest.mark.anyio
async def test_run_lists_delayed_by_the_other_limit_do_not_burst() -> None:
    """The start of a list counts, not the time of its first turn."""
    limits = RateLimits(LoopClock())
    limits.block(50.0, is_run_list=False)
    starts: list[float] = []

    async def start() -> None:
        await limits.wait_for_turn(is_run_list=True)
        starts.append(now())

    async with anyio.create_task_group() as tasks:
        for _ in range(60):
            tasks.start_soon(start)
    assert len(starts) == 60
    assert most_within(starts, 60.0) <= 30


@pytest.mark.anyio
async def test_calls_start_in_order_of_arrival() -> None:
    limit = RateLimit(30, 1.0, LoopClock())
    order: list[int] = []

    async def start(number: int) -> None:
        await limit.wait_for_turn()
        order.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(start, number)
            await anyio.lowlevel.checkpoint()
    assert order == list(range(100))


@pytest.mark.anyio
async def test_retries_count_against_the_limit() -> None:
    api = TimedApi()
    ids = [f"run-{number:016}" for number in range(50)]
    for id_ in ids:
        api.on("GET", f"/runs/{id_}", *[error(503, "busy", retry_after="0")] * 3, answer({"data": run(id_)}))
    client = client_on(api)
    async with anyio.create_task_group() as tasks:
        for id_ in ids:
            tasks.start_soon(client.runs.read, id_)
    assert len(api.starts) == 200
    assert most_within(api.starts, 1.0) <= 30


@pytest.mark.anyio
async def test_call_that_waited_long_is_still_retried() -> None:
    api = TimedApi()
    api.on("GET", LIST_PATH, *[answer(page(run()))] * 70, error(503, "busy"), answer(page(run())))
    await together(71, list_runs, client_on(api))
    assert len(api.starts) == 72
    assert now() > 100


# -- what the server announces ----------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_higher_announced_limit_is_used() -> None:
    api = TimedApi(0.01)
    api.on("GET", RUN_PATH, answer({"data": run()}, x_ratelimit_limit="1000"))
    client = client_on(api)
    await read(client)
    await together(500, read, client)
    assert now() < 2.0
    assert most_within(api.starts, 1.0) <= 1000


@pytest.mark.anyio
async def test_waiting_calls_resume_when_the_limit_grows() -> None:
    api = TimedApi(0.01)
    api.on("GET", LIST_PATH, answer(page(run()), x_ratelimit_limit="600"))
    await together(200, list_runs, client_on(api))
    assert len(api.starts) == 200
    assert now() < 20.0, "not a minute, as the limit of 30 would have it"


@pytest.mark.anyio
async def test_lower_announced_limit_is_used() -> None:
    api = TimedApi()
    api.on("GET", RUN_PATH, answer({"data": run()}, x_ratelimit_limit="10"))
    client = client_on(api)
    await read(client)
    await anyio.sleep(1.0)
    api.starts.clear()
    await together(50, read, client)
    assert most_within(api.starts, 1.0) <= 10


@pytest.mark.anyio
async def test_run_list_limit_is_learned_only_from_run_lists() -> None:
    api = TimedApi()
    api.on("GET", RUN_PATH, answer({"data": run()}, x_ratelimit_limit="1000"))
    api.on("GET", LIST_PATH, answer(page(run()), x_ratelimit_limit="30"))
    client = client_on(api)
    await read(client)
    api.starts.clear()
    await together(60, list_runs, client)
    assert most_within(api.starts, 60.0) <= 30


@pytest.mark.anyio
async def test_none_remaining_blocks_until_the_window_ends() -> None:
    api = TimedApi()
    used_up = answer({"data": run()}, x_ratelimit_limit="30", x_ratelimit_remaining="0", x_ratelimit_reset="0.75")
    api.on("GET", RUN_PATH, used_up, answer({"data": run()}))
    client = client_on(api)
    await read(client)
    await together(5, read, client)
    assert min(api.starts[1:]) >= 0.75
    assert max(api.starts) < 2.0


@pytest.mark.anyio
async def test_waiting_call_respects_a_later_none_remaining() -> None:
    limit = RateLimit(30, 1.0, LoopClock())
    for _ in range(limit.allowed):
        await limit.wait_for_turn()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(limit.wait_for_turn)
        await anyio.sleep(0.9)
        limit.block(5.0)
    assert now() >= 5.9


@pytest.mark.anyio
async def test_429_delays_other_requests() -> None:
    api = TimedApi()
    api.on("GET", RUN_PATH, error(429, "too many requests", retry_after="5"), answer({"data": run()}))
    client = client_on(api)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, client)
        await anyio.sleep(0.1)
        tasks.start_soon(together, 10, read, client)
    assert len(api.starts) == 12
    assert min(api.starts[1:]) >= 5.0


@pytest.mark.anyio
async def test_429_for_a_run_list_delays_other_run_lists() -> None:
    api = TimedApi()
    api.on("GET", LIST_PATH, error(429, "too many requests", retry_after="20"), answer(page(run())))
    client = client_on(api)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(list_runs, client)
        await anyio.sleep(0.1)
        tasks.start_soon(together, 3, list_runs, client)
    assert min(api.starts[1:]) >= 20.0


@pytest.mark.anyio
async def test_429_for_a_download_delays_other_requests() -> None:
    api = TimedApi()
    path = "/plans/plan-8F5JFydVYAmtTjET/json-output"
    api.on("GET", path, error(429, "too many requests", retry_after="5"), answer({}))
    api.on("GET", RUN_PATH, answer({"data": run()}))
    client = client_on(api)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.plans.read_json, "plan-8F5JFydVYAmtTjET")
        await anyio.sleep(0.1)
        tasks.start_soon(read, client)
    assert min(api.starts[1:]) >= 5.0


@pytest.mark.anyio
@rows("value", ["", "abc", "-5", "0", "0.5", "nan", "inf", "-inf", "1e999", "30, 30;w=1", "1e400"])
@rows("name", ["x_ratelimit_limit", "x_ratelimit_remaining", "x_ratelimit_reset"])
async def test_invalid_rate_limit_headers_are_ignored(name: str, value: str) -> None:
    headers = {"x_ratelimit_limit": "30", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "0.1"} | {name: value}
    began = now()
    api = TimedApi()
    api.on("GET", RUN_PATH, answer({"data": run()}, 200, **headers))
    client = client_on(api)
    for _ in range(3):
        await read(client)
    assert now() - began <= 3.0


@pytest.mark.anyio
async def test_distant_reset_blocks_at_most_one_window() -> None:
    api = TimedApi()
    far = answer({"data": run()}, x_ratelimit_limit="30", x_ratelimit_remaining="0", x_ratelimit_reset="1767323045")
    api.on("GET", RUN_PATH, far, answer({"data": run()}))
    client = client_on(api)
    await read(client)
    await read(client)
    assert now() <= 1.0, "a server may write a point in time there; the window is a second"


# -- cancelling, and several clients ----------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_cancelled_waiting_call_frees_the_next() -> None:
    api = TimedApi()
    api.on("GET", RUN_PATH, answer({"data": run()}))
    client = client_on(api)
    await together(27, read, client)
    with anyio.move_on_after(0.5) as scope:
        await read(client)
    assert scope.cancelled_caught
    await read(client)
    assert len(api.starts) == 28
    assert now() <= 1.1


@pytest.mark.anyio
async def test_first_waiting_call_can_be_cancelled() -> None:
    limit = RateLimit(30, 1.0, LoopClock())
    for _ in range(limit.allowed):
        await limit.wait_for_turn()
    started: list[float] = []

    async def start() -> None:
        await limit.wait_for_turn()
        started.append(now())

    async def start_and_give_up() -> None:
        with anyio.move_on_after(0.2):
            await limit.wait_for_turn()
            pytest.fail("it should not have had its turn")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start_and_give_up)
        await anyio.sleep(0.1)
        for _ in range(3):
            tasks.start_soon(start)
    assert started == [1.0, 1.0, 1.0]


@pytest.mark.anyio
async def test_cancelled_run_lists_are_not_counted() -> None:
    limits = RateLimits(LoopClock())
    limits.block(5.0, is_run_list=False)
    for _ in range(30):
        with anyio.move_on_after(0.01):
            await limits.wait_for_turn(is_run_list=True)
    await anyio.sleep(5.0)
    await limits.wait_for_turn(is_run_list=True)
    assert now() < 10.0


@pytest.mark.anyio
async def test_clients_do_not_wait_for_each_other() -> None:
    first, second = TimedApi(), TimedApi()
    for api in (first, second):
        api.on("GET", RUN_PATH, answer({"data": run()}))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(together, 27, read, client_on(first))
        tasks.start_soon(together, 27, read, client_on(second))
    assert now() == 0.0


def test_limit_is_never_below_one() -> None:
    limit = RateLimit(1, 1.0, FakeClock())
    assert limit.allowed == 1
    limit.set_limit(0)
    assert limit.allowed == 1


def test_limit_is_slightly_below_the_announced_one() -> None:
    limit = RateLimit(30, 1.0, FakeClock())
    assert 24 <= limit.allowed < 30
    limit.set_limit(1000)
    assert 800 <= limit.allowed < 1000
