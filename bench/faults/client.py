"""Faulted calls of the client: what it reports is compared with what the server did.

An outcome is right, unknown (the client says that it does not know), or wrong: success that did not happen, failure
that did, the run of another call, or a change that was carried out twice. Time is virtual, so that a timeout takes
none.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from tests.support.virtual_time import LoopClock, VirtualTimeLoop

from bench.faults.stub import Fault, Stub
from bench.measure import Row
from tfruns import Client
from tfruns.errors import OutcomeUnknown, TfrunsError
from tfruns.wire.run_params import RunParams

_AT_ONCE = 24
_LONGEST_ANSWER_S = 1000.0
_READ_FAULTS = 0.02
_PAGES = (200, 201, 202, 302, 303, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(slots=True)
class Tally:
    """How often which outcome was seen, by the kind of fault; and what was wrong."""

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
        """How many calls had this outcome."""
        return sum(count for (_, found), count in self.counts.items() if found == outcome)

    def lines(self) -> Iterator[str]:
        """One line for each kind of fault, and for each wrong outcome."""
        for kind in sorted({kind for kind, _ in self.counts}):
            found = ", ".join(f"{self.counts[kind, outcome]} {outcome}" for outcome in ("right", "unknown", "wrong"))
            yield f"{kind}: {found}"
        yield from self.wrong[:20]


def measure(calls: int, seed: int) -> tuple[list[Row], list[str]]:
    """The rows and notes of a trial with this many calls."""
    began = time.perf_counter()
    tally = play(calls, seed)
    took_s = time.perf_counter() - began
    rows = [Row("faulted calls with a wrong outcome", len(tally.wrong), "", at_most=0)]
    said = [f"seed {seed}; {calls} calls, {tally.requests} requests, {took_s:.0f} s"]
    said.append(", ".join(f"{tally.total(outcome)} {outcome}" for outcome in ("right", "unknown", "wrong")))
    return rows, [*said, *tally.lines()]


def play(calls: int, seed: int) -> Tally:
    """Play so many faulted calls."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_play(calls, seed))


async def _play(calls: int, seed: int) -> Tally:
    rng = random.Random(seed)
    stub, tally = Stub(random.Random(seed + 1), _READ_FAULTS), Tally(seed)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, limit=1 << 20)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    numbers = iter(range(calls))
    async with Client(address, "bench-token-of-nobody", clock=LoopClock()) as client:

        async def work() -> None:
            for number in numbers:
                await _one(client, stub, tally, rng, number)

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    server.close()
    await asyncio.sleep(_LONGEST_ANSWER_S)
    tally.requests = stub.requests
    return tally


async def _one(client: Client, stub: Stub, tally: Tally, rng: random.Random, number: int) -> None:
    kind = rng.choices(("create", "twins", "action", "comment", "read"), (40, 10, 30, 10, 10))[0]
    play_one = {"create": _create, "twins": _twins, "action": _act, "comment": _comment, "read": _read}[kind]
    await play_one(client, stub, tally, rng, number)
    stub.forget(f"ws-{number}")


def any_fault(rng: random.Random, *, is_action: bool = False) -> Fault:
    """A fault of a change."""
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


async def _create(client: Client, stub: Stub, tally: Tally, rng: random.Random, number: int) -> None:
    key, fault = f"call {number}", any_fault(rng)
    stub.faults[key] = [fault]

    async def create() -> str | None:
        run = await client.runs.create(f"ws-{number}", RunParams(message=key))
        is_own = stub.runs[run.id].get("attributes", {}).get("message") == key
        return None if is_own else f"the run {run.id} of another call"

    await _judge(stub, tally, f"create, {fault.kind}", key, create)


async def _twins(client: Client, stub: Stub, tally: Tally, rng: random.Random, number: int) -> None:
    """Two equal calls at once: a run is known to be that of one of them only by its own answer."""
    key, faults = f"twins {number}", [any_fault(rng), any_fault(rng)]
    stub.faults[key] = [*faults]

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
        or not set(ids) <= stub.delivered
        or stub.executed[key] > 2
        or (stub.executed[key] > len(ids) and not any(isinstance(failure, OutcomeUnknown) for failure in failures))
    )
    is_unknown = any(isinstance(failure, OutcomeUnknown) for failure in failures)
    what = f"{[fault.kind for fault in faults]} executed {stub.executed[key]}: {results}"
    tally.add("create, two equal calls", "wrong" if is_wrong else "unknown" if is_unknown else "right", what)


async def _act(client: Client, stub: Stub, tally: Tally, rng: random.Random, number: int) -> None:
    run_id, fault = stub.add_run(f"ws-{number}", {})["id"], any_fault(rng, is_action=True)
    stub.faults[run_id] = [fault]
    action = rng.choice((client.runs.apply, client.runs.discard, client.runs.cancel))
    await _judge(stub, tally, f"action, {fault.kind}", run_id, lambda: action(run_id))


async def _comment(client: Client, stub: Stub, tally: Tally, rng: random.Random, number: int) -> None:
    run_id, key, fault = stub.add_run(f"ws-{number}", {})["id"], f"comment {number}", any_fault(rng)
    stub.faults[key] = [fault]

    async def comment() -> str | None:
        written = await client.comments.create(run_id, key)
        return None if written.body == key else "the comment of another call"

    await _judge(stub, tally, f"comment, {fault.kind}", key, comment)


async def _read(client: Client, stub: Stub, tally: Tally, rng: random.Random, number: int) -> None:
    run = stub.add_run(f"ws-{number}", {"message": f"read {number}"})
    try:
        found = await client.runs.read(run["id"], include=["workspace"] if rng.random() < 0.5 else [])
    except TfrunsError:
        tally.add("read", "right", "")
    else:
        is_own = (found.id, found.message) == (run["id"], f"read {number}")
        tally.add("read", "right" if is_own else "wrong", f"{found.id} in place of {run['id']}")


async def _judge(stub: Stub, tally: Tally, kind: str, key: str, call: Callable[[], Awaitable[str | None]]) -> None:
    """Make a call, and compare what it reports with what happened."""
    try:
        what = await call()
    except OutcomeUnknown:
        outcome, what = "unknown", None
    except TfrunsError as error:
        outcome, what = "right", f"reported {error.code}, and happened" if stub.executed[key] else None
    else:
        outcome = "right"
        what = what or (None if stub.executed[key] else "reported success, and did not happen")
    if stub.executed[key] > 1:
        what = f"carried out {stub.executed[key]} times"
    tally.add(kind, "wrong" if what else outcome, f"{key}: {what}")
