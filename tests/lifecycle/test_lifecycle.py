"""The lifecycle: every status x action and every status x status, against tables written out here."""

import itertools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.tables import rows
from tfruns.errors import TransitionNotAllowed
from tfruns.lifecycle import (
    ACTIONS,
    RULES,
    TRANSITIONS,
    accepted_actions,
    act,
    advance,
    allowed_actions,
    group_of,
    has_taken_effect,
    is_final,
    rule_of,
    sources_of,
    statuses_in,
    what_follows,
)
from tfruns.vocabulary import PhaseStatus, RunAction, RunPhase, RunStatus, StatusGroup

S = RunStatus
A = RunAction

# What a run's payload shows, one letter for each action: C cancelable, F confirmable, D discardable, K force-cancelable
# (once a cancel was asked and the cool-off is over). Written from the run API reference, the run states page and
# observation, not from the tables under test.
SHOWN: dict[RunStatus, str] = {
    # documented or observed
    S.PENDING: "C",
    S.FETCHING: "CK",
    S.PLAN_QUEUED: "CK",
    S.PLANNING: "CK",
    S.CONFIRMED: "CK",
    S.QUEUING_APPLY: "CK",
    S.APPLY_QUEUED: "CK",
    S.APPLYING: "CK",
    S.PLANNED: "FD",
    S.COST_ESTIMATED: "FD",
    S.POLICY_CHECKED: "FD",
    S.PLANNED_AND_SAVED: "FD",
    S.POST_PLAN_COMPLETED: "FD",
    S.POLICY_OVERRIDE: "D",
    S.POST_PLAN_RUNNING: "D",
    S.APPLIED: "",
    S.PLANNED_AND_FINISHED: "",
    S.DISCARDED: "",
    S.ERRORED: "",
    S.CANCELED: "",
    S.FORCE_CANCELED: "",
    S.POLICY_SOFT_FAILED: "",
    # inferred: something is being done that can be stopped
    S.QUEUING: "CK",
    S.FETCHING_COMPLETED: "CK",
    S.PRE_PLAN_RUNNING: "CK",
    S.PRE_PLAN_COMPLETED: "CK",
    S.COST_ESTIMATING: "CK",
    S.POLICY_CHECKING: "CK",
    S.PRE_APPLY_RUNNING: "CK",
    S.PRE_APPLY_COMPLETED: "CK",
    S.POST_APPLY_RUNNING: "CK",
    S.POST_APPLY_COMPLETED: "CK",
    # inferred: paused, as the documented statuses of the same kind are
    S.TF_POLICY_CHECKED: "FD",
    S.TF_POLICY_OVERRIDE: "D",
    S.PRE_PLAN_AWAITING_DECISION: "D",
    S.POST_PLAN_AWAITING_DECISION: "D",
    # inferred: an assessment is the service's own
    S.ASSESSING: "",
    S.ASSESSED: "",
}

# Accepted although the payload does not show it: run API, "Discard a Run" (also "paused for priority"), observed; and
# "Forcefully execute a run".
ACCEPTED_UNSHOWN = {(S.PENDING, A.DISCARD), (S.PENDING, A.FORCE_EXECUTE)}

LETTERS = {A.CANCEL: "C", A.APPLY: "F", A.DISCARD: "D", A.FORCE_CANCEL: "K"}

# run API, the reasons of the 409s (and of the 403 of a force-execute)
REFUSALS = {
    A.APPLY: "Run was not paused for confirmation; apply not allowed.",
    A.DISCARD: "Run was not paused for confirmation or priority; discard not allowed.",
    A.CANCEL: "Run was not planning or applying; cancel not allowed.",
    A.FORCE_CANCEL: "Run was not planning or applying, has not been canceled non-forcefully, "
    "or the cool-off period has not yet passed.",
    A.FORCE_EXECUTE: "Run is not pending, its workspace was not locked, or its workspace association was not found.",
}

FINAL = {S.APPLIED, S.PLANNED_AND_FINISHED, S.DISCARDED, S.ERRORED, S.CANCELED, S.POLICY_SOFT_FAILED, S.FORCE_CANCELED}
FINAL_INFERRED = {S.ASSESSED}

# run API, "Run Status Groups", `discardable`
DISCARDABLE = {
    S.PLANNED,
    S.PLANNED_AND_SAVED,
    S.COST_ESTIMATED,
    S.POLICY_CHECKED,
    S.POLICY_OVERRIDE,
    S.POST_PLAN_RUNNING,
    S.POST_PLAN_COMPLETED,
}
DISCARDABLE_INFERRED = {
    S.TF_POLICY_CHECKED,
    S.TF_POLICY_OVERRIDE,
    S.PRE_PLAN_AWAITING_DECISION,
    S.POST_PLAN_AWAITING_DECISION,
}

UNKNOWN = ["", "PLANNED", "planned ", "brand_new_status", "force-canceled", "\N{SNOWMAN}"]

EVERY_STATUS_AND_ACTION = list(itertools.product(RunStatus, RunAction))
NEVER_ASKED: dict[str, bool] = {}
ASKED = {"is_cancel_asked": True}
COOLED_OFF = {"is_cancel_asked": True, "is_cool_off_over": True}


def letters(actions: Iterable[RunAction]) -> set[str]:
    return {LETTERS[action] for action in actions}


# -- what is allowed --------------------------------------------------------------------------------------------------


def test_expected_table_has_every_status() -> None:
    assert set(SHOWN) == set(RunStatus)


@rows("status", RunStatus)
def test_each_status_allows_exactly_the_documented_actions(status: RunStatus) -> None:
    assert letters(allowed_actions(status)) == set(SHOWN[status]) - {"K"}


@rows("status", [status for status in RunStatus if "K" in SHOWN[status]])
def test_second_cancel_is_not_allowed_after_a_cancel(status: RunStatus) -> None:
    assert allowed_actions(status, is_cancel_asked=True) == frozenset()


@rows("status", RunStatus)
def test_force_cancel_requires_a_running_process_and_the_cool_off(status: RunStatus) -> None:
    is_possible = "K" in SHOWN[status]
    assert (A.FORCE_CANCEL in allowed_actions(status, is_cancel_asked=True, is_cool_off_over=True)) == is_possible
    assert A.FORCE_CANCEL not in allowed_actions(status, is_cancel_asked=True)
    assert A.FORCE_CANCEL not in allowed_actions(status, is_cool_off_over=True)
    assert A.FORCE_CANCEL not in allowed_actions(status)


@rows("status", [status for status in RunStatus if "C" not in SHOWN[status]])
def test_earlier_cancel_forbids_only_the_apply(status: RunStatus) -> None:
    expected = allowed_actions(status) - {RunAction.APPLY}
    assert allowed_actions(status, is_cancel_asked=True, is_cool_off_over=True) == expected


@rows("status", RunStatus)
def test_status_is_found_by_its_plain_string(status: RunStatus) -> None:
    assert allowed_actions(status.value) == allowed_actions(status)
    assert rule_of(status.value) is RULES[status]
    assert is_final(status.value) == is_final(status)
    assert group_of(status.value) == group_of(status)


# -- acting -----------------------------------------------------------------------------------------------------------


def is_accepted(status: RunStatus, action: RunAction) -> bool:
    return LETTERS.get(action, "-") in SHOWN[status].replace("K", "") or (status, action) in ACCEPTED_UNSHOWN


def status_after(status: RunStatus, action: RunAction) -> RunStatus:
    """Right after the 202: a running process stops later, by SIGINT; a pending run is canceled immediately."""
    if action is A.CANCEL:
        return S.CANCELED if status is S.PENDING else status
    return {
        A.APPLY: S.CONFIRMED,
        A.DISCARD: S.DISCARDED,
        A.FORCE_CANCEL: S.CANCELED,
        A.FORCE_EXECUTE: S.PLAN_QUEUED,
    }[action]


@rows(("status", "action"), EVERY_STATUS_AND_ACTION)
def test_action_is_accepted_exactly_where_documented(status: RunStatus, action: RunAction) -> None:
    if is_accepted(status, action):
        assert act(status, action) is status_after(status, action)
        return
    with pytest.raises(TransitionNotAllowed) as refusal:
        act(status, action)
    assert refusal.value.message == REFUSALS[action]
    assert refusal.value.status == 409
    assert refusal.value.facts["run_status"] == status.value
    assert refusal.value.facts["allowed_actions"] == sorted(allowed_actions(status) | accepted_actions(status))


@rows(("status", "action"), EVERY_STATUS_AND_ACTION)
def test_allowed_actions_are_accepted_and_others_refused(status: RunStatus, action: RunAction) -> None:
    for asked in (NEVER_ASKED, ASKED, COOLED_OFF):
        if action in allowed_actions(status, **asked) or (status, action) in ACCEPTED_UNSHOWN:
            act(status, action, **asked)
        else:
            with pytest.raises(TransitionNotAllowed):
                act(status, action, **asked)


@rows("status", [status for status in RunStatus if "K" in SHOWN[status]])
def test_second_cancel_is_refused(status: RunStatus) -> None:
    with pytest.raises(TransitionNotAllowed, match="cancel not allowed"):
        act(status, A.CANCEL, is_cancel_asked=True)


@rows("status", [status for status in RunStatus if "K" in SHOWN[status]])
def test_force_cancel_after_the_cool_off_cancels_immediately(
    status: RunStatus,
) -> None:
    for too_early in (NEVER_ASKED, ASKED, {"is_cool_off_over": True}):
        with pytest.raises(TransitionNotAllowed, match="cool-off"):
            act(status, A.FORCE_CANCEL, **too_early)
    assert act(status, A.FORCE_CANCEL, **COOLED_OFF) is S.CANCELED


@rows(("status", "action"), EVERY_STATUS_AND_ACTION)
def test_every_action_leads_to_a_legal_transition(status: RunStatus, action: RunAction) -> None:
    accepted = allowed_actions(status, **COOLED_OFF) | allowed_actions(status) | RULES[status].accepts
    assert action not in accepted or ACTIONS[action].leads_to in TRANSITIONS[status]


def test_every_action_has_a_rule() -> None:
    assert set(ACTIONS) == set(RunAction)


# -- moving along -----------------------------------------------------------------------------------------------------


@rows("status", RunStatus)
def test_run_advances_only_along_transitions(status: RunStatus) -> None:
    before = {key: set(targets) for key, targets in TRANSITIONS.items()}
    for to in RunStatus:
        if to in TRANSITIONS[status]:
            assert advance(status, to) is to
            continue
        with pytest.raises(TransitionNotAllowed) as refusal:
            advance(status, to)
        assert refusal.value.facts["run_status"] == status.value
        assert status.value in refusal.value.message
        assert to.value in refusal.value.message
    assert before == TRANSITIONS


@rows(
    "path",
    [
        "pending plan_queued planning planned confirmed apply_queued applying applied",
        "pending plan_queued planning planned cost_estimating cost_estimated confirmed apply_queued applying applied",
        "pending plan_queued planning planned cost_estimating cost_estimated policy_checking policy_checked confirmed",
        "planned policy_checking policy_override policy_checked confirmed",
        "planned policy_checking policy_override discarded",
        "planned policy_checking policy_soft_failed",  # plan-only
        "planned post_plan_running post_plan_completed confirmed",
        "planned post_plan_running post_plan_completed cost_estimating cost_estimated planned_and_finished",
        "fetching fetching_completed pre_plan_running pre_plan_completed plan_queued planning planned_and_finished",
        "planning planned_and_saved confirmed pre_apply_running pre_apply_completed apply_queued applying",
        "planning planned_and_saved discarded",
        "confirmed queuing_apply apply_queued applying post_apply_running post_apply_completed applied",
        "assessing assessed",
    ],
)
def test_documented_status_sequences_are_legal(path: str) -> None:
    for before, after in itertools.pairwise(map(RunStatus, path.split())):
        assert advance(before, after) is after


@rows(
    ("status", "to"),
    [
        (S.PENDING, S.PLANNING),
        (S.PENDING, S.APPLYING),
        (S.PLANNING, S.CONFIRMED),
        (S.PLANNING, S.APPLYING),
        (S.PLANNED, S.APPLYING),
        (S.POLICY_OVERRIDE, S.CONFIRMED),
        (S.POST_PLAN_RUNNING, S.CONFIRMED),
        (S.CONFIRMED, S.DISCARDED),
        (S.APPLYING, S.DISCARDED),
        (S.APPLYING, S.PLANNED),
        (S.APPLIED, S.APPLYING),
        (S.CANCELED, S.PENDING),
        (S.PLANNED, S.PLANNED),
    ],
)
def test_run_cannot_skip_a_protecting_stage(status: RunStatus, to: RunStatus) -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(status, to)


@rows("status", sorted(set(RunStatus) - FINAL - FINAL_INFERRED))
def test_every_non_final_run_can_fail(status: RunStatus) -> None:
    assert advance(status, S.ERRORED) is S.ERRORED


@rows("to", RunStatus)
def test_sources_of_a_status_invert_the_transitions(to: RunStatus) -> None:
    assert sources_of(to) == {status for status in RunStatus if to in TRANSITIONS[status]}


# -- totality ---------------------------------------------------------------------------------------------------------


def test_every_status_has_a_rule_and_transitions() -> None:
    assert set(RULES) == set(RunStatus)
    assert set(TRANSITIONS) == set(RunStatus)


@rows("status", RunStatus)
def test_every_status_has_a_phase_and_a_next_step(status: RunStatus) -> None:
    rule = RULES[status]
    assert rule.phase in RunPhase
    assert rule.follows.endswith(".")
    assert rule.follows.startswith("Final: ") == rule.is_final
    assert (rule.phase is RunPhase.COMPLETED) == rule.is_final


def test_every_phase_has_a_status() -> None:
    assert {rule.phase for rule in RULES.values()} == set(RunPhase)


def test_exactly_the_final_statuses_are_final() -> None:
    assert {status for status in RunStatus if is_final(status)} == FINAL | FINAL_INFERRED


@rows("status", RunStatus)
def test_exactly_the_final_statuses_have_no_transitions(status: RunStatus) -> None:
    assert (not TRANSITIONS[status]) == is_final(status)


@rows("status", RunStatus)
def test_every_status_can_reach_a_final_one(status: RunStatus) -> None:
    assert any(is_final(end) for end in reachable_from(status))


def test_every_status_but_an_assessment_is_reachable_from_pending() -> None:
    not_final = {status for status in RunStatus if not is_final(status)}
    assert not_final - reachable_from(S.PENDING) == {S.ASSESSING}
    # the API answers `canceled` with `force-canceled-at` instead of `force_canceled`
    assert FINAL - reachable_from(S.PENDING) == {S.FORCE_CANCELED}


def reachable_from(start: RunStatus) -> set[RunStatus]:
    reached: set[RunStatus] = set()
    border = {start}
    while border:
        reached |= border
        border = {to for status in border for to in TRANSITIONS[status]} - reached
    return reached


# -- groups -----------------------------------------------------------------------------------------------------------


def test_discardable_group_is_the_documented_list_plus_inferred() -> None:
    found = statuses_in(StatusGroup.DISCARDABLE)
    assert len(found) == len(set(found))
    assert set(found) >= DISCARDABLE
    assert set(found) - DISCARDABLE == DISCARDABLE_INFERRED


def test_each_status_is_in_exactly_one_of_final_and_non_final() -> None:
    final, non_final = set(statuses_in(StatusGroup.FINAL)), set(statuses_in(StatusGroup.NON_FINAL))
    assert final == FINAL | FINAL_INFERRED
    assert non_final == set(RunStatus) - final


def test_discardable_run_is_not_final() -> None:
    assert not set(statuses_in(StatusGroup.DISCARDABLE)) & set(statuses_in(StatusGroup.FINAL))


@rows("status", RunStatus)
def test_group_of_a_status_follows_its_finality(status: RunStatus) -> None:
    assert group_of(status) is (StatusGroup.FINAL if status in FINAL | FINAL_INFERRED else StatusGroup.NON_FINAL)


# -- a status that the tables do not know -----------------------------------------------------------------------------


@rows("status", UNKNOWN)
@rows("action", RunAction)
def test_unknown_status_raises_nothing_and_claims_nothing(status: str, action: RunAction) -> None:
    assert rule_of(status) is None
    assert is_final(status) is False
    assert group_of(status) is None
    for asked in (NEVER_ASKED, ASKED, COOLED_OFF):
        assert allowed_actions(status, **asked) == frozenset()
    assert not has_taken_effect(action, status, [])
    assert "does not know this status" in what_follows(status, [])


@rows("status", UNKNOWN)
def test_run_in_an_unknown_status_is_judged_by_its_actions(status: str) -> None:
    assert what_follows(status, [A.APPLY, A.DISCARD]) == "Waits for a person to apply or discard it."
    assert "does not know this status" in what_follows(status, [A.DISCARD])


# -- what follows -----------------------------------------------------------------------------------------------------


@rows(
    ("status", "allowed", "is_auto_apply", "words"),
    [
        ("pending", [A.CANCEL], False, "queue"),
        ("planning", [A.CANCEL], False, "is planning"),
        ("planning", [A.CANCEL], True, "is planning"),
        ("planned", [A.APPLY, A.DISCARD], False, "Waits for a person to apply or discard it"),
        ("planned", [A.APPLY, A.DISCARD], True, "applied without confirmation"),
        ("planned", [], False, "next stage follows"),
        ("policy_checked", [A.APPLY, A.DISCARD], False, "Waits for a person"),
        ("policy_override", [A.DISCARD], False, "override"),
        ("policy_override", [A.DISCARD], True, "override"),
        ("planned_and_saved", [A.APPLY, A.DISCARD], False, "Waits for a person to apply or discard it"),
        # run modes, "Saved Plans": never auto-applied
        ("planned_and_saved", [A.APPLY, A.DISCARD], True, "Waits for a person to apply or discard it"),
        ("planned_and_saved", [A.DISCARD], True, "saved plan is kept"),
        ("applying", [A.CANCEL], False, "is applying"),
        ("applying", [A.FORCE_CANCEL], False, "force-cancel is possible now"),
        ("applied", [], False, "Final: the plan was applied"),
        ("planned_and_finished", [], True, "Final: planned"),
        ("canceled", [], False, "Final: canceled"),
        ("errored", [], False, "Final: failed"),
    ],
)
def test_next_step_depends_on_allowed_actions_before_the_status(
    status: str, allowed: list[RunAction], is_auto_apply: bool, words: str
) -> None:
    assert words in what_follows(status, allowed, is_auto_apply=is_auto_apply)


@rows("status", RunStatus)
@rows("is_auto_apply", [False, True])
def test_next_step_never_suggests_an_impossible_apply(status: RunStatus, is_auto_apply: bool) -> None:
    allowed = allowed_actions(status) - {A.APPLY}
    assert what_follows(status, allowed, is_auto_apply=is_auto_apply) == RULES[status].follows


# -- after an answer was lost -----------------------------------------------------------------------------------------

_APPLIED_OR_ON_ITS_WAY = {
    S.CONFIRMED,
    S.PRE_APPLY_RUNNING,
    S.PRE_APPLY_COMPLETED,
    S.QUEUING_APPLY,
    S.APPLY_QUEUED,
    S.APPLYING,
    S.POST_APPLY_RUNNING,
    S.POST_APPLY_COMPLETED,
    S.APPLIED,
}
_CANCELED = {S.CANCELED, S.FORCE_CANCELED}
SHOWN_BY = {
    A.APPLY: _APPLIED_OR_ON_ITS_WAY,
    A.DISCARD: {S.DISCARDED},
    A.CANCEL: _CANCELED,
    A.FORCE_CANCEL: _CANCELED,
    # it has left the queue, and not by being put out of it
    A.FORCE_EXECUTE: set(RunStatus) - {S.PENDING, S.DISCARDED} - _CANCELED,
}


@rows(("status", "action"), EVERY_STATUS_AND_ACTION)
def test_action_has_taken_effect_if_the_status_shows_it(status: RunStatus, action: RunAction) -> None:
    assert has_taken_effect(action, status.value, []) == (status in SHOWN_BY[action])


@rows(
    ("action", "status", "timestamps", "has"),
    [
        (A.APPLY, "errored", ["planned-at", "confirmed-at", "errored-at"], True),
        (A.APPLY, "errored", ["planned-at", "errored-at"], False),
        (A.APPLY, "canceled", ["confirmed-at"], True),
        (A.APPLY, "planned", ["planned-at", "canceled-at"], False),
        (A.APPLY, "brand_new_status", ["confirmed-at"], True),
        (A.DISCARD, "brand_new_status", ["discarded-at"], True),
        (A.DISCARD, "planned", ["planned-at"], False),
        (A.CANCEL, "applying", ["applying-at", "canceled-at"], True),
        (A.CANCEL, "applying", ["applying-at"], False),
        (A.CANCEL, "errored", ["canceled-at", "errored-at"], True),
        (A.FORCE_CANCEL, "applying", ["applying-at", "canceled-at"], False),
        (A.FORCE_CANCEL, "applying", ["canceled-at", "force-canceled-at"], True),
        (A.FORCE_EXECUTE, "pending", ["plan-queueable-at"], False),
        (A.FORCE_EXECUTE, "errored", ["plan-queued-at", "errored-at"], True),
    ],
)
def test_timestamp_shows_an_accepted_action_in_later_statuses(
    action: RunAction, status: str, timestamps: list[str], has: bool
) -> None:
    assert has_taken_effect(action, status, timestamps) is has


@rows(("status", "action"), EVERY_STATUS_AND_ACTION)
def test_action_still_possible_has_not_taken_effect(status: RunStatus, action: RunAction) -> None:
    if action in allowed_actions(status, **COOLED_OFF) | allowed_actions(status):
        assert not has_taken_effect(action, status, [])


# -- the OpenAPI document ---------------------------------------------------------------------------------------------


@rows(("resource", "words"), [("runs", RunStatus), ("plans", PhaseStatus), ("applies", PhaseStatus)])
def test_every_openapi_status_is_in_the_vocabulary(resource: str, words: type[RunStatus] | type[PhaseStatus]) -> None:
    path = os.environ.get("HCP_OPENAPI")
    if not path:
        pytest.skip("HCP_OPENAPI does not name a copy of HCP Terraform's OpenAPI document")
    document: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    attributes = document["components"]["schemas"][resource]["properties"]["attributes"]
    statuses = set(attributes["properties"]["status"]["enum"])
    assert statuses, "the document lists no status"
    assert statuses - {word.value for word in words} == set()
