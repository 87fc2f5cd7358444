"""The consent stage: reads the impact of a call, decides with `consent.decide`, and asks the person if necessary.

The stage only reads. It can run twice for one call, because clients with the newest revision of the protocol repeat the
call with the answer.
"""

import hmac
from dataclasses import dataclass, replace

from anyio import to_thread

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
    Refuse,
    decide,
    decide_unanswered,
    depends_on_impact,
    forbidden_effects,
)
from tfruns.gate.pending_call import PendingCall
from tfruns.gate.person import Answer, Person, Question, answer_of
from tfruns.gate.requests import REQUESTS_PATH, DecisionPages, DecisionRequest
from tfruns.impact import Impact
from tfruns.next_actions import REVIEW_RUN, NextAction
from tfruns.policy import Confirm, Policy
from tfruns.progress import NoProgress, Progress
from tfruns.tool import Proof


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of consent for a call.

    Attributes:
        person: the person who can be asked.
        codes: the codes that were issued.
        pages: the pages on which people decide; None if this process serves none.
        progress: receives the progress while the call waits for a decision on a page.
    """

    person: Person
    codes: ConfirmationCodes
    pages: DecisionPages | None = None
    progress: Progress = NoProgress()  # noqa: RUF009  # stateless

    def earlier_request(self, call: PendingCall, impact: Impact) -> DecisionRequest | None:
        """The request for a decision that an earlier, equal call has made."""
        return self.pages.requests.of(call, impact) if self.pages else None

    async def request(self, call: PendingCall, impact: Impact) -> tuple[DecisionRequest | None, str]:
        """The request for a decision about a call, and the address of its page; None if there are no pages."""
        if self.pages is None:
            return None, ""
        request = self.pages.requests.open(call, impact)
        try:
            return request, await self.pages.url(f"{REQUESTS_PATH}{request.id}")
        except TfrunsError:
            self.pages.requests.withdraw(request)
            return None, ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The consent for a call.

    Attributes:
        consent: its kind.
        by: the name of the user who decided on a page.
        plan: the fingerprint of the plan that the page showed.
    """

    consent: Consent
    by: str | None = None
    plan: str | None = None


_NOT_REQUIRED = Confirmation(Consent.NONE)
_NEEDS = frozenset({Refusal.NEEDS_CODE, Refusal.NEEDS_REVIEW, Refusal.NEEDS_PERSON, Refusal.NEEDS_PAGE})


async def require_consent(call: PendingCall, policy: Policy, sources: Sources, client: Client) -> Confirmation:
    """Obtain consent for a call.

    Raises:
        RefusedByMode: the mode forbids the effect, or a person is required and cannot be asked.
        ConfirmationNeeded: the call is not confirmed. If a code or a page can confirm it, the error contains it.
        Declined: the person declined.
        PlanDiffers: the fingerprint is that of another plan.
        TfrunsError: the impact cannot be read.
    """
    if not call.tool.requires_confirmation:
        return _NOT_REQUIRED
    if not depends_on_impact(policy, has_fingerprint=Proof.FINGERPRINT in call.proofs):
        return _NOT_REQUIRED
    impact = await call.impact(client)
    evidence = _evidence(call, impact, sources)
    decision = decide(evidence, impact, policy)
    if isinstance(decision, Ask) or _may_be_on_page(decision, evidence, sources.earlier_request(call, impact)):
        answer = await _ask(call, impact, sources, client)
        if answer is Answer.YES_ON_PAGE:
            return _confirmed_on_page(call, impact, sources)
        if answer is Answer.YES and policy.confirm is not Confirm.PAGE:
            return Confirmation(Consent.PERSON)
        evidence = replace(evidence, reach=Reach.UNANSWERED)
        decision = decide_unanswered(evidence, impact, policy, is_unread=answer is Answer.UNREAD)
    if isinstance(decision, Allow):
        return _allowed(decision.consent, call, impact, sources)
    if not isinstance(decision, Refuse):
        raise TypeError("a person who is asked answers")
    if decision.reason is Refusal.DECLINED:
        raise _declined_on_page(call, impact, sources)
    _, link = await sources.request(call, impact) if decision.reason in _NEEDS else (None, "")
    is_unanswered = evidence.reach is Reach.UNANSWERED
    raise _refusal(_Refused(decision.reason, call, policy, impact, is_unanswered, link), sources.codes)


def _evidence(call: PendingCall, impact: Impact, sources: Sources) -> Evidence:
    is_plans, is_valid, codes = None, None, sources.codes
    reach = Reach.CAN_ASK if sources.person.can_be_asked else Reach.CANNOT_ASK
    if (fingerprint := call.proofs.get(Proof.FINGERPRINT)) is not None:
        given, actual = fingerprint.strip().encode(), (impact.fingerprint or "").encode()
        is_plans = impact.fingerprint is not None and hmac.compare_digest(given, actual)
    if (code := call.proofs.get(Proof.CODE)) is not None:
        is_unanswered = codes.is_valid(code, call.unanswered(impact))
        is_valid = is_unanswered or codes.is_valid(code, call.subject(impact))
        reach = Reach.UNANSWERED if is_unanswered else reach
    request = sources.earlier_request(call, impact)
    decided = request.decision if request else None
    return Evidence(reach, is_plans, is_valid, decided.is_confirmed if decided else None)


def _may_be_on_page(decision: Allow | Ask | Refuse, evidence: Evidence, request: DecisionRequest | None) -> bool:
    """Whether the call waits for a page: an earlier refusal contained the link, and no proof was tried instead."""
    is_open = request is not None and isinstance(decision, Refuse) and decision.reason in _NEEDS
    return is_open and evidence.code is None


def _allowed(consent: Consent, call: PendingCall, impact: Impact, sources: Sources) -> Confirmation:
    """The confirmation by a decision that needs no question. A code and a decision on a page are used up."""
    if consent is Consent.PAGE:
        return _confirmed_on_page(call, impact, sources)
    if consent is Consent.CODE:
        code = call.proofs[Proof.CODE]
        if not sources.codes.redeem(code, call.subject(impact)):
            sources.codes.redeem(code, call.unanswered(impact))
    return Confirmation(consent)


def _confirmed_on_page(call: PendingCall, impact: Impact, sources: Sources) -> Confirmation:
    if sources.pages is None:  # the call of a page itself
        return Confirmation(Consent.PAGE, sources.person.name or None, impact.fingerprint)
    request = sources.earlier_request(call, impact)
    decision = sources.pages.requests.use(request) if request else None
    if decision is None:
        raise ConfirmationNeeded(
            "Another call has already used the person's decision. This call sent nothing.",
            cause="The same call was made twice at the same time. A decision is valid for one call.",
            solution="Read the run. If the call is still needed, make it again: the person is asked again.",
        )
    return Confirmation(Consent.PAGE, decision.by, impact.fingerprint)


async def _ask(call: PendingCall, impact: Impact, sources: Sources, client: Client) -> Answer:
    """Ask, or wait for a decision on the page. The answer is never no.

    Raises:
        Declined: the person declined.
        ConfirmationNeeded: the impact changed before the person confirmed, or nobody has decided yet.
    """
    request, link = await sources.request(call, impact)
    text = await to_thread.run_sync(call.text, impact)  # sanitizing a long text takes time
    if sources.person.can_be_asked:
        answer = await sources.person.ask(Question(text, call.subject(impact), impact, request, link))
    elif request is not None:
        await request.wait(sources.progress)
        answer = answer_of(request)
    else:
        return Answer.UNREAD
    if answer is Answer.UNDECIDED:
        raise _undecided(impact, link)
    if answer in {Answer.NO, Answer.DECLINED_UNREAD}:
        if answer is Answer.DECLINED_UNREAD:
            raise _declined(request, sources, link)
        raise _declined_by_person(request, call, impact, sources)
    if answer not in {Answer.YES, Answer.YES_ON_PAGE}:
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


def _undecided(impact: Impact, link: str) -> ConfirmationNeeded:
    return ConfirmationNeeded(
        "No decision has been made on the page yet. Nothing was sent.",
        cause="The person is still reviewing, or has not opened the page.",
        solution=f"Call again with the same arguments: the call waits for the decision. The page is {link}",
        facts=_shown(impact, link),
    )


def _declined_on_page(call: PendingCall, impact: Impact, sources: Sources) -> Declined:
    return _declined_by_person(sources.earlier_request(call, impact), call, impact, sources)


def _declined_by_person(
    request: DecisionRequest | None, call: PendingCall, impact: Impact, sources: Sources
) -> Declined:
    """The error for a person who declined. Codes that were issued before no longer confirm the call."""
    sources.codes.revoke(call.subject(impact), call.unanswered(impact))
    return _declined(request, sources)


def _declined(request: DecisionRequest | None, sources: Sources, unread_link: str | None = None) -> Declined:
    """The error for a person who declined, or for a client that declined before a person could read the question.

    Args:
        request: the request for a decision. A person who declined has answered it; otherwise they can still decide.
        sources: the sources of consent.
        unread_link: if the question is unread, the address of the page; empty without pages.
    """
    message = "Not confirmed. Nothing was sent."
    if unread_link is None:
        if request is not None and sources.pages is not None and not sources.pages.requests.use(request):
            sources.pages.requests.withdraw(request)
        return Declined(message)
    on_page = f"The person can still decide on this page; then repeat the call: {unread_link} "
    return Declined(
        message,
        cause="The client declined before a person could read the question. It may have no terminal, and decline all "
        "questions.",
        solution=f"Do not call again unless a person asks for it. {on_page if unread_link else ''}"
        "For sessions without a person, start the server with --confirm review: the fingerprint of a review is then "
        "accepted without a question.",
        facts={"link": unread_link} if unread_link else None,
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
        link: the address of the page on which a person can decide; empty without pages.
    """

    reason: Refusal
    call: PendingCall
    policy: Policy
    impact: Impact
    is_unanswered: bool
    link: str = ""

    @property
    def title(self) -> str:
        return f'"{self.call.tool.title}"'


def _refusal(refused: _Refused, codes: ConfirmationCodes) -> TfrunsError:
    match refused.reason:
        case Refusal.MODE:
            return _forbidden_by_mode(refused)
        case Refusal.PLAN_DIFFERS:
            return _plan_differs(refused)
        case Refusal.NEEDS_PERSON | Refusal.NEEDS_PAGE:
            return _needs_page(refused) if refused.link else _needs_person(refused)
        case Refusal.NEEDS_REVIEW:
            return _needs_review(refused)
        case _:
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
        solution=f"{_by_page(refused)}Show the plan to the person. Only if they agree, call again with its "
        "fingerprint.",
        facts=_shown(refused.impact, refused.link),
        next_actions=_review(refused.call),
    )


def _needs_code(refused: _Refused, codes: ConfirmationCodes) -> ConfirmationNeeded:
    call, impact = refused.call, refused.impact
    by_review = ", or with the fingerprint of a review" if Proof.FINGERPRINT in call.tool.proofs else ""
    code = codes.issue(call.unanswered(impact) if refused.is_unanswered else call.subject(impact))
    return ConfirmationNeeded(
        _unconfirmed(refused),
        cause="The client may have no terminal and close every question, or a person dismissed it."
        if refused.is_unanswered
        else None,
        solution=f"{_by_page(refused)}Show the person what is at stake. Only if they agree, call again with the same "
        f"arguments and this confirmation{by_review}.",
        facts=_shown(impact, refused.link) | {"confirmation": code, "confirmation_expires_in_s": int(LIFETIME_S)},
        next_actions=_review(call) if by_review else (),
    )


def _unconfirmed(refused: _Refused) -> str:
    if refused.is_unanswered:
        return f"{refused.title} is not confirmed: {_CLOSED}. Nothing was sent."
    is_wrong = bool(refused.call.proofs.get(Proof.CODE))
    given = "The confirmation code is wrong, used or expired, or is for another call. " if is_wrong else ""
    return f"{given}{refused.title} needs confirmation. Nothing was sent."


def _by_page(refused: _Refused) -> str:
    """The first of two alternatives, with a trailing space; empty if there is no page."""
    if not refused.link:
        return ""
    return f"Give the person this link, and call again once they have decided there: {refused.link} Or: "


def _needs_page(refused: _Refused) -> ConfirmationNeeded:
    return ConfirmationNeeded(
        _unconfirmed(refused),
        cause=f"The server was started with --confirm {refused.policy.confirm}: only a person can confirm it.",
        solution="Give the person this link. Once they have decided there, call again with the same arguments: "
        f"{refused.link}",
        facts=_shown(refused.impact, refused.link),
    )


def _needs_person(refused: _Refused) -> TfrunsError:
    if refused.reason is Refusal.NEEDS_PAGE:
        return RefusedByMode(
            f"{refused.title} needs the decision of a person on a page, and this process serves no pages. Nothing was "
            "sent.",
            cause="The server was started with --confirm page.",
            solution="Let a person do it in a terminal, or restart the server with --confirm always.",
        )
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


def _shown(impact: Impact, link: str = "") -> dict[str, Fact]:
    facts: dict[str, Fact] = {"question": impact.question, "at_stake": list(impact.at_stake)}
    return facts | {"link": link} if link else facts
