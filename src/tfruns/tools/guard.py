"""Nothing that cannot be undone happens without somebody's consent: a person's, or at least with open eyes.

Where a person can be asked, the person is. Where not, what may be done depends on the policy: the client's own approval
of a tool that calls itself destructive, the fingerprint of a review, or a code that the refused call returned together
with what would be lost. Asking only reads. It may happen twice for one call: in the newest revision of the protocol the
call is repeated with the answer.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, Field

from tfruns.client.client import Client
from tfruns.errors import ConfirmationNeeded, Declined, Fact, PlanDiffers, RefusedByMode
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import redact
from tfruns.tools.guard_codes import LIFETIME_S, Codes
from tfruns.tools.guard_dangers import DANGERS, Danger, can_be_grave, is_dangerous
from tfruns.tools.policy import Confirm

Confirmation = Annotated[str | None, Field(description="Code from a refusal, once the person agrees")]
Fingerprint = Annotated[str | None, Field(description="From review_run; another plan is not applied")]


class Consent(StrEnum):
    """Who agreed to a call, and how."""

    PERSON = "person"
    FINGERPRINT = "fingerprint"
    CODE = "code"
    CLIENT = "client_approval"
    NONE = "none"


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
    """A call of a confirmed tool.

    Attributes:
        tool: its name.
        title: its name for people.
        values: its arguments, without those that are for the guard.
        confirmation: the code that was given.
        fingerprint: the fingerprint that was given.
    """

    tool: str
    title: str
    values: Mapping[str, Any]
    confirmation: str | None = None
    fingerprint: str | None = None

    def subject(self, danger: Danger) -> JSON:
        """What an answer is good for: this call, as long as things stand as they were shown."""
        arguments = {
            name: value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
            for name, value in self.values.items()
            if name != "comment"
        }
        return [self.tool, arguments, danger.state]


async def consent_to(call: Call, confirm: Confirm, person: Person, codes: Codes, client: Client) -> Consent:
    """Who agrees to a call.

    Raises:
        RefusedByMode: a person has to be asked, and cannot be.
        ConfirmationNeeded: nobody has agreed to it as it is now; with a code, where one helps.
        Declined: a person said no.
        PlanDiffers: the fingerprint is not that of the plan.
        TfrunsError: what it would do cannot be read.
    """
    if not is_dangerous(call.tool, call.values):
        return Consent.NONE
    if confirm is Confirm.ALWAYS and not person.can_be_asked:
        raise RefusedByMode(
            f'"{call.title}" needs a person\'s confirmation, and this client has no way to ask for it.',
            cause="The server was started with --confirm always. Nothing was sent.",
            solution="Let a person do it in the browser, or start the server with --confirm review or auto.",
        )
    if not _has_to_look(call, confirm, person):
        return Consent.NONE if confirm is Confirm.NEVER else Consent.CLIENT
    danger = await DANGERS[call.tool](client, call.values)
    if danger is None:
        return Consent.NONE
    if call.fingerprint is not None:
        _check_fingerprint(call.fingerprint, danger)
    consent = await _consent(call, confirm, person, codes, danger)
    if consent is Consent.PERSON:
        await _check_unchanged(call, danger, client)
    return consent


async def _consent(call: Call, confirm: Confirm, person: Person, codes: Codes, danger: Danger) -> Consent:
    is_person_first = confirm is Confirm.ALWAYS or (confirm is Confirm.AUTO and person.can_be_asked)
    given = None if is_person_first else _given(call, confirm, danger, codes)
    if given is not None:
        return given
    if person.can_be_asked:
        return await _asked(call, danger, person)
    if confirm is Confirm.AUTO and not danger.is_grave:
        return Consent.CLIENT
    raise _needed(call, confirm, danger, codes)


def _has_to_look(call: Call, confirm: Confirm, person: Person) -> bool:
    """Whether it matters what the call would do."""
    if confirm is Confirm.NEVER or call.fingerprint is not None:
        return call.fingerprint is not None
    return confirm is not Confirm.AUTO or person.can_be_asked or can_be_grave(call.tool, call.values)


def _check_fingerprint(given: str, danger: Danger) -> None:
    if danger.fingerprint is None:
        raise PlanDiffers("The plan cannot be read as a whole, so that its fingerprint cannot be compared.")
    if not hmac.compare_digest(given.strip().encode(), danger.fingerprint.encode()):
        raise PlanDiffers("The plan of this run is not the one that the fingerprint is of. Nothing was sent.")


def _given(call: Call, confirm: Confirm, danger: Danger, codes: Codes) -> Consent | None:
    """The consent that came with the call. With `review`, an apply needs more than a code."""
    if call.fingerprint is not None:
        return Consent.FINGERPRINT
    takes_code = confirm is Confirm.AUTO or call.tool != "apply_run"
    if call.confirmation and takes_code and codes.redeem(call.confirmation, call.subject(danger)):
        return Consent.CODE
    return None


async def _asked(call: Call, danger: Danger, person: Person) -> Consent:
    answer = await person.ask(Question(redact(danger.question), call.subject(danger)))
    if answer is Answer.YES:
        return Consent.PERSON
    said = "said no" if answer is Answer.NO else "closed the question without an answer"
    raise Declined(f"The person who was asked {said}. Nothing was sent.")


async def _check_unchanged(call: Call, shown: Danger, client: Client) -> None:
    """Look again: a person takes minutes, and agreed to what was shown."""
    now = await DANGERS[call.tool](client, call.values)
    if now is not None and now.state != shown.state:
        raise ConfirmationNeeded(
            "What was asked about changed while the person answered. Nothing was sent.",
            cause="Somebody else acted, or the run went on.",
            solution="Call again with the same arguments: the person is asked about it as it is now.",
            facts={"question": now.what, "at_stake": list(now.shown)},
        )


def _needed(call: Call, confirm: Confirm, danger: Danger, codes: Codes) -> ConfirmationNeeded:
    """The refusal, with what would be lost and how to go on."""
    facts: dict[str, Fact] = {"question": danger.what, "at_stake": list(danger.shown)}
    message = f'"{call.title}" needs confirmation. Nothing was sent.'
    if call.confirmation:
        message = f"The confirmation is not one for this call, was used, or has expired. {message}"
    if call.tool == "apply_run" and confirm is Confirm.REVIEW:
        return ConfirmationNeeded(
            message,
            cause="The server was started with --confirm review: every apply needs a review.",
            solution="Call review_run, show the plan to the person, and if they agree give its fingerprint.",
            facts=facts,
        )
    by_review = ", or with the fingerprint of review_run" if call.tool == "apply_run" else ""
    return ConfirmationNeeded(
        message,
        solution="Show the person what is at stake. Only if they agree, call again with the same arguments and this "
        f"confirmation{by_review}.",
        facts={
            **facts,
            "confirmation": codes.issue(call.subject(danger)),
            "confirmation_expires_in_s": int(LIFETIME_S),
        },
    )
