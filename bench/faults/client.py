"""Faulted calls of the client: its reports are compared with what the server did.

An outcome is right, unknown (the client reports it as unknown), or wrong: reported success that did not happen,
reported failure that did, the run of another call, or a change that happened twice. Time is virtual, so timeouts take
no real time.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from tests.support.virtual_time import LoopClock, VirtualTimeLoop

from bench.faults.faulty_api import Fault, FaultyApi
from bench.measure import Row
from tfruns import Client
from tfruns.errors import OutcomeUnknown, TfrunsError
from tfruns.wire.run_params import RunParams

_AT_ONCE = 24
_MAX_RESPONSE_S = 1000.0
_READ_FAULTS = 0.02
_PAGES = (200, 201, 202, 302, 303, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(slots=True)
class CallOutcomes:
    """The number of outcomes by kind of fault, and a description of each wrong outcome."""

    seed: int
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    requests: int = 0

    def add(self, kind: str, outcome: str, what: str) -> None:
        """Count one call."""
        self.counts[kind, outcome] += 1
        if outcome == "wrong":
            self.wrong.append(f"{kind}: {what}")

    def total(self, outcome: str) -> int:
        """The number of calls with this outcome."""
        return sum(count for (_, found), count in self.counts.items() if found == outcome)

    def lines(self) -> Iterator[str]:
        """One line for each kind of fault, and for each wrong outcome."""
        for kind in sorted({kind for kind, _ in self.counts}):
            found = ", ".join(f"{self.counts[kind, outcome]} {outcome}" for outcome in ("right", "unknown", "wrong"))
            yield f"{kind}: {found}"
        yield from self.wrong[:20]


def measure(calls: int, seed: int) -> tuple[list[Row], list[str]]:
    """Run a trial with `calls` calls. Returns its rows and notes."""
    began = time.perf_counter()
    outcomes = run_trial(calls, seed)
    took_s = time.perf_counter() - began
    rows = [Row("faulted calls with a wrong outcome", len(outcomes.wrong), "", at_most=0)]
    notes = [f"seed {seed}; {calls} calls, {outcomes.requests} requests, {took_s:.0f} s"]
    notes.append(", ".join(f"{outcomes.total(outcome)} {outcome}" for outcome in ("right", "unknown", "wrong")))
    return rows, [*notes, *outcomes.lines()]


def run_trial(calls: int, seed: int) -> CallOutcomes:
    """Make `calls` faulted calls."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_run_calls(calls, seed))


async def _run_calls(calls: int, seed: int) -> CallOutcomes:
    rng = random.Random(seed)
    api, outcomes = FaultyApi(random.Random(seed + 1), _READ_FAULTS), CallOutcomes(seed)
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0, limit=1 << 20)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    numbers = iter(range(calls))
    async with Client(address, "bench-token-of-nobody", clock=LoopClock()) as client:

        async def work() -> None:
            for number in numbers:
                await _make_call(client, api, outcomes, rng, number)

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    server.close()
    await asyncio.sleep(_MAX_RESPONSE_S)
    outcomes.requests = api.requests
    return outcomes


async def _make_call(client: Client, api: FaultyApi, outcomes: CallOutcomes, rng: random.Random, number: int) -> None:
    kind = rng.choices(("create", "create twice", "action", "comment", "read"), (40, 10, 30, 10, 10))[0]
    await _CALLS[kind](client, api, outcomes, rng, number)
    api.forget(f"ws-{number}")


def any_fault(rng: random.Random, *, is_action: bool = False) -> Fault:
    """A random fault for a change."""
    is_executed = rng.random() < 0.5
    kind = rng.choices(
        ("none", "reset", "cut", "late", "hang", "slow", "doubled", "stray", "page", "redirect", "refused", "limited",
         "server error", "empty", "no document", "bomb"),
        (5, 10, 6, 6, 5, 2, 8, 8, 18, 10, 5, 4, 8, 5, 5, 0.3),
    )[0]  # fmt: skip
    if kind == "late":
        return Fault(kind, is_executed=True, delay_s=rng.uniform(0.5, 5.0))
    if kind in {"refused", "limited"}:
        return Fault(kind, is_executed=False, status=rng.choice((400, 401, 403, 404, 409, 422)))
    statuses = {
        "page": _PAGES,
        "redirect": _REDIRECTS,
        "server error": (500, 502, 503, 504),
        "empty": (200, 201, 204) if is_action else (200, 201, 202, 204),
        "no document": (200, 201, 202),
    }
    must_happen = kind in {"none", "doubled", "cut", "slow", "stray", "bomb"}
    return Fault(kind, is_executed or must_happen, rng.choice(statuses.get(kind, (0,))))


async def _create(client: Client, api: FaultyApi, outcomes: CallOutcomes, rng: random.Random, number: int) -> None:
    key, fault = f"call {number}", any_fault(rng)
    api.faults[key] = [fault]

    async def create() -> str | None:
        run = await client.runs.create(f"ws-{number}", RunParams(message=key))
        is_own = api.runs[run.id].get("attributes", {}).get("message") == key
        return None if is_own else f"the run {run.id} of another call"

    await _check_call(api, outcomes, f"create, {fault.kind}", key, create)


async def _create_twice(
    client: Client, api: FaultyApi, outcomes: CallOutcomes, rng: random.Random, number: int
) -> None:
    """Two equal calls at the same time: only the response itself shows which call created a run."""
    key, faults = f"create twice {number}", [any_fault(rng), any_fault(rng)]
    api.faults[key] = [*faults]

    async def create() -> str | TfrunsError:
        try:
            return (await client.runs.create(f"ws-{number}", RunParams(message=key))).id
        except TfrunsError as error:
            return error

    results = await asyncio.gather(create(), create())
    ids = [result for result in results if isinstance(result, str)]
    failures = [result for result in results if isinstance(result, TfrunsError)]
    is_wrong = (
        len(set(ids)) < len(ids)
        or not set(ids) <= api.delivered
        or api.executed[key] > 2
        or (api.executed[key] > len(ids) and not any(isinstance(failure, OutcomeUnknown) for failure in failures))
    )
    is_unknown = any(isinstance(failure, OutcomeUnknown) for failure in failures)
    what = f"{[fault.kind for fault in faults]} executed {api.executed[key]}: {results}"
    outcomes.add("create, two equal calls", "wrong" if is_wrong else "unknown" if is_unknown else "right", what)


async def _act(client: Client, api: FaultyApi, outcomes: CallOutcomes, rng: random.Random, number: int) -> None:
    run_id, fault = api.add_run(f"ws-{number}", {})["id"], any_fault(rng, is_action=True)
    api.faults[run_id] = [fault]
    action = rng.choice((client.runs.apply, client.runs.discard, client.runs.cancel))

    async def act() -> str | None:
        await action(run_id)
        return None

    await _check_call(api, outcomes, f"action, {fault.kind}", run_id, act)


async def _comment(client: Client, api: FaultyApi, outcomes: CallOutcomes, rng: random.Random, number: int) -> None:
    run_id, key, fault = api.add_run(f"ws-{number}", {})["id"], f"comment {number}", any_fault(rng)
    api.faults[key] = [fault]

    async def comment() -> str | None:
        written = await client.comments.create(run_id, key)
        return None if written.body == key else "the comment of another call"

    await _check_call(api, outcomes, f"comment, {fault.kind}", key, comment)


async def _read(client: Client, api: FaultyApi, outcomes: CallOutcomes, rng: random.Random, number: int) -> None:
    run = api.add_run(f"ws-{number}", {"message": f"read {number}"})
    try:
        found = await client.runs.read(run["id"], include=["workspace"] if rng.random() < 0.5 else [])
    except TfrunsError:
        outcomes.add("read", "right", "")
    else:
        is_own = (found.id, found.message) == (run["id"], f"read {number}")
        outcomes.add("read", "right" if is_own else "wrong", f"{found.id} instead of {run['id']}")


async def _check_call(
    api: FaultyApi, outcomes: CallOutcomes, kind: str, key: str, call: Callable[[], Awaitable[str | None]]
) -> None:
    """Make a call, and compare its report with what happened."""
    try:
        what = await call()
    except OutcomeUnknown:
        outcome, what = "unknown", None
    except TfrunsError as error:
        outcome, what = "right", f"reported {error.code}, but happened" if api.executed[key] else None
    else:
        outcome = "right"
        what = what or (None if api.executed[key] else "reported success, but did not happen")
    if api.executed[key] > 1:
        what = f"happened {api.executed[key]} times"
    outcomes.add(kind, "wrong" if what else outcome, f"{key}: {what}")


_CALLS = {"create": _create, "create twice": _create_twice, "action": _act, "comment": _comment, "read": _read}
