"""Trials with faults, in two halves: faulted calls of the client, and kills of the server and of its guard process."""

import random

from bench.faults import client, server
from bench.measure import Row

DEFAULT_CALLS = 5_000
DEFAULT_KILLS = 60


def measure(
    calls: int = DEFAULT_CALLS, kills: int = DEFAULT_KILLS, seed: int | None = None, database: str | None = None
) -> tuple[list[Row], list[str]]:
    """Run both halves with one seed; a half with 0 calls or 0 kills is left out."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    rows, notes = client.measure(calls, seed) if calls else ([], [])
    if kills:
        more, said = server.measure(kills, seed, database)
        rows, notes = [*rows, *more], [*notes, *said]
    return rows, notes
