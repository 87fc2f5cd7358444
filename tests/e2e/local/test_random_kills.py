"""The short form of `python -m bench faults --calls 0`: kills of the server and of its guard at random moments."""

import os
import random

from bench.faults.server import play

KILLS = int(os.environ.get("TFRUNS_TEST_KILLS", "8"))  # more on request: each takes some seconds


def test_nothing_is_lost_stuck_or_applied_twice_after_kills_of_server_and_guard() -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    tally = play(KILLS, seed)
    print(*tally.lines(), sep="\n")
    assert tally.faults == [], f"seed {seed}"
    assert tally.total_kills >= KILLS
    assert tally.kills["server"] > 0
    assert tally.resumed.total() > 0, f"seed {seed}: the kills hit no phase"
