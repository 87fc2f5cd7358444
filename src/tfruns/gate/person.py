"""The person behind a client, who can be asked to confirm a call."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tfruns.impact import NO_IMPACT, Impact
from tfruns.jsonapi import JSON


class Answer(StrEnum):
    """The answer to a question."""

    YES = "yes"
    NO = "no"
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
    """

    text: str
    subject: JSON
    impact: Impact = NO_IMPACT


class Person(Protocol):
    """The person behind a client, if the client can ask them."""

    @property
    def can_be_asked(self) -> bool:
        """Whether the client can ask."""
        ...

    async def ask(self, question: Question) -> Answer:
        """Ask, and return the answer. An implementation may end the call, which the client repeats with the answer."""
        ...


class NoPerson:
    """A client without a person who can be asked."""

    can_be_asked = False

    async def ask(self, question: Question) -> Answer:
        """Never called."""
        raise NotImplementedError(question.text)
