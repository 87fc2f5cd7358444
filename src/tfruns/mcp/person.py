"""Asking the person behind an MCP client (elicitation), in both eras of the protocol.

Up to 2025-11-25 the question is a request to the client, in the middle of the call. From 2026-07-28 on there are no
such requests: the call ends with a result that asks, and the client calls again with the answer. The answer is taken
only together with a code that was given out with this very question, once.
"""

from typing import Any

import mcp_types as types
from anyio import to_thread
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from pydantic import ValidationError

from tfruns.gate.codes import LIFETIME_S, Codes
from tfruns.gate.person import Answer, Question
from tfruns.masking.redaction import safe_text

FIRST_REVISION_WITHOUT_REQUESTS = "2026-07-28"
_KEY = "confirm"

# A yes is said, not implied: a client that accepts by itself, or an empty form, is none.
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {_KEY: {"type": "boolean", "title": "Yes, do it", "description": "Nothing is sent otherwise."}},
    "required": [_KEY],
}


class InputRequired(Exception):
    """The call ends here, with a question; it is made again with the answer."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("a question is open")
        self.result = result


class ClientsPerson:
    """The person behind the client of one call."""

    def __init__(self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams, codes: Codes) -> None:
        self._ctx = ctx
        self._params = params
        self._codes = codes
        self._is_by_result = ctx.protocol_version >= FIRST_REVISION_WITHOUT_REQUESTS

    @property
    def can_be_asked(self) -> bool:
        """Whether the client says that it shows forms. One that names no kind of question means forms."""
        capabilities = self._ctx.session.client_capabilities
        asks = capabilities.elicitation if capabilities is not None else None
        if asks is None or (asks.form is None and asks.url is not None):
            return False
        return self._is_by_result or self._ctx.session.can_send_request

    async def ask(self, question: Question) -> Answer:
        """Ask, or take the answer that the call brought along.

        Raises:
            InputRequired: it has to be asked first, by ending this call.
        """
        request = await to_thread.run_sync(_request, question)  # the text may be long
        return self._brought(question, request) if self._is_by_result else await self._by_request(request)

    async def _by_request(self, request: types.ElicitRequest) -> Answer:
        try:
            result = await self._ctx.session.send_request(
                request,
                types.ElicitResult,
                request_read_timeout_seconds=LIFETIME_S,
                metadata=ServerMessageMetadata(related_request_id=self._ctx.request_id),
            )
        except (MCPError, ValidationError):
            return Answer.DISMISSED  # the client could not ask after all, or took too long
        return _answer(result)

    def _brought(self, question: Question, request: types.ElicitRequest) -> Answer:
        subject = [question.text, question.subject]
        answer = (self._params.input_responses or {}).get(_KEY)
        if isinstance(answer, types.ElicitResult) and self._codes.redeem(self._params.request_state or "", subject):
            return _answer(answer)
        raise InputRequired(
            types.InputRequiredResult(input_requests={_KEY: request}, request_state=self._codes.issue(subject))
        )


def _request(question: Question) -> types.ElicitRequest:
    return types.ElicitRequest(
        params=types.ElicitRequestFormParams(message=safe_text(question.text), requested_schema=_SCHEMA)
    )


def _answer(result: types.ElicitResult) -> Answer:
    if result.action == "cancel":
        return Answer.DISMISSED
    is_yes = result.action == "accept" and result.content is not None and result.content.get(_KEY) is True
    return Answer.YES if is_yes else Answer.NO
