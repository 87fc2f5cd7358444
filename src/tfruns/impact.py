"""The impact of a call that changes something: the data on which the decision about consent is based."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tfruns.errors import Fact
from tfruns.jsonapi import JSON


class ImpactKind(StrEnum):
    """The effects of a call, on which the required confirmation depends."""

    UNSEEN_APPLY = "applies a plan that nobody has seen"
    DESTRUCTIVE_APPLY = "applies a plan that destroys or replaces something, or that cannot be read"
    ACTION_APPLY = "applies a plan that invokes actions, now or in a later run"
    APPLY = "applies any other plan"
    OVERRIDE = "overrides failed policies"
    KILL_APPLY = "kills a running apply"
    KILL = "kills a run that is not applying"
    DISPLACE = "moves a run ahead of the others in its workspace"
    DESTROY_PLAN = "plans to destroy all resources, and waits"
    INTERRUPT_APPLY = "interrupts a running apply"
    DISCARD_PLAN = "discards a plan that awaits a decision"
    FORCE_UNLOCK = "removes the lock of another user or run"
    AUTO_APPLY = "lets later runs of the workspace apply without confirmation"
    CHANGE_WORKSPACE = "changes the settings or variables that later runs use"
    DELETE_WORKSPACE = "deletes a workspace"
    ROLL_BACK_STATE = "replaces the current state with an earlier one"


@dataclass(frozen=True, slots=True)
class Impact:
    """The impact of a call, as far as it is known before anything is sent.

    Attributes:
        kinds: the effects; empty if no confirmation is required.
        question: one sentence that asks for confirmation.
        at_stake: the facts that a person should know, one line each.
        state: the state on which the impact depends; a confirmation is valid only while it is unchanged.
        fingerprint: the fingerprint of the plan that would be applied, if the plan can be read.
        instead: an alternative with less impact, for clients that cannot ask a person.
        facts: additional fields of a refusal, for programs.
    """

    kinds: frozenset[ImpactKind] = frozenset()
    question: str = ""
    at_stake: tuple[str, ...] = ()
    state: JSON = None
    fingerprint: str | None = None
    instead: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


NO_IMPACT = Impact()
