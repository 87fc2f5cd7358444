"""The consent stage: reads the impact of a call, decides with `consent.decide`, and asks the person if necessary.

The stage only reads. It can run twice for one call, because clients with the newest revision of the protocol repeat the
call with the answer.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread
from pydantic import BaseModel

from tfruns.client.client import Client
from tfruns.errors import ConfirmationNeeded, Declined, Fact, PlanDiffers, RefusedByMode, TfrunsError
from tfruns.gate.codes import LIFETIME_S, ConfirmationCodes
from tfruns.gate.consent import Allow, Ask, Consent, Evidence, Refusal, Refuse, decide, decide_unread, forbidden_effects
from tfruns.gate.person import Answer, Person, Question
from tfruns.impact import NO_IMPACT, Impact
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import safe_text
from tfruns.next_actions import REVIEW_RUN, NextAction
from tfruns.policy import Confirm, Mode, Policy
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

    def question(self, impact: Impact) -> Question:
        """The question for a person: the caller, the call, and what is at stake."""
        asks = f"{self.caller} asks: " if self.caller else ""
        text = "\n".join((f"{asks}{impact.question}", *impact.at_stake))
        return Question(safe_text(text), self.subject(impact))


async def require_consent(
    call: PendingCall, policy: Policy, person: Person, codes: ConfirmationCodes, client: Client
) -> Consent:
    """Obtain consent for a call, and return its kind.

    Raises:
        RefusedByMode: the mode forbids the effect, or a person is required and cannot be asked.
        ConfirmationNeeded: the call is not confirmed. If a code can confirm it, the error contains one.
        Declined: the person did not confirm.
        PlanDiffers: the fingerprint is that of another plan.
        TfrunsError: the impact cannot be read.
    """
    if not call.tool.requires_confirmation:
        return Consent.NONE
    decision: Allow | Ask | Refuse | None = decide_unread(
        policy,
        can_ask=person.can_be_asked,
        has_fingerprint=Proof.FINGERPRINT in call.proofs,
        is_confirmed_always=call.tool.mode is Mode.APPLY,
    )
    impact = NO_IMPACT
    if decision is None:
        impact = await call.impact(client)
        decision = decide(_evidence(call, impact, person, codes), impact, policy)
    if isinstance(decision, Ask):
        return await _ask(call, impact, person, client)
    if isinstance(decision, Allow):
        if decision.consent is Consent.CODE:
            codes.redeem(call.proofs[Proof.CODE], call.subject(impact))
        return decision.consent
    raise _refused(decision.reason, call, policy, impact, codes)


def _evidence(call: PendingCall, impact: Impact, person: Person, codes: ConfirmationCodes) -> Evidence:
    is_plans, is_valid = None, None
    if (fingerprint := call.proofs.get(Proof.FINGERPRINT)) is not None:
        given, actual = fingerprint.strip().encode(), (impact.fingerprint or "").encode()
        is_plans = impact.fingerprint is not None and hmac.compare_digest(given, actual)
    if (code := call.proofs.get(Proof.CODE)) is not None:
        is_valid = codes.is_valid(code, call.subject(impact))

    return Evidence(can_ask=person.can_be_asked, fingerprint=is_plans, code=is_valid)


async def _ask(call: PendingCall, impact: Impact, person: Person, client: Client) -> Consent:
    answer = await person.ask(await to_thread.run_sync(call.question, impact))  # sanitizing a long text takes time
    if answer is not Answer.YES:
        outcome = "Not confirmed" if answer is Answer.NO else "The question was dismissed"
        raise Declined(f"{outcome}. Nothing was sent.")
    now = await call.impact(client)  # it may have changed since the question was shown
    if now.kinds and call.subject(now) != call.subject(impact):
        raise ConfirmationNeeded(
            "The run or its workspace changed before the person answered. Nothing was sent.",
            cause="Another user acted on the run or its workspace, or the run continued.",
            solution="Call again with the same arguments: the person is asked about the current state.",
            facts=_shown(now),
        )
    return Consent.PERSON


# -- refusals ---------------------------------------------------------------------------------------------------------


def _refused(
    reason: Refusal, call: PendingCall, policy: Policy, impact: Impact, codes: ConfirmationCodes
) -> TfrunsError:
    match reason:
        case Refusal.MODE:
            return _forbidden_by_mode(call, policy, impact)
        case Refusal.PLAN_DIFFERS:
            return _plan_differs(call, impact)
        case Refusal.NEEDS_PERSON:
            return _needs_person(call, policy, impact)
        case Refusal.NEEDS_REVIEW | Refusal.NEEDS_CODE:
            return _needs_proof(reason, call, impact, codes)


def _forbidden_by_mode(call: PendingCall, policy: Policy, impact: Impact) -> RefusedByMode:
    effects = " and ".join(forbidden_effects(impact, policy.mode))
    return RefusedByMode(
        f'"{call.tool.title}" is forbidden in the mode of this server: it {effects}.', facts=impact.facts
    )


def _needs_proof(reason: Refusal, call: PendingCall, impact: Impact, codes: ConfirmationCodes) -> ConfirmationNeeded:
    is_wrong = bool(call.proofs.get(Proof.CODE))
    given = "The confirmation code is wrong, used or expired, or is for another call. " if is_wrong else ""
    message = f'{given}"{call.tool.title}" needs confirmation. Nothing was sent.'
    if reason is Refusal.NEEDS_REVIEW:
        return ConfirmationNeeded(
            message,
            cause="The server was started with --confirm review, which requires a review before every apply.",
            solution="Show the plan to the person. Only if they agree, call again with its fingerprint.",
            facts=_shown(impact),
            next_actions=_review(call),
        )
    by_review = ", or with the fingerprint of a review" if Proof.FINGERPRINT in call.tool.proofs else ""
    return ConfirmationNeeded(
        message,
        solution="Show the person what is at stake. Only if they agree, call again with the same arguments and this "
        f"confirmation{by_review}.",
        facts=_shown(impact)
        | {"confirmation": codes.issue(call.subject(impact)), "confirmation_expires_in_s": int(LIFETIME_S)},
        next_actions=_review(call) if by_review else (),
    )


def _plan_differs(call: PendingCall, impact: Impact) -> PlanDiffers:
    if impact.fingerprint is None:
        return PlanDiffers("The fingerprint cannot be verified: the plan cannot be read completely. Nothing was sent.")
    return PlanDiffers(
        "The fingerprint does not match the current plan of this run. Nothing was sent.", next_actions=_review(call)
    )


def _needs_person(call: PendingCall, policy: Policy, impact: Impact) -> TfrunsError:
    if policy.confirm is Confirm.ALWAYS:
        return RefusedByMode(
            f'"{call.tool.title}" needs the confirmation of a person, and this client cannot ask. Nothing was sent.',
            cause="The server was started with --confirm always.",
            solution="Let a person do it in the browser, or restart the server with --confirm review or auto.",
        )
    return ConfirmationNeeded(
        f'"{call.tool.title}" needs a person: it would apply a plan that nobody has seen. Nothing was sent.',
        cause="This client cannot ask a person, and a code is not sufficient for an unseen plan.",
        solution=impact.instead,
        facts=_shown(impact),
    )


def _review(call: PendingCall) -> tuple[NextAction, ...]:
    return (NextAction.for_run(REVIEW_RUN, str(call.values["run_id"]), "shows the current plan"),)


def _shown(impact: Impact) -> dict[str, Fact]:
    return {"question": impact.question, "at_stake": list(impact.at_stake)}
