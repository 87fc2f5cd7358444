"""The consent stage: reads the impact of a call, decides with `consent.decide`, and asks the person if necessary.

The stage only reads. It can run twice for one call, because clients with the newest revision of the protocol repeat the
call with the answer.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from anyio import to_thread
from pydantic import BaseModel

from tfruns.client.client import Client
from tfruns.errors import ConfirmationNeeded, Declined, Fact, PlanDiffers, RefusedByMode, TfrunsError
from tfruns.gate.codes import LIFETIME_S, ConfirmationCodes
from tfruns.gate.consent import (
    Allow,
    Ask,
    Consent,
    Evidence,
    Reach,
    Refusal,
    decide,
    decide_unanswered,
    depends_on_impact,
    forbidden_effects,
)
from tfruns.gate.person import Answer, Person, Question
from tfruns.impact import NO_IMPACT, Impact
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import safe_text
from tfruns.next_actions import REVIEW_RUN, NextAction
from tfruns.policy import Confirm, Policy
from tfruns.tool import Proof, Tool


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call that may need consent.

    Attributes:
        tool: the tool.
        values: the arguments that will be sent.
        caller: the name of the calling program; empty for the command line.
        proofs: the proofs of confirmation that the call contains.
    """

    tool: Tool
    values: Mapping[str, Any]
    caller: str = ""
    proofs: Mapping[Proof, str] = field(default_factory=dict)

    async def impact(self, client: Client) -> Impact:
        """Read the current impact of the call."""
        return await self.tool.impact(client, self.values) if self.tool.impact else NO_IMPACT

    def subject(self, impact: Impact) -> JSON:
        """The subject of a consent: the call with all its arguments, and the state that was shown."""
        arguments = {
            name: value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
            for name, value in self.values.items()
        }
        return [self.tool.name, arguments, sorted(impact.kinds), impact.state]

    def unanswered(self, impact: Impact) -> JSON:
        """The subject of a code that shows that the client closed the question about the call without an answer."""
        return ["unanswered", self.subject(impact)]

    def question(self, impact: Impact) -> Question:
        """The question for a person: the caller, the call, and what is at stake."""
        asks = f"{self.caller} asks: " if self.caller else ""
        text = "\n".join((f"{asks}{impact.question}", *impact.at_stake))
        return Question(safe_text(text), self.subject(impact), impact)


async def require_consent(
    call: PendingCall, policy: Policy, person: Person, codes: ConfirmationCodes, client: Client
) -> Consent:
    """Obtain consent for a call, and return its kind.

    Raises:
        RefusedByMode: the mode forbids the effect, or a person is required and cannot be asked.
        ConfirmationNeeded: the call is not confirmed. If a code can confirm it, the error contains one.
        Declined: the person declined.
        PlanDiffers: the fingerprint is that of another plan.
        TfrunsError: the impact cannot be read.
    """
    if not call.tool.requires_confirmation:
        return Consent.NONE
    if not depends_on_impact(policy, has_fingerprint=Proof.FINGERPRINT in call.proofs):
        return Consent.NONE
    impact = await call.impact(client)
    evidence = _evidence(call, impact, person, codes)
    decision = decide(evidence, impact, policy)
    if isinstance(decision, Ask):
        answer = await _ask(call, impact, person, client)
        if answer is Answer.YES:
            return Consent.PERSON
        evidence = replace(evidence, reach=Reach.UNANSWERED)
        decision = decide_unanswered(evidence, impact, policy, is_unread=answer is Answer.UNREAD)
    if isinstance(decision, Allow):
        if decision.consent is Consent.CODE:
            _redeem(call, impact, codes)
        return decision.consent
    raise _refusal(_Refused(decision.reason, call, policy, impact, evidence.reach is Reach.UNANSWERED), codes)


def _evidence(call: PendingCall, impact: Impact, person: Person, codes: ConfirmationCodes) -> Evidence:
    is_plans, is_valid = None, None
    reach = Reach.CAN_ASK if person.can_be_asked else Reach.CANNOT_ASK
    if (fingerprint := call.proofs.get(Proof.FINGERPRINT)) is not None:
        given, actual = fingerprint.strip().encode(), (impact.fingerprint or "").encode()
        is_plans = impact.fingerprint is not None and hmac.compare_digest(given, actual)
    if (code := call.proofs.get(Proof.CODE)) is not None:
        is_unanswered = codes.is_valid(code, call.unanswered(impact))
        is_valid = is_unanswered or codes.is_valid(code, call.subject(impact))
        reach = Reach.UNANSWERED if is_unanswered else reach
    return Evidence(reach, is_plans, is_valid)


def _redeem(call: PendingCall, impact: Impact, codes: ConfirmationCodes) -> None:
    code = call.proofs[Proof.CODE]
    if not codes.redeem(code, call.subject(impact)):
        codes.redeem(code, call.unanswered(impact))


async def _ask(call: PendingCall, impact: Impact, person: Person, client: Client) -> Answer:
    """Ask. The answer is never no.

    Raises:
        Declined: the person declined.
        ConfirmationNeeded: the impact changed before the person confirmed.
    """
    answer = await person.ask(await to_thread.run_sync(call.question, impact))  # sanitizing a long text takes time
    if answer in {Answer.NO, Answer.DECLINED_UNREAD}:
        raise _declined(is_unread=answer is Answer.DECLINED_UNREAD)
    if answer is not Answer.YES:
        return answer
    now = await call.impact(client)  # it may have changed since the question was shown
    if now.kinds and call.subject(now) != call.subject(impact):
        raise ConfirmationNeeded(
            "The run or its workspace changed before the person answered. Nothing was sent.",
            cause="Another user acted on the run or its workspace, or the run continued.",
            solution="Call again with the same arguments: the person is asked about the current state.",
            facts=_shown(now),
        )
    return answer


def _declined(*, is_unread: bool) -> Declined:
    message = "Not confirmed. Nothing was sent."
    if not is_unread:
        return Declined(message)
    return Declined(
        message,
        cause="The client declined before a person could read the question. It may have no terminal, and decline all "
        "questions.",
        solution="Do not call again unless a person asks for it. For sessions without a person, start the server with "
        "--confirm review: the fingerprint of a review is then accepted without a question.",
    )


# -- refusals ---------------------------------------------------------------------------------------------------------

_CLOSED = "the client closed the question without an answer; it may have no terminal"


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refused call.

    Attributes:
        reason: why it is refused.
        call: the call.
        policy: the policy of the server.
        impact: the impact of the call.
        is_unanswered: the client closed the question without an answer.
    """

    reason: Refusal
    call: PendingCall
    policy: Policy
    impact: Impact
    is_unanswered: bool

    @property
    def title(self) -> str:
        return f'"{self.call.tool.title}"'


def _refusal(refused: _Refused, codes: ConfirmationCodes) -> TfrunsError:
    match refused.reason:
        case Refusal.MODE:
            return _forbidden_by_mode(refused)
        case Refusal.PLAN_DIFFERS:
            return _plan_differs(refused)
        case Refusal.NEEDS_PERSON:
            return _needs_person(refused)
        case Refusal.NEEDS_REVIEW:
            return _needs_review(refused)
        case Refusal.NEEDS_CODE:
            return _needs_code(refused, codes)


def _forbidden_by_mode(refused: _Refused) -> RefusedByMode:
    effects = " and ".join(forbidden_effects(refused.impact, refused.policy.mode))
    return RefusedByMode(
        f"{refused.title} is forbidden in the mode of this server: it {effects}.", facts=refused.impact.facts
    )


def _plan_differs(refused: _Refused) -> PlanDiffers:
    if refused.impact.fingerprint is None:
        return PlanDiffers("The fingerprint cannot be verified: the plan cannot be read completely. Nothing was sent.")
    return PlanDiffers(
        "The fingerprint does not match the current plan of this run. Nothing was sent.",
        next_actions=_review(refused.call),
    )


def _needs_review(refused: _Refused) -> ConfirmationNeeded:
    return ConfirmationNeeded(
        _unconfirmed(refused),
        cause="The server was started with --confirm review, which requires a review before every apply.",
        solution="Show the plan to the person. Only if they agree, call again with its fingerprint.",
        facts=_shown(refused.impact),
        next_actions=_review(refused.call),
    )


def _needs_code(refused: _Refused, codes: ConfirmationCodes) -> ConfirmationNeeded:
    call, impact = refused.call, refused.impact
    by_review = ", or with the fingerprint of a review" if Proof.FINGERPRINT in call.tool.proofs else ""
    code = codes.issue(call.unanswered(impact) if refused.is_unanswered else call.subject(impact))
    return ConfirmationNeeded(
        _unconfirmed(refused),
        cause="A client without a terminal closes every question. Or a person dismissed it."
        if refused.is_unanswered
        else None,
        solution="Show the person what is at stake. Only if they agree, call again with the same arguments and this "
        f"confirmation{by_review}.",
        facts=_shown(impact) | {"confirmation": code, "confirmation_expires_in_s": int(LIFETIME_S)},
        next_actions=_review(call) if by_review else (),
    )


def _unconfirmed(refused: _Refused) -> str:
    if refused.is_unanswered:
        return f"{refused.title} is not confirmed: {_CLOSED}. Nothing was sent."
    is_wrong = bool(refused.call.proofs.get(Proof.CODE))
    given = "The confirmation code is wrong, used or expired, or is for another call. " if is_wrong else ""
    return f"{given}{refused.title} needs confirmation. Nothing was sent."


def _needs_person(refused: _Refused) -> TfrunsError:
    if refused.policy.confirm is Confirm.ALWAYS:
        why = _CLOSED if refused.is_unanswered else "this client cannot ask"
        return RefusedByMode(
            f"{refused.title} needs the confirmation of a person, and {why}. Nothing was sent.",
            cause="The server was started with --confirm always.",
            solution="Let a person do it in the browser, or restart the server with --confirm review or auto.",
        )
    why = _CLOSED[0].upper() + _CLOSED[1:] if refused.is_unanswered else "This client cannot ask a person"
    return ConfirmationNeeded(
        f"{refused.title} needs a person: it would apply a plan that nobody has seen. Nothing was sent.",
        cause=f"{why}. A code is not sufficient for an unseen plan.",
        solution=refused.impact.instead,
        facts=_shown(refused.impact),
    )


def _review(call: PendingCall) -> tuple[NextAction, ...]:
    return (NextAction.for_run(REVIEW_RUN, str(call.values["run_id"]), "shows the current plan"),)


def _shown(impact: Impact) -> dict[str, Fact]:
    return {"question": impact.question, "at_stake": list(impact.at_stake)}
