"""The store of calls that wait for a decision on a page: one decision, once, for one call with one impact."""

from typing import Any

import anyio
import pytest

from tests.tools.calls import TOOLS
from tfruns.gate.pending_call import PendingCall
from tfruns.gate.requests import LIFETIME_S, Decision, DecisionRequest, DecisionRequests
from tfruns.impact import Impact, ImpactKind

YES, NO = Decision(is_confirmed=True, by="operator"), Decision(is_confirmed=False, by="operator")
IMPACT = Impact(kinds=frozenset({ImpactKind.APPLY}), state={"plan": "1"})
CHANGED = Impact(kinds=frozenset({ImpactKind.APPLY}), state={"plan": "2"})


class Reports:
    """The progress messages of a wait."""

    def __init__(self) -> None:
        self.done: list[float] = []

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        assert message == "Waiting for a person to decide on the page"
        assert total is not None
        self.done.append(done)


def call(tool: str = "apply_run", caller: str = "assistant", **values: Any) -> PendingCall:
    return PendingCall(TOOLS[tool], {"run_id": "run-1", "comment": "", **values}, caller)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_same_call_has_one_request_and_every_difference_another() -> None:
    requests = DecisionRequests(Clock())
    first = requests.open(call(), IMPACT)
    assert requests.open(call(), IMPACT) is first
    others = [
        requests.open(call(run_id="run-2"), IMPACT),
        requests.open(call(comment="x"), IMPACT),
        requests.open(call("discard_run"), IMPACT),
        requests.open(call(caller="another"), IMPACT),
        requests.open(call(), CHANGED),
    ]
    assert len({request.id for request in (first, *others)}) == 6
    assert [requests.find(request.id) for request in others] == others


def test_request_takes_one_decision_that_one_call_uses() -> None:
    requests = DecisionRequests(Clock())
    request = requests.open(call(), IMPACT)
    assert requests.use(request) is None
    assert requests.decide(request, IMPACT, YES)
    assert not requests.decide(request, IMPACT, NO)
    assert requests.of(call(), IMPACT) is request
    assert requests.use(request) is YES
    assert requests.use(request) is None
    assert requests.of(call(), IMPACT) is None
    assert requests.open(call(), IMPACT) is not request
    assert requests.find(request.id) is request


def test_decision_about_another_impact_is_not_taken() -> None:
    requests = DecisionRequests(Clock())
    request = requests.open(call(), IMPACT)
    assert not requests.decide(request, CHANGED, YES)
    assert request.decision is None
    assert requests.of(call(), CHANGED) is None


def test_request_and_decision_are_valid_for_ten_minutes_each() -> None:
    clock = Clock()
    requests = DecisionRequests(clock)
    request = requests.open(call(), IMPACT)
    clock.now += LIFETIME_S - 1
    assert requests.remaining_s(request) == 1
    assert requests.decide(request, IMPACT, YES)
    clock.now += LIFETIME_S - 1
    assert requests.of(call(), IMPACT) is request
    clock.now += 1
    assert (requests.use(request), requests.of(call(), IMPACT), requests.remaining_s(request)) == (None, None, 0)
    late = requests.open(call(), IMPACT)
    clock.now += LIFETIME_S
    assert not requests.decide(late, IMPACT, YES)


def test_withdrawn_request_takes_no_decision() -> None:
    requests = DecisionRequests(Clock())
    request = requests.open(call(), IMPACT)
    requests.withdraw(request)
    assert not requests.decide(request, IMPACT, YES)
    assert requests.find(request.id) is None


def test_only_the_newest_requests_are_kept() -> None:
    requests = DecisionRequests(Clock())
    opened = [requests.open(call(run_id=f"run-{number}"), IMPACT) for number in range(65)]
    assert requests.find(opened[0].id) is None
    assert not requests.decide(opened[0], IMPACT, YES)
    assert all(requests.find(request.id) is request for request in opened[1:])


def test_open_requests_and_decisions_outlive_a_flood_of_calls() -> None:
    requests = DecisionRequests(Clock())
    mine = requests.open(call(caller="mine"), IMPACT)
    decided = requests.open(call(caller="flood", run_id="run-decided"), IMPACT)
    assert requests.decide(decided, IMPACT, YES)
    used = requests.open(call(caller="mine", run_id="run-used"), IMPACT)
    assert requests.decide(used, IMPACT, YES)
    assert requests.use(used) is YES
    flood = [requests.open(call(caller="flood", run_id=f"run-{number}"), IMPACT) for number in range(200)]
    assert requests.find(used.id) is None
    assert requests.find(mine.id) is mine
    assert requests.use(decided) is YES
    assert [requests.find(request.id) is request for request in flood] == [False] * 138 + [True] * 62


@pytest.mark.anyio
async def test_every_waiting_call_is_woken_by_the_decision() -> None:
    requests, reports, woken = DecisionRequests(Clock()), Reports(), list[DecisionRequest]()
    request = requests.open(call(), IMPACT)

    async def wait() -> None:
        await request.wait(reports, 600)
        woken.append(request)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert woken == []
            assert reports.done == [pytest.approx(0, abs=1), pytest.approx(0, abs=1)]
            assert requests.decide(request, IMPACT, YES)
    assert woken == [request, request]


@pytest.mark.anyio
async def test_wait_ends_at_its_limit() -> None:
    request = DecisionRequests(Clock()).open(call(), IMPACT)
    with anyio.fail_after(5):
        await request.wait(Reports(), 0.01)
    assert request.decision is None
