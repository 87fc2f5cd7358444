"""A short form of `python -m bench faults --calls 0`: kills of the server and its guard at random moments."""

import os
import random

from bench.faults.server import run_trial

KILLS = int(os.environ.get("TFRUNS_TEST_KILLS", "8"))  # each takes a few seconds


def test_random_kills_lose_nothing_and_apply_nothing_twice() -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    results = run_trial(KILLS, seed)
    print(*results.lines(), sep="\n")
    assert results.faults == [], f"seed {seed}"
    assert results.total_kills >= KILLS
    assert results.kills["server"] > 0
    assert results.resumed.total() > 0, f"seed {seed}: no kill hit a running phase"
