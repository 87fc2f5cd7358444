"""The errors of refused actions."""

from copy import deepcopy

import pytest

from tests.support.tables import rows
from tfruns import lifecycle
from tfruns.errors import TransitionNotAllowed
from tfruns.lifecycle import TRANSITIONS, act, advance
from tfruns.vocabulary import RunAction, RunStatus

# Run API: the reason of each 409 (of the 403, for a force-execute).
REASONS = {
    "apply": "Run was not paused for confirmation; apply not allowed.",
    "discard": "Run was not paused for confirmation or priority; discard not allowed.",
    "cancel": "Run was not planning or applying; cancel not allowed.",
    "force_cancel": (
        "Run was not planning or applying, has not been canceled non-forcefully, "
        "or the cool-off period has not yet passed."
    ),
    "force_execute": "Run is not pending, its workspace was not locked, or its workspace association was not found.",
}


def test_every_action_has_an_expected_refusal() -> None:
    assert set(REASONS) == {action.value for action in RunAction}


@rows(("action", "reason"), REASONS.items())
def test_refusal_has_the_documented_message(action: str, reason: str) -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        act(RunStatus.APPLIED, RunAction(action))
    assert refusal.value.message == reason
    assert refusal.value.status == 409


@rows(
    ("status", "allowed"),
    [
        (RunStatus.PLANNING, ["cancel"]),
        (RunStatus.PLANNED, ["apply", "discard"]),
        (RunStatus.POLICY_OVERRIDE, ["discard"]),
        (RunStatus.APPLIED, []),
    ],
)
def test_refusal_contains_the_status_and_allowed_actions(status: RunStatus, allowed: list[str]) -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        act(status, RunAction.FORCE_EXECUTE)
    assert refusal.value.facts == {"run_status": status.value, "allowed_actions": allowed}


def test_refused_apply_of_a_pending_run_offers_the_discard() -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        act(RunStatus.PENDING, RunAction.APPLY)
    assert "discard" in refusal.value.as_dict()["allowed_actions"]


def test_illegal_transition_names_both_statuses() -> None:
    before = deepcopy((lifecycle.RULES, TRANSITIONS, lifecycle.ACTIONS))
    with pytest.raises(TransitionNotAllowed, match="from applied to planning"):
        advance(RunStatus.APPLIED, RunStatus.PLANNING)
    assert before == (lifecycle.RULES, TRANSITIONS, lifecycle.ACTIONS)


def test_applying_requires_a_confirmation() -> None:
    seen: set[RunStatus] = set()
    waiting = {RunStatus.PENDING, RunStatus.ASSESSING}
    while waiting:
        status = waiting.pop()
        seen.add(status)
        waiting |= TRANSITIONS[status] - seen - {RunStatus.CONFIRMED}
    assert RunStatus.PLANNED in seen
    assert not seen & {RunStatus.APPLY_QUEUED, RunStatus.APPLYING, RunStatus.APPLIED}
