"""How far a run has come towards its apply, and whether it may have changed anything.

Derived from the tables of `lifecycle`, and from the timestamps of the statuses that a run has passed.
"""

from collections.abc import Collection, Mapping
from enum import Enum

from tfruns.lifecycle import RULES, ending_of, is_confirmed, is_force_canceled, rule_of, timestamp_key
from tfruns.vocabulary import RunAction, RunEnding, RunPhase, RunStatus


class ApplyStage(Enum):
    """How far a run in a status is from its apply."""

    TO_COME = "the apply becomes possible without a decision"
    DECISION = "another decision is required first"
    CONFIRMED = "the apply is confirmed"
    NEVER = "the run is final, or is never applied"


def apply_stage_of(status: str) -> ApplyStage | None:
    """How far a run in this status is from its apply; None for an unknown status."""
    rule = rule_of(status)
    if rule is None:
        return None
    if rule.is_final or rule.phase is RunPhase.ASSESSMENT:
        return ApplyStage.NEVER
    if is_confirmed(status):
        return ApplyStage.CONFIRMED
    is_other_decision = rule.is_decision and RunAction.APPLY not in rule.actions
    return ApplyStage.DECISION if is_other_decision else ApplyStage.TO_COME


_BEFORE_APPLY = {
    timestamp_key(status)
    for status, rule in RULES.items()
    if rule.phase in {RunPhase.PRE_APPLY, RunPhase.APPLY} and status is not RunStatus.APPLYING
}


def has_apply_started(status: str, timestamps: Collection[str]) -> bool | None:
    """Whether the apply of a run has started, from its status and timestamps; None if unknown.

    Args:
        status: the run's status.
        timestamps: the keys of its status timestamps.
    """
    rule = rule_of(status)
    if {"applying-at", "applied-at"} & set(timestamps) or status in {RunStatus.APPLIED, RunStatus.APPLYING}:
        return True
    if rule is None:
        return None
    if rule.phase is RunPhase.POST_APPLY:
        return True
    if rule.ending in {RunEnding.FAILED, RunEnding.ABORTED} and (not timestamps or _BEFORE_APPLY & set(timestamps)):
        return None
    return False


def effect_of(status: str, timestamps: Collection[str]) -> str:
    """One sentence on whether a failed or aborted run may have changed anything; empty for any other run."""
    is_ended = ending_of(status) in {RunEnding.FAILED, RunEnding.ABORTED}
    if not is_ended or status in {RunStatus.DISCARDED, RunStatus.POLICY_SOFT_FAILED}:
        return ""
    begun = has_apply_started(status, timestamps)
    if begun is None:
        return "It is unknown whether anything was applied."
    if not begun:
        return "Nothing was applied."
    if is_force_canceled(status, timestamps):
        return "The apply may have made part of its changes, and the state may lack some of them."
    return "The apply may have made part of its changes. Plan again to see which remain."


# The last of these statuses that a run has passed shows where it was interrupted.
_PROGRESS: Mapping[str, str] = {
    timestamp_key(status): words
    for status, words in (
        (RunStatus.APPLYING, "while it was applying"),
        (RunStatus.CONFIRMED, "after it was confirmed, before the start of its apply was recorded"),
        (RunStatus.PLANNED_AND_SAVED, "while its saved plan was kept"),
        (RunStatus.POLICY_CHECKED, "after its plan, before it was confirmed"),
        (RunStatus.COST_ESTIMATED, "after its plan, before it was confirmed"),
        (RunStatus.PLANNED, "after its plan, before it was confirmed"),
        (RunStatus.PLANNING, "while it was planning"),
        (RunStatus.PLAN_QUEUED, "before its plan started"),
    )
}


def interrupted_at(timestamps: Collection[str]) -> str:
    """Where a run was canceled or discarded, as part of a sentence, from the keys of its status timestamps."""
    progress = next((words for key, words in _PROGRESS.items() if key in timestamps), None)
    if progress is not None:
        return progress
    return "while it waited in the queue" if timestamps else "at a stage that is not recorded"
