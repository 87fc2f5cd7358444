"""Who has to agree to a call: a pure decision.

Every call that changes something has an `Impact`: what it would do, as far as that is known before it is sent. Each
kind of impact has one row in `REQUIREMENTS`, which says for each value of --confirm what is needed. A call with several
kinds of impact needs the strictest. `decide` compares this with what the caller gave, and with whether a person can be
asked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from tfruns.errors import Fact
from tfruns.jsonapi import JSON
from tfruns.tools.policy import Confirm


class ImpactKind(StrEnum):
    """What a call would do, as far as it matters for who has to agree."""

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


class Requirement(IntEnum):
    """What has to be given, from least to most. What is stricter always serves, too."""

    NOTHING = 0
    CLIENT_APPROVAL = 1  # the client's own approval of a destructive tool; with `auto` a person where one can be asked
    CODE = 2  # the code of a refusal, the fingerprint of a review, or a person
    REVIEW = 3  # the fingerprint of a review, or a person
    PERSON = 4


_NOTHING, _CLIENT, _CODE, _REVIEW, _PERSON = Requirement


def _row(auto: Requirement, review: Requirement) -> Mapping[Confirm, Requirement]:
    return {Confirm.AUTO: auto, Confirm.REVIEW: review, Confirm.ALWAYS: _PERSON, Confirm.NEVER: _NOTHING}


REQUIREMENTS: Mapping[ImpactKind, Mapping[Confirm, Requirement]] = {
    ImpactKind.UNSEEN_APPLY: _row(_PERSON, _PERSON),
    ImpactKind.DESTRUCTIVE_APPLY: _row(_CODE, _REVIEW),
    ImpactKind.ACTION_APPLY: _row(_CODE, _REVIEW),
    ImpactKind.APPLY: _row(_CLIENT, _REVIEW),
    ImpactKind.OVERRIDE: _row(_CODE, _CODE),
    ImpactKind.KILL_APPLY: _row(_CODE, _CODE),
    ImpactKind.KILL: _row(_CLIENT, _CODE),
    ImpactKind.DISPLACE: _row(_CLIENT, _CODE),
    ImpactKind.DESTROY_PLAN: _row(_CLIENT, _CODE),
    # To stop something is never made harder than to let it go on, unless everything is to be asked about.
    ImpactKind.INTERRUPT_APPLY: _row(_NOTHING, _NOTHING),
    ImpactKind.DISCARD_PLAN: _row(_NOTHING, _NOTHING),
}

FORBIDDEN_IN_PLAN_MODE = frozenset({ImpactKind.UNSEEN_APPLY, ImpactKind.INTERRUPT_APPLY, ImpactKind.KILL_APPLY})
"""What mode `plan` never does: lead to an apply, or interfere with one."""


@dataclass(frozen=True, slots=True)
class Impact:
    """What a call would do now, as far as it is known.

    Attributes:
        kinds: what decides about consent; empty if nobody has to agree.
        question: one sentence that asks for it.
        at_stake: what a person should know, a line each.
        state: what all of this rests on; consent holds only as long as it is the same.
        fingerprint: of the plan that would be applied, where it can be read.
        instead: how to reach the same with less, where no person can be asked.
        facts: what a refusal says besides, for programs.
    """

    kinds: frozenset[ImpactKind] = frozenset()
    question: str = ""
    at_stake: tuple[str, ...] = ()
    state: JSON = None
    fingerprint: str | None = None
    instead: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


NO_IMPACT = Impact()


class Consent(StrEnum):
    """Who agreed to a call, and how."""

    PERSON = "person"
    FINGERPRINT = "fingerprint"
    CODE = "code"
    CLIENT = "client_approval"
    NONE = "none"


class Refusal(StrEnum):
    """Why a call is refused."""

    PLAN_DIFFERS = "the fingerprint is not the plan's"
    NEEDS_CODE = "a code, a fingerprint or a person is needed"
    NEEDS_REVIEW = "a fingerprint or a person is needed"
    NEEDS_PERSON = "a person is needed, and none can be asked"


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a call: whether each is right for it as things stand now; None if it was not given."""

    fingerprint: bool | None = None
    code: bool | None = None


@dataclass(frozen=True, slots=True)
class Allow:
    """The call may be sent."""

    consent: Consent


@dataclass(frozen=True, slots=True)
class Ask:
    """A person has to be asked first."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call must not be sent."""

    reason: Refusal


def requirement(confirm: Confirm, kinds: Collection[ImpactKind]) -> Requirement:
    """What is needed for a call that does all of this."""
    return max((REQUIREMENTS[kind][confirm] for kind in kinds), default=_NOTHING)


def decide(confirm: Confirm, kinds: Collection[ImpactKind], *, can_ask: bool, given: Given) -> Allow | Ask | Refuse:
    """Whether a call may be sent.

    Args:
        confirm: what the server was started with.
        kinds: what the call would do.
        can_ask: whether a person can be asked.
        given: what the caller gave.
    """
    if given.fingerprint is False:
        return Refuse(Refusal.PLAN_DIFFERS)
    needed = requirement(confirm, kinds)
    if needed is _NOTHING:
        return Allow(Consent.FINGERPRINT if given.fingerprint else Consent.NONE)
    is_person_first = needed is _PERSON or (confirm is Confirm.AUTO and can_ask)
    consent = None if is_person_first else _given_consent(needed, given)
    if consent is not None:
        return Allow(consent)
    if can_ask:
        return Ask()
    return Allow(Consent.CLIENT) if needed is _CLIENT else Refuse(_REFUSALS[needed])


def _given_consent(needed: Requirement, given: Given) -> Consent | None:
    if given.fingerprint:
        return Consent.FINGERPRINT
    return Consent.CODE if given.code and needed <= _CODE else None


_REFUSALS = {_CODE: Refusal.NEEDS_CODE, _REVIEW: Refusal.NEEDS_REVIEW, _PERSON: Refusal.NEEDS_PERSON}
