"""What a call that changes something would do: the data on which consent is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tfruns.errors import Fact
from tfruns.jsonapi import JSON


class ImpactKind(StrEnum):
    """The effects of a call that decide who has to confirm it."""

    UNSEEN_APPLY = "applies a plan that nobody has seen"
    DESTRUCTIVE_APPLY = "applies a plan that destroys or replaces something, or that cannot be read"
    ACTION_APPLY = "applies a plan that invokes actions, now or in a later run"
    APPLY = "applies any other plan"
    OVERRIDE = "overrides failed policies"
    KILL_APPLY = "kills a running apply"
    KILL = "kills a run that is not applying"
    DISPLACE = "puts a run before the others of its workspace"
    DESTROY_PLAN = "plans to destroy all resources, and waits"
    INTERRUPT_APPLY = "interrupts a running apply"
    DISCARD_PLAN = "discards a plan that waits for a decision"


@dataclass(frozen=True, slots=True)
class Impact:
    """What a call would do now, as far as it is known before anything is sent.

    Attributes:
        kinds: the effects; empty if nobody has to confirm the call.
        question: one sentence that asks for confirmation.
        at_stake: the facts that a person should know, one line each.
        state: the state that the impact depends on; a confirmation is valid only while it is unchanged.
        fingerprint: of the plan that would be applied, if the plan can be read.
        instead: how to reach the same goal with less, where no person can be asked.
        facts: further fields of a refusal, for programs.
    """

    kinds: frozenset[ImpactKind] = frozenset()
    question: str = ""
    at_stake: tuple[str, ...] = ()
    state: JSON = None
    fingerprint: str | None = None
    instead: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


NO_IMPACT = Impact()
