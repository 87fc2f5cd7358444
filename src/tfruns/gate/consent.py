"""The decision whether a call may be sent: a pure function of the evidence, the impact and the policy.

Each kind of impact has one row in `REQUIREMENTS`, with the requirement for each value of --confirm. A call with several
kinds of impact has the strictest of their requirements. `decide` compares it with the proofs in the call, and with
whether a person can be asked. If the client closes the question without an answer, `decide_unanswered` decides again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from tfruns.impact import Impact, ImpactKind
from tfruns.policy import Confirm, Mode, Policy


class Requirement(IntEnum):
    """The proof that a call needs, weakest first. A stronger proof also satisfies a weaker requirement."""

    NOTHING = 0
    CLIENT_APPROVAL = 1  # approval of a destructive tool by the client; with `auto`, a person if one can be asked
    CODE = 2  # the code of a refusal, the fingerprint of a review, or a person
    REVIEW = 3  # the fingerprint of a review, or a person
    PERSON = 4
    PAGE = 5  # a person, on the web page of the call


_NOTHING, _CLIENT, _CODE, _REVIEW, _PERSON, _PAGE = Requirement


def _row(auto: Requirement, review: Requirement) -> Mapping[Confirm, Requirement]:
    return {
        Confirm.AUTO: auto,
        Confirm.REVIEW: review,
        Confirm.ALWAYS: _PERSON,
        Confirm.PAGE: _PAGE,
        Confirm.NEVER: _NOTHING,
    }


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
    ImpactKind.FORCE_UNLOCK: _row(_CODE, _CODE),
    ImpactKind.AUTO_APPLY: _row(_CODE, _CODE),
    ImpactKind.CHANGE_WORKSPACE: _row(_CLIENT, _CODE),
    ImpactKind.DELETE_WORKSPACE: _row(_CODE, _CODE),
    ImpactKind.ROLL_BACK_STATE: _row(_CODE, _CODE),
    # Stopping a run requires nothing, unless every change has to be confirmed.
    ImpactKind.INTERRUPT_APPLY: _row(_NOTHING, _NOTHING),
    ImpactKind.DISCARD_PLAN: _row(_NOTHING, _NOTHING),
}

FORBIDDEN_IN_PLAN_MODE = frozenset(
    {ImpactKind.UNSEEN_APPLY, ImpactKind.INTERRUPT_APPLY, ImpactKind.KILL_APPLY, ImpactKind.FORCE_UNLOCK}
)
"""Mode `plan` neither leads to an apply nor interferes with one, and respects the locks of others."""


class Consent(StrEnum):
    """The kind of consent for a call."""

    PAGE = "page"  # by a person with a session, on the web page of the call or of the run
    PERSON = "person"
    FINGERPRINT = "fingerprint"
    CODE = "code"
    CLIENT = "client_approval"
    NONE = "none"


class Refusal(StrEnum):
    """Why a call is refused."""

    MODE = "the mode of the server forbids the effect"
    PLAN_DIFFERS = "the fingerprint is that of another plan"
    NEEDS_CODE = "a code, a fingerprint or a person is needed"
    NEEDS_REVIEW = "a fingerprint or a person is needed"
    NEEDS_PERSON = "a person is needed, and cannot be asked"
    NEEDS_PAGE = "a person is needed, who decides on the page"
    DECLINED = "a person has declined on the page"


class Reach(StrEnum):
    """Whether the client can ask a person."""

    CAN_ASK = "can ask"
    CANNOT_ASK = "cannot ask"
    UNANSWERED = "closed the question without an answer"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of consent for a call.

    Attributes:
        reach: whether a person can be asked.
        fingerprint: whether the given fingerprint is that of the plan; None if none was given.
        code: whether the given code is valid for this call; None if none was given.
        page: whether a person confirmed this call on its page; None if nobody has decided there.
    """

    reach: Reach = Reach.CANNOT_ASK
    fingerprint: bool | None = None
    code: bool | None = None
    page: bool | None = None


@dataclass(frozen=True, slots=True)
class Allow:
    """The call may be sent."""

    consent: Consent


@dataclass(frozen=True, slots=True)
class Ask:
    """A person has to confirm the call first."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call must not be sent."""

    reason: Refusal


def depends_on_impact(policy: Policy, *, has_fingerprint: bool) -> bool:
    """Whether the decision depends on the impact of the call, which otherwise is not read.

    Args:
        policy: the policy of the server.
        has_fingerprint: a fingerprint was given, which has to be compared with the plan.
    """
    return has_fingerprint or policy.confirm is not Confirm.NEVER or not policy.mode.includes(Mode.APPLY)


def decide(evidence: Evidence, impact: Impact, policy: Policy) -> Allow | Ask | Refuse:
    """Decide whether a call may be sent."""
    if forbidden_effects(impact, policy.mode):
        return Refuse(Refusal.MODE)
    if not impact.kinds:
        return Allow(Consent.NONE)
    if evidence.fingerprint is False:
        return Refuse(Refusal.PLAN_DIFFERS)
    if evidence.page is not None:
        return Allow(Consent.PAGE) if evidence.page else Refuse(Refusal.DECLINED)
    return _decide_by_proof(requirement(policy.confirm, impact.kinds), evidence, policy.confirm)


def _decide_by_proof(needed: Requirement, evidence: Evidence, confirm: Confirm) -> Allow | Ask | Refuse:
    if needed is _NOTHING:
        return Allow(Consent.FINGERPRINT if evidence.fingerprint else Consent.NONE)
    can_ask = evidence.reach is Reach.CAN_ASK
    if can_ask and (needed >= _PERSON or confirm is Confirm.AUTO or _proven(needed, evidence) is None):
        return Ask()
    return _decide_without_person(needed, evidence)


def decide_unanswered(evidence: Evidence, impact: Impact, policy: Policy, *, is_unread: bool) -> Allow | Refuse:
    """Decide again after the client closed the question without an answer.

    Args:
        evidence: the evidence before the question.
        impact: the impact of the call.
        policy: the policy of the server.
        is_unread: no person can have read the question. Otherwise a person may have dismissed it, and nothing that the
            call contained before the question counts.
    """
    reach = Reach.UNANSWERED
    evidence = replace(evidence, reach=reach) if is_unread else Evidence(reach)
    return _decide_without_person(requirement(policy.confirm, impact.kinds), evidence)


def _decide_without_person(needed: Requirement, evidence: Evidence) -> Allow | Refuse:
    consent = _proven(needed, evidence)
    if consent is None and needed is _CLIENT and evidence.reach is Reach.CANNOT_ASK:
        consent = Consent.CLIENT
    return Allow(consent) if consent else Refuse(_REFUSALS[needed])


def requirement(confirm: Confirm, kinds: Collection[ImpactKind]) -> Requirement:
    """The requirement for a call with these kinds of impact."""
    return max((REQUIREMENTS[kind][confirm] for kind in kinds), default=_NOTHING)


def forbidden_effects(impact: Impact, mode: Mode) -> list[ImpactKind]:
    """The kinds of impact that a mode below `apply` forbids, such as releasing a run with auto-apply."""
    return (
        [] if mode.includes(Mode.APPLY) else [kind for kind in sorted(impact.kinds) if kind in FORBIDDEN_IN_PLAN_MODE]
    )


def _proven(needed: Requirement, evidence: Evidence) -> Consent | None:
    if needed >= _PERSON:
        return None
    if evidence.fingerprint:
        return Consent.FINGERPRINT
    return Consent.CODE if evidence.code and needed <= _CODE else None


_REFUSALS = {
    _CLIENT: Refusal.NEEDS_CODE,
    _CODE: Refusal.NEEDS_CODE,
    _REVIEW: Refusal.NEEDS_REVIEW,
    _PERSON: Refusal.NEEDS_PERSON,
    _PAGE: Refusal.NEEDS_PAGE,
}
