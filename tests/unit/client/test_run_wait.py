"""Waiting for a run with the client, with its log. The rules are those of `wait_for_run`: tests/tools."""

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error, query
from tests.support.clock import FakeClock
from tests.support.samples import APPLY_ID, PLAN_ID, RUN_ID
from tests.support.tables import rows
from tfruns.client.run_wait import Until
from tfruns.errors import InvalidInput, NotFound, WaitTimedOut

pytestmark = pytest.mark.anyio

PATH = f"/runs/{RUN_ID}"
LOG = "https://archivist.example.com/v1/object/{kind}"
CONFIRMED = {"confirmed-at": "2026-01-02T03:04:05+00:00"}


def state(status: str, **attributes: Any) -> Mapping[str, Any]:
    """The run in a status, without stages between plan and apply."""
    run = samples.run(status=status, actions=None, **attributes)
    run["relationships"] |= {
        "cost-estimate": {"data": None},
        "policy-checks": {"data": []},
        "task-stages": {"data": []},
    }
    return run


def api_with(*states: Mapping[str, Any]) -> FakeApi:
    return FakeApi().on("GET", PATH, *(answer({"data": state}) for state in states))


def with_log(api: FakeApi, kind: str, log: bytes, *, status: str = "finished") -> FakeApi:
    id_, url = {"plans": PLAN_ID, "applies": APPLY_ID}[kind], LOG.format(kind=kind)
    phase = {"id": id_, "type": kind, "attributes": {"status": status, "log-read-url": url}}

    def piece(request: httpx2.Request) -> httpx2.Response:
        if "offset" not in query(request):
            return httpx2.Response(200, content=log)
        offset, limit = int(query(request)["offset"]), int(query(request)["limit"])
        return httpx2.Response(200, content=log[offset : offset + limit])

    return api.on("GET", f"/{kind}/{id_}", answer({"data": phase})).on("GET", url, piece)


@rows(
    ("until", "statuses", "end"),
    [
        ("attention", ["pending", "planning", "planned"], "planned"),
        ("attention", ["planning", "planned_and_finished"], "planned_and_finished"),
        ("planned", ["plan_queued", "planning", "planned"], "planned"),
        ("planned", ["planning", "errored"], "errored"),
        ("final", ["confirmed", "applying", "applied"], "applied"),
        ("final", ["planned", "discarded"], "discarded"),
    ],
)
async def test_wait_returns_the_run_that_ends_it(until: Until, statuses: list[str], end: str) -> None:
    clock = FakeClock()
    async with client_for(api_with(*map(state, statuses)), clock) as client:
        run = await client.runs.wait(RUN_ID, until=until)
    assert (run.id, run.status) == (RUN_ID, end)
    assert len(clock.sleeps) == len(statuses) - 1


async def test_timeout_is_an_error_with_the_status() -> None:
    clock = FakeClock()
    async with client_for(api_with(state("planning")), clock) as client:
        with pytest.raises(WaitTimedOut, match=f"{RUN_ID} is still planning after 30 s") as caught:
            await client.runs.wait(RUN_ID, timeout_s=30)
    assert sum(clock.sleeps) == pytest.approx(30)
    assert caught.value.facts == {"run_id": RUN_ID, "run_status": "planning"}
    assert caught.value.is_retryable


async def test_wait_without_a_timeout_has_no_limit() -> None:
    clock = FakeClock()
    async with client_for(api_with(*[state("planning")] * 2_000, state("planned")), clock) as client:
        assert (await client.runs.wait(RUN_ID)).status == "planned"
    assert sum(clock.sleeps) > 3_600


async def test_included_resources_are_read_with_the_run() -> None:
    api = FakeApi().on("GET", PATH, answer({"data": state("planned"), "included": [samples.workspace()]}))
    async with client_for(api, FakeClock()) as client:
        run = await client.runs.wait(RUN_ID, include=["workspace"])
    assert query(api.requests[0])["include"] == "workspace,task_stages"
    assert run.document["included"]


async def test_unknown_or_malformed_run_fails_immediately() -> None:
    async with client_for(FakeApi(), FakeClock()) as client:
        with pytest.raises(NotFound):
            await client.runs.wait(RUN_ID)
        with pytest.raises(InvalidInput):
            await client.runs.wait("network")
        with pytest.raises(InvalidInput, match="until must be one of attention, planned, final"):
            await client.runs.wait(RUN_ID, until="applied")  # type: ignore[arg-type]


async def test_wait_continues_while_the_api_is_unavailable() -> None:
    api = FakeApi().on("GET", PATH, answer({"data": state("planning")}), *[error(503, "busy")] * 6)
    api.on("GET", PATH, answer({"data": state("planned")}))
    async with client_for(api, FakeClock()) as client:
        assert (await client.runs.wait(RUN_ID)).status == "planned"


# -- with the log -----------------------------------------------------------------------------------------------------


async def logged(api: FakeApi, until: Until = "attention") -> list[str]:
    lines: list[str] = []
    async with client_for(api, FakeClock()) as client:
        await client.runs.wait(RUN_ID, until=until, on_log=lines.append)
    return lines


async def test_log_of_plan_and_apply_is_passed_on_once_in_order() -> None:
    api = with_log(
        api_with(*[state("planning")] * 5, *[state("applying")] * 7, state("applied")), "plans", b"one\ntwo\n"
    )
    assert await logged(with_log(api, "applies", b"three\n"), "final") == ["one", "two", "three"]


async def test_log_of_a_phase_that_ended_before_the_wait_is_complete() -> None:
    api = with_log(api_with(state("planned")), "plans", b"\x02one\nlast\x03")
    assert await logged(api) == ["one", "last"]


async def test_log_of_the_plan_is_passed_on_while_the_run_waits_for_a_person() -> None:
    api = with_log(api_with(state("planned")), "plans", b"one\n")
    lines: list[str] = []
    async with client_for(api, FakeClock()) as client:
        with pytest.raises(WaitTimedOut):
            await client.runs.wait(RUN_ID, until="final", timeout_s=1, on_log=lambda line: lines.append(f"{line}!"))
    assert lines == ["one!"]
    assert len(api.sent("GET", "plans")) == 2  # the log, and its end


async def test_log_of_an_apply_does_not_repeat_the_plan() -> None:
    confirmed = state("applied", status_timestamps=CONFIRMED)
    api = with_log(with_log(api_with(confirmed), "plans", b"plan\n"), "applies", b"apply\n")
    assert await logged(api, "final") == ["apply"]


async def test_log_lines_are_plain_text_without_tokens() -> None:
    token = "abcdefghijklmn.atlasv1." + "x" * 60
    raw = b'\x1b[1mBold\x1b[0m\n{"@level":"info","@message":"a message","type":"log"}\n' + f"token {token}\n".encode()
    lines = await logged(with_log(api_with(state("planned")), "plans", raw))
    assert lines[:2] == ["Bold", "[INFO] a message"]
    assert token not in "".join(lines)


async def test_log_that_cannot_be_read_does_not_end_the_wait() -> None:
    api = api_with(state("planning"), state("planned")).on("GET", f"/plans/{PLAN_ID}", error(403, "no"))
    assert await logged(api) == []


async def test_coroutine_function_receives_the_log() -> None:
    lines: list[str] = []

    async def add(line: str) -> None:
        lines.append(line)

    async with client_for(with_log(api_with(state("planned")), "plans", b"one\n"), FakeClock()) as client:
        await client.runs.wait(RUN_ID, on_log=add)
    assert lines == ["one"]


@pytest.mark.parametrize("problem", [ValueError("full"), NotFound("gone")], ids=["any", "of tfruns"])
async def test_error_of_the_callback_ends_the_wait(problem: Exception) -> None:
    def fail(_: str) -> None:
        raise problem

    async with client_for(with_log(api_with(state("planned")), "plans", b"one\n"), FakeClock()) as client:
        with pytest.raises(type(problem), match=str(problem.args[0])):
            await client.runs.wait(RUN_ID, on_log=fail)


# -- the log as one text ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plans", "applies"])
async def test_log_text_is_plain_and_complete(kind: str) -> None:
    token = "abcdefghijklmn.atlasv1." + "x" * 60
    raw = b'\x02\x1b[1mBold\x1b[0m\n{"@level":"info","@message":"a message","type":"log"}\n\n'
    api = with_log(FakeApi(), kind, raw + f"token {token}\nlast\x03".encode())
    id_ = {"plans": PLAN_ID, "applies": APPLY_ID}[kind]
    async with client_for(api, FakeClock()) as client:
        phases: Any = getattr(client, kind)
        by_id, by_phase = await phases.log_text(id_), await phases.log_text(await phases.read(id_))
    assert by_id == by_phase
    first, second, blank, hidden, last = by_id.split("\n")
    assert (first, second, blank, last) == ("Bold", "[INFO] a message", "", "last")
    assert hidden.startswith("token ")
    assert token not in hidden


async def test_log_text_of_a_phase_that_has_not_started_is_empty() -> None:
    phase = {"id": PLAN_ID, "type": "plans", "attributes": {"status": "pending", "log-read-url": None}}
    async with client_for(FakeApi().on("GET", f"/plans/{PLAN_ID}", answer({"data": phase}))) as client:
        assert await client.plans.log_text(PLAN_ID) == ""
