"""Questions to the person behind an MCP client (elicitation), in both eras of the protocol.

Up to revision 2025-11-25, the server sends the question as a request during the call. From 2026-07-28 on, the call ends
with a result that contains the question, and the client repeats the call with the answer. That answer is accepted only
with the one-time code that was issued with the same question.

A client without a terminal may claim that it can ask, and close or decline every question immediately. A person who
dismisses or declines a question takes longer.
"""

from contextlib import suppress
from typing import Any

import mcp_types as types
from anyio import to_thread
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from pydantic import ValidationError

from tfruns.gate.codes import LIFETIME_S, ConfirmationCodes
from tfruns.gate.person import Answer, Question
from tfruns.masking.redaction import safe_text

FIRST_REVISION_WITHOUT_REQUESTS = "2026-07-28"
_KEY = "confirm"
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


class ElicitedPerson:
    """The person behind the client of one call."""

    def __init__(
        self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams, codes: ConfirmationCodes
    ) -> None:
        self._ctx = ctx
        self._params = params
        self._codes = codes
        self._called_at = codes.now()
        self._asks_by_result = ctx.protocol_version >= FIRST_REVISION_WITHOUT_REQUESTS

    @property
    def can_be_asked(self) -> bool:
        """Whether the client supports forms. A client that declares elicitation without a mode supports forms."""
        capabilities = self._ctx.session.client_capabilities
        asks = capabilities.elicitation if capabilities is not None else None
        if asks is None or (asks.form is None and asks.url is not None):
            return False
        return self._asks_by_result or self._ctx.session.can_send_request

    async def ask(self, question: Question) -> Answer:
        """Ask, or return the answer that the call contains.

        Raises:
            InputRequired: the call contains no valid answer, and ends with the question.
        """
        request = await to_thread.run_sync(_request, question)  # sanitizing a long text takes time
        return self._by_result(question, request) if self._asks_by_result else await self._by_request(request)

    async def _by_request(self, request: types.ElicitRequest) -> Answer:
        asked_at, result = self._codes.now(), None
        with suppress(MCPError, ValidationError):  # the client failed to ask, or timed out
            result = await self._ctx.session.send_request(
                request,
                types.ElicitResult,
                request_read_timeout_seconds=LIFETIME_S,
                metadata=ServerMessageMetadata(related_request_id=self._ctx.request_id),
            )
        return _answer(result, self._codes.now() - asked_at)

    def _by_result(self, question: Question, request: types.ElicitRequest) -> Answer:
        subject = [question.text, question.subject]
        answer = (self._params.input_responses or {}).get(_KEY)
        code = self._params.request_state or ""
        asked_at = self._codes.issued_at(code)
        if asked_at is not None and isinstance(answer, types.ElicitResult) and self._codes.redeem(code, subject):
            return _answer(answer, self._called_at - asked_at)
        raise InputRequired(
            types.InputRequiredResult(input_requests={_KEY: request}, request_state=self._codes.issue(subject))
        )


def _request(question: Question) -> types.ElicitRequest:
    return types.ElicitRequest(
        params=types.ElicitRequestFormParams(message=safe_text(question.text), requested_schema=FORM_SCHEMA)
    )


def _answer(result: types.ElicitResult | None, took_s: float) -> Answer:
    """The answer in a result that came after a number of seconds; None if the client failed to ask."""
    confirms = (result.content or {}).get(_KEY) if result is not None and result.action == "accept" else None
    if confirms is True:
        return Answer.YES
    is_unread = took_s < _READING_S
    if confirms is False or (result is not None and result.action == "decline"):
        return Answer.DECLINED_UNREAD if is_unread else Answer.NO
    return Answer.UNREAD if is_unread else Answer.DISMISSED
