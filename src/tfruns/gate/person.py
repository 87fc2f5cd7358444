"""The person behind a client, who can be asked to confirm a call."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from tfruns.impact import NO_IMPACT, Impact
from tfruns.jsonapi import JSON

if TYPE_CHECKING:
    from tfruns.gate.requests import DecisionRequest


class Answer(StrEnum):
    """The answer to a question."""

    YES = "yes"
    YES_ON_PAGE = "yes, on the page of the call or of the run"
    NO = "no"
    UNDECIDED = "the page was opened, and nobody has decided yet"
    DISMISSED = "dismissed"  # closed without an answer, perhaps by a person
    UNREAD = "unread"  # closed by the client before a person could read it
    DECLINED_UNREAD = "declined unread"  # declined by the client before a person could read it


@dataclass(frozen=True, slots=True)
class Question:
    """A question.

    Attributes:
        text: the question, and what is at stake.
        subject: the call and its impact, for which an answer is valid.
        impact: the impact alone, for a person who decided before the call was made.
        request: the request for a decision on a page; None if this process serves no pages.
        link: the address of that page.
    """

    text: str
    subject: JSON
    impact: Impact = NO_IMPACT
    request: "DecisionRequest | None" = None
    link: str = ""


class Person(Protocol):
    """The person behind a client, if the client can ask them."""

    @property
    def can_be_asked(self) -> bool:
        """Whether the client can ask, in a way that counts."""
        ...

    @property
    def name(self) -> str:
        """The name of the person's user; empty if it is unknown."""
        ...

    async def ask(self, question: Question) -> Answer:
        """Ask, and return the answer. An implementation may end the call, which the client repeats with the answer."""
        ...


class NoPerson:
    """A client without a person who can be asked."""

    can_be_asked = False
    name = ""

    async def ask(self, question: Question) -> Answer:
        """Never called."""
        raise NotImplementedError(question.text)


def answer_of(request: "DecisionRequest") -> Answer:
    """The answer that a decision on a page is."""
    if request.decision is None:
        return Answer.UNDECIDED
    return Answer.YES_ON_PAGE if request.decision.is_confirmed else Answer.NO
