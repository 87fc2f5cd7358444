"""The meaning of a client's answer: a question that is closed faster than a person reads is unread."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from tfruns.gate.codes import ConfirmationCodes
from tfruns.gate.person import Answer, Question
from tfruns.mcp.person import FIRST_REVISION_WITHOUT_REQUESTS, ElicitedPerson, InputRequired

QUESTION = Question("Apply it?", ["apply_run"])
CANCEL, DECLINE = types.ElicitResult(action="cancel"), types.ElicitResult(action="decline")
EMPTY = types.ElicitResult(action="accept")
UNCHECKED = types.ElicitResult(action="accept", content={"confirm": False})
CHECKED = types.ElicitResult(action="accept", content={"confirm": True})

# The answer, and its meaning immediately and after a second.
MEANINGS = [
    (CHECKED, Answer.YES, Answer.YES),
    (UNCHECKED, Answer.DECLINED_UNREAD, Answer.NO),
    (DECLINE, Answer.DECLINED_UNREAD, Answer.NO),
    (CANCEL, Answer.UNREAD, Answer.DISMISSED),
    (EMPTY, Answer.UNREAD, Answer.DISMISSED),
]


class Clock:
    """A clock that the test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def person(codes: ConfirmationCodes, send: Callable[..., Any] | None, **params: Any) -> ElicitedPerson:
    """A person behind a client that answers requests with `send`, or repeats the call if there is none."""
    era = FIRST_REVISION_WITHOUT_REQUESTS if send is None else "2025-11-25"
    asks = types.ClientCapabilities(elicitation=types.ElicitationCapability())
    session = SimpleNamespace(send_request=send, can_send_request=True, client_capabilities=asks)
    ctx: Any = SimpleNamespace(protocol_version=era, request_id=1, session=session)
    return ElicitedPerson(ctx, types.CallToolRequestParams(name="apply_run", **params), codes)


@pytest.mark.anyio
async def test_answer_to_a_request_depends_on_its_time() -> None:
    for result, at_once, later in MEANINGS:
        for seconds, meaning in ((0.1, at_once), (1.0, later)):
            clock = Clock()

            async def send(*_: Any, **__: Any) -> Any:
                clock.now += seconds  # noqa: B023  # called within the iteration
                return result  # noqa: B023

            assert await person(ConfirmationCodes(clock), send).ask(QUESTION) is meaning, (result, seconds)


@pytest.mark.anyio
async def test_client_that_fails_to_ask_closes_the_question() -> None:
    clock = Clock()

    async def send(*_: Any, **__: Any) -> Any:
        raise MCPError(types.METHOD_NOT_FOUND, "Method not found")

    assert await person(ConfirmationCodes(clock), send).ask(QUESTION) is Answer.UNREAD


@pytest.mark.anyio
async def test_answer_in_a_repeated_call_depends_on_the_time_of_the_call() -> None:
    for result, at_once, later in MEANINGS:
        for seconds, meaning in ((0.1, at_once), (1.0, later)):
            clock = Clock()
            codes = ConfirmationCodes(clock)
            with pytest.raises(InputRequired) as asked:
                await person(codes, None).ask(QUESTION)
            clock.now += seconds
            again = person(
                codes, None, input_responses={"confirm": result}, request_state=asked.value.result.request_state
            )
            clock.now += 60  # the stages before the question may be slow
            assert await again.ask(QUESTION) is meaning, (result, seconds)
