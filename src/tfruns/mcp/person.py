"""Questions to the person behind an MCP client (elicitation), in both eras of the protocol.

Up to revision 2025-11-25, the server sends the question as a request during the call. From 2026-07-28 on, the call ends
with a result that contains the question, and the client repeats the call with the answer. That answer is accepted only
with the one-time code that was issued with the same question.

A person is asked with a form or, if the client supports it and this process serves pages, on a page whose address the
client opens. Accepting then only means that the page was opened: the decision on the page counts. Up to revision
2025-11-25, the call waits for it; from 2026-07-28 on, the repeated call does.

A client without a terminal may claim that it can ask, and close or decline every question immediately. A person who
dismisses or declines a question takes longer.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from pydantic import ValidationError

from tfruns.gate.codes import LIFETIME_S, ConfirmationCodes
from tfruns.gate.person import Answer, Question, answer_of
from tfruns.gate.requests import WAIT_S, DecisionRequest
from tfruns.masking.redaction import safe_text
from tfruns.policy import Confirm
from tfruns.progress import NoProgress, Progress

FIRST_REVISION_WITHOUT_REQUESTS = "2026-07-28"
_KEY = "confirm"
_PAGE_KEY = "decide"
_READING_S = 0.5  # no person reads a question and closes it in less time

# Confirmation must be explicit: neither an empty form nor a client that accepts automatically confirms.
FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {_KEY: {"type": "boolean", "title": "Yes, do it", "description": "Otherwise, nothing is sent."}},
    "required": [_KEY],
}


class InputRequired(Exception):
    """Ends the call with a question. The client repeats the call with the answer."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("a question is pending")
        self.result = result


@dataclass(slots=True)
class ElicitedPerson:
    """The person behind the client of one call.

    Attributes:
        ctx: the request of the call.
        params: its parameters.
        codes: the codes that were issued with questions.
        confirm: when a person has to confirm a call.
        has_pages: whether this process serves pages on which people decide.
        progress: receives the progress while the call waits for a decision on a page.
    """

    ctx: ServerRequestContext[Any]
    params: types.CallToolRequestParams
    codes: ConfirmationCodes
    confirm: Confirm = Confirm.AUTO
    has_pages: bool = False
    progress: Progress = field(default_factory=NoProgress)
    name: str = field(default="", init=False)
    _called_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._called_at = self.codes.now()

    @property
    def can_be_asked(self) -> bool:
        """Whether the client can open a page or, unless only a page counts, supports forms."""
        return self._opens_pages or self._has_forms

    @property
    def _opens_pages(self) -> bool:
        asks = self._elicitation
        return self.has_pages and asks is not None and asks.url is not None

    @property
    def _has_forms(self) -> bool:
        """A client that declares elicitation without a mode supports forms."""
        asks = self._elicitation
        return self.confirm is not Confirm.PAGE and asks is not None and (asks.form is not None or asks.url is None)

    @property
    def _elicitation(self) -> types.ElicitationCapability | None:
        capabilities = self.ctx.session.client_capabilities
        asks = capabilities.elicitation if capabilities is not None else None
        can_send = asks is not None and (self._asks_by_result or self.ctx.session.can_send_request)
        return asks if can_send else None

    @property
    def _asks_by_result(self) -> bool:
        return self.ctx.protocol_version >= FIRST_REVISION_WITHOUT_REQUESTS

    async def ask(self, question: Question) -> Answer:
        """Ask, or return the answer that the call contains.

        Raises:
            InputRequired: the call contains no valid answer, and ends with the question.
        """
        is_form_answered = self._has_forms and _KEY in (self.params.input_responses or {})
        if self._opens_pages and question.request is not None and not is_form_answered:
            answer = await self._ask_on_page(question, question.request)
            if answer is not None:
                return answer
        return await self._ask_with_form(question) if self._has_forms else Answer.UNREAD

    # -- with a form --------------------------------------------------------------------------------------------------

    async def _ask_with_form(self, question: Question) -> Answer:
        form = types.ElicitRequestFormParams(message=safe_text(question.text), requested_schema=FORM_SCHEMA)
        request = types.ElicitRequest(params=form)
        if self._asks_by_result:
            return _answer(*self._result_in_call(question, request, _KEY))
        asked_at = self.codes.now()
        return _answer(await self._send(request), self.codes.now() - asked_at)

    # -- on a page ----------------------------------------------------------------------------------------------------

    async def _ask_on_page(self, question: Question, request: DecisionRequest) -> Answer | None:
        """The answer; None if the client does not open pages, and can be asked with a form."""
        elicitation_id = None if self._asks_by_result else request.id
        page = types.ElicitRequestURLParams(
            message=_invitation(question), url=question.link, elicitation_id=elicitation_id
        )
        asked = types.ElicitRequest(params=page)
        if not self._asks_by_result:
            return await self._open_by_request(asked, request)
        result, took_s = self._result_in_call(question, asked, _PAGE_KEY)
        if not _is_opened(result):
            return _answer(result, took_s)
        if self._takes_pages_for_forms(result):
            return None
        await request.wait(self.progress)
        return answer_of(request)

    def _takes_pages_for_forms(self, result: types.ElicitResult | None) -> bool:
        """Whether the client failed to open the page, or filled in a form in its place, and supports forms."""
        return self._has_forms and (result is None or bool(result.content))

    async def _open_by_request(self, asked: types.ElicitRequest, request: DecisionRequest) -> Answer | None:
        """Ask the client to open the page, and wait for the decision, which may come before the client answers."""
        closed: list[Answer | None] = []

        async def open_page() -> None:
            asked_at = self.codes.now()
            result = await self._send(asked)
            if self._takes_pages_for_forms(result):
                closed.append(None)
                waiting.cancel()
            elif _is_opened(result):
                waiting.deadline = anyio.current_time() + WAIT_S
            else:
                closed.append(_answer(result, self.codes.now() - asked_at))
                waiting.cancel()

        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(LIFETIME_S) as waiting:
                tasks.start_soon(open_page)
                await request.wait(self.progress, LIFETIME_S)
            tasks.cancel_scope.cancel()
        if request.decision is not None:
            await self.ctx.session.send_elicit_complete(request.id, self.ctx.request_id)
        return closed[0] if closed and request.decision is None else answer_of(request)

    # -- both ---------------------------------------------------------------------------------------------------------

    async def _send(self, request: types.ElicitRequest) -> types.ElicitResult | None:
        """Send a question, and return the result; None if the client failed to ask, or timed out."""
        with suppress(MCPError, ValidationError):
            return await self.ctx.session.send_request(
                request,
                types.ElicitResult,
                request_read_timeout_seconds=LIFETIME_S,
                metadata=ServerMessageMetadata(related_request_id=self.ctx.request_id),
            )
        return None

    def _result_in_call(
        self, question: Question, request: types.ElicitRequest, key: str
    ) -> tuple[types.ElicitResult, float]:
        """The result of a question that the call contains, and how many seconds it took.

        Raises:
            InputRequired: the call contains none.
        """
        subject = [key, question.text, question.subject]
        answer = (self.params.input_responses or {}).get(key)
        code = self.params.request_state or ""
        asked_at = self.codes.issued_at(code)
        if asked_at is not None and isinstance(answer, types.ElicitResult) and self.codes.redeem(code, subject):
            return answer, self._called_at - asked_at
        raise InputRequired(
            types.InputRequiredResult(input_requests={key: request}, request_state=self.codes.issue(subject))
        )


def _invitation(question: Question) -> str:
    first = question.text.partition("\n")[0]
    return safe_text(f"{first}\nOpen the page to review the call and decide. Nothing is sent until you decide there.")


def _is_opened(result: types.ElicitResult | None) -> bool:
    return result is not None and result.action == "accept"


def _answer(result: types.ElicitResult | None, took_s: float) -> Answer:
    """The answer in a result that came after a number of seconds; None if the client failed to ask."""
    confirms = (result.content or {}).get(_KEY) if result is not None and result.action == "accept" else None
    if confirms is True:
        return Answer.YES
    is_unread = took_s < _READING_S
    if confirms is False or (result is not None and result.action == "decline"):
        return Answer.DECLINED_UNREAD if is_unread else Answer.NO
    return Answer.UNREAD if is_unread else Answer.DISMISSED
