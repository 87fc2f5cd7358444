"""The short form of `python -m bench faults --kills 0`: the client reports no wrong outcome."""

from bench.faults.client import run_trial

CALLS, SEED = 500, 20261128


def test_no_faulted_call_reports_a_wrong_outcome() -> None:
    outcomes = run_trial(CALLS, SEED)
    assert outcomes.wrong == [], f"seed {SEED}"
    assert (outcomes.total("right") + outcomes.total("unknown"), outcomes.total("wrong")) == (CALLS, 0)
    assert outcomes.total("right") > CALLS // 2
    kinds = {kind for kind, _ in outcomes.counts}
    assert {"create, redirect", "action, page", "comment, stray", "create, two equal calls", "create, late"} <= kinds
    certain = {"create, none", "create, doubled", "create, refused", "action, none", "action, doubled", "comment, none"}
    assert {kind for kind, outcome in outcomes.counts if outcome == "unknown"} & certain == set()
