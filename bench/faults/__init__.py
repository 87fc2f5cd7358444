"""Fault trials in two parts: faulted calls of the client, and kills of the server and its guard process."""

import random

from bench.faults import client, server
from bench.measure import Row

DEFAULT_CALLS = 5_000
DEFAULT_KILLS = 60


def measure(
    calls: int = DEFAULT_CALLS, kills: int = DEFAULT_KILLS, seed: int | None = None, database: str | None = None
) -> tuple[list[Row], list[str]]:
    """Run both parts with one seed. A part with 0 calls or 0 kills is skipped. Returns rows and notes."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    rows, notes = client.measure(calls, seed) if calls else ([], [])
    if kills:
        kill_rows, kill_notes = server.measure(kills, seed, database)
        rows, notes = [*rows, *kill_rows], [*notes, *kill_notes]
    return rows, notes
