"""The short form of `python -m bench faults`: no faulted call is reported as what it was not."""

from bench.faults.client import play

CALLS, SEED = 1000, 20261128


def test_no_faulted_call_has_a_wrong_outcome() -> None:
    tally = play(CALLS, SEED)
    assert tally.wrong == [], f"seed {SEED}"
    assert (tally.total("right") + tally.total("unknown"), tally.total("wrong")) == (CALLS, 0)
    assert tally.total("right") > CALLS // 2
    kinds = {kind for kind, _ in tally.counts}
    assert {"create, redirect", "action, page", "comment, stray", "create, two equal calls", "create, late"} <= kinds
    certain = {"create, none", "create, doubled", "create, refused", "action, none", "action, doubled", "comment, none"}
    assert {kind for kind, outcome in tally.counts if outcome == "unknown"} & certain == set()
