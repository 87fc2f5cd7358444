"""The guard around what changes something: it reads what a call would do, and asks who has to agree.

`consent.decide` decides, from data alone; here is the I/O around it. Asking only reads. It may happen twice for one
call: in the newest revision of the protocol the call is repeated with the answer.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, Field

from tfruns.client.client import Client
from tfruns.errors import ConfirmationNeeded, Declined, Fact, PlanDiffers, RefusedByMode, TfrunsError
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import shown_text
from tfruns.tools.consent import NO_IMPACT, Allow, Ask, Consent, Given, Impact, Refusal, decide
from tfruns.tools.guard_codes import LIFETIME_S, Codes
from tfruns.tools.impact import ImpactOf
from tfruns.tools.plan_mode import forbid_triggering_apply
from tfruns.tools.policy import Confirm, Mode, Policy

Confirmation = Annotated[str | None, Field(description="Code from a refusal, once the person agrees")]
Fingerprint = Annotated[str | None, Field(description="From review_run; another plan is not applied")]


class Answer(StrEnum):
    """What a person said to a question."""

    YES = "yes"
    NO = "no"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what an answer to it is good for."""

    text: str
    subject: JSON


class Person(Protocol):
    """The person behind a client, if there is a way to ask."""

    @property
    def can_be_asked(self) -> bool:
        """Whether there is one."""
        ...

    async def ask(self, question: Question) -> Answer:
        """The answer. Instead of waiting for it, an exception may end the call, which is then made again with it."""
        ...


class NoPerson:
    """Nobody can be asked."""

    can_be_asked = False

    async def ask(self, question: Question) -> Answer:
        """Never called."""
        raise NotImplementedError(question.text)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may need consent.

    Attributes:
        tool: its name.
        title: its name for people.
        values: its arguments as they will be sent, without those for the guard.
        impact_of: reads what it would do.
        caller: the program that calls; empty for our own.
        has_fingerprint: the fingerprint of a review is a way to agree to it.
        has_always_impact: whatever it is called with, somebody has to agree.
        confirmation: the code that was given.
        fingerprint: the fingerprint that was given.
    """

    tool: str
    title: str
    values: Mapping[str, Any]
    impact_of: ImpactOf
    caller: str = ""
    has_fingerprint: bool = False
    has_always_impact: bool = False
    confirmation: str | None = None
    fingerprint: str | None = None

    def subject(self, impact: Impact) -> JSON:
        """What consent is given to: this call with all its arguments, as long as nothing changes that was shown."""
        arguments = {
            name: value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
            for name, value in self.values.items()
        }
        return [self.tool, arguments, sorted(impact.kinds), impact.state]

    def question(self, impact: Impact) -> Question:
        """What a person is asked: who asks, what it is, and what is at stake."""
        asks = f"{self.caller} asks: " if self.caller else ""
        text = "\n".join((f"{asks}{impact.question}", *impact.at_stake))
        return Question(shown_text(text), self.subject(impact))


async def require_consent(call: Call, policy: Policy, person: Person, codes: Codes, client: Client) -> Consent:
    """Who agrees to a call.

    Raises:
        RefusedByMode: the mode forbids it, or a person has to be asked and cannot be.
        ConfirmationNeeded: nobody has agreed to it as it is now; with a code, where one helps.
        Declined: a person said no.
        PlanDiffers: the fingerprint is not that of the plan.
        TfrunsError: what it would do cannot be read.
    """
    if policy.confirm is Confirm.NEVER and policy.mode.includes(Mode.APPLY) and call.fingerprint is None:
        return Consent.NONE  # whatever it would do
    if policy.confirm is Confirm.ALWAYS and not person.can_be_asked and call.has_always_impact:
        raise _needs_person(call, policy, NO_IMPACT)  # whatever it would do
    impact = await call.impact_of(client, call.values)
    forbid_triggering_apply(policy.mode, impact, call.title)
    if not impact.kinds:
        return Consent.NONE
    decision = decide(policy.confirm, impact.kinds, can_ask=person.can_be_asked, given=_given(call, impact, codes))
    if isinstance(decision, Ask):
        return await _ask(call, impact, person, client)
    if isinstance(decision, Allow):
        if decision.consent is Consent.CODE:
            codes.redeem(call.confirmation or "", call.subject(impact))
        return decision.consent
    raise _refused(decision.reason, call, policy, impact, codes)


def _given(call: Call, impact: Impact, codes: Codes) -> Given:
    is_plans, is_valid = None, None
    if call.fingerprint is not None:
        given, actual = call.fingerprint.strip().encode(), (impact.fingerprint or "").encode()
        is_plans = impact.fingerprint is not None and hmac.compare_digest(given, actual)
    if call.confirmation is not None:
        is_valid = codes.is_valid(call.confirmation, call.subject(impact))
    return Given(fingerprint=is_plans, code=is_valid)


async def _ask(call: Call, impact: Impact, person: Person, client: Client) -> Consent:
    answer = await person.ask(call.question(impact))
    if answer is not Answer.YES:
        what = "said no" if answer is Answer.NO else "closed the question without an answer"
        raise Declined(f"The person who was asked {what}. Nothing was sent.")
    now = await call.impact_of(client, call.values)  # a person takes minutes, and agreed to what was shown
    if now.kinds and call.subject(now) != call.subject(impact):
        raise ConfirmationNeeded(
            "What was asked about changed before the person answered. Nothing was sent.",
            cause="Somebody else acted on the run or its workspace, or the run went on.",
            solution="Call again with the same arguments: the person is asked about the present state.",
            facts=_shown(now),
        )
    return Consent.PERSON


# -- refusals ---------------------------------------------------------------------------------------------------------


def _refused(reason: Refusal, call: Call, policy: Policy, impact: Impact, codes: Codes) -> TfrunsError:
    if reason is Refusal.PLAN_DIFFERS:
        return _plan_differs(impact)
    if reason is Refusal.NEEDS_PERSON:
        return _needs_person(call, policy, impact)
    given = "The confirmation does not fit this call, was used, or has expired. " if call.confirmation else ""
    message = f'{given}"{call.title}" needs confirmation. Nothing was sent.'
    if reason is Refusal.NEEDS_REVIEW:
        return ConfirmationNeeded(
            message,
            cause="The server was started with --confirm review: every apply needs a review.",
            solution="Call review_run, show the plan to the person, and if they agree give its fingerprint.",
            facts=_shown(impact),
        )
    by_review = ", or with the fingerprint of review_run" if call.has_fingerprint else ""
    return ConfirmationNeeded(
        message,
        solution="Show the person what is at stake. Only if they agree, call again with the same arguments and this "
        f"confirmation{by_review}.",
        facts=_shown(impact)
        | {"confirmation": codes.issue(call.subject(impact)), "confirmation_expires_in_s": int(LIFETIME_S)},
    )


def _plan_differs(impact: Impact) -> PlanDiffers:
    if impact.fingerprint is None:
        return PlanDiffers("The fingerprint cannot be compared: the plan cannot be read as a whole. Nothing was sent.")
    return PlanDiffers("The fingerprint does not match the current plan of this run. Nothing was sent.")


def _needs_person(call: Call, policy: Policy, impact: Impact) -> TfrunsError:
    if policy.confirm is Confirm.ALWAYS:
        return RefusedByMode(
            f'"{call.title}" needs a person\'s confirmation, and this client cannot ask for it.',
            cause="The server was started with --confirm always. Nothing was sent.",
            solution="Let a person do it in the browser, or start the server with --confirm review or auto.",
        )
    return ConfirmationNeeded(
        f'"{call.title}" needs a person: a plan would be applied that nobody has seen. Nothing was sent.',
        cause="This client cannot ask a person, and a code does not serve for what is applied unseen.",
        solution=impact.instead,
        facts=_shown(impact),
    )


def _shown(impact: Impact) -> dict[str, Fact]:
    return {"question": impact.question, "at_stake": list(impact.at_stake)}
