"""A short form of `python -m bench faults --calls 0`: kills of the server and its guard at random moments."""

import os
import random

from bench.faults.server import run_trial

KILLS = int(os.environ.get("TFRUNS_TEST_KILLS", "6"))  # of one trial; each takes a few seconds
_RESUMED = 5  # phases that a kill has to interrupt
_MOST_TRIALS = 4


def test_random_kills_lose_nothing_and_apply_nothing_twice() -> None:
    resumed = server_kills = 0
    for _ in range(_MOST_TRIALS):
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed {seed}")
        results = run_trial(KILLS, seed)
        print(*results.lines(), sep="\n")
        assert results.faults == [], f"seed {seed}"
        assert results.total_kills >= KILLS
        resumed += results.resumed.total()
        server_kills += results.kills["server"]
        if resumed >= _RESUMED:
            break
    assert resumed >= _RESUMED, f"{server_kills} kills of the server, but only {resumed} phases were resumed"
