"""The request handlers for tools: from an MCP request to a tool call, and from its outcome to an MCP result."""

import difflib
import json
import logging
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError

from tfruns.errors import TfrunsError
from tfruns.jsonapi import whole_text
from tfruns.masking.redaction import redact, safe_text
from tfruns.masking.text import one_line
from tfruns.mcp.connection import Connection
from tfruns.mcp.pages import Pages
from tfruns.policy import Policy
from tfruns.progress import NoProgress, Progress

_log = logging.getLogger(__name__)

_MAX_NAME = 60  # characters of the name of a client
_MAX_PROGRESS = 400  # characters of a message; those of tools have at most 320
_TRUE = {"1", "true", "yes", "on"}


class ToolHandlers:
    """The tools that a server offers, and the client that their calls share.

    Modules that `initialize` does not need are imported by the first request that needs them.
    """

    def __init__(
        self,
        policy: Policy,
        connection: Connection,
        allowed_directories: tuple[Path, ...] = (),
        pages: Pages | None = None,
    ) -> None:
        self._policy = policy
        self._pages = pages
        self._connection = connection
        self._allowed_directories = allowed_directories
        self._open_codes: Any = None  # the `ConfirmationCodes` of all calls
        self._is_raw = os.environ.get("TFRUNS_RAW", "").lower() in _TRUE

    async def aclose(self) -> None:
        """Stop the server of the pages, and close the client's connections."""
        if self._pages is not None:
            await self._pages.aclose()
        await self._connection.aclose()

    async def list_tools(
        self, ctx: ServerRequestContext[Any], _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """List the tools that the server offers."""
        from tfruns.mcp.apps import metadata_of_tool  # noqa: PLC0415

        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=tool.name,
                    title=tool.title,
                    description=tool.description,
                    input_schema=dict(tool.input_schema),
                    annotations=types.ToolAnnotations(
                        read_only_hint=tool.is_read_only,
                        destructive_hint=tool.is_destructive,
                        idempotent_hint=tool.is_idempotent,
                    ),
                    _meta=metadata_of_tool(ctx, tool.name) if self._pages else None,
                )
                for tool in self.offered().values()
            ]
        )

    async def call_tool(
        self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a tool. An error that the caller can act on is a failed result; any other is a protocol error."""
        from tfruns.mcp.apps import metadata_of_result  # noqa: PLC0415
        from tfruns.mcp.person import ElicitedPerson, InputRequired  # noqa: PLC0415
        from tfruns.views.base import as_json  # noqa: PLC0415

        tool = self.offered().get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, self._unknown(params.name, list(self.offered())))
        try:
            gate = await self._gate(ctx)
            progress = progress_for(ctx)
            has_pages = self._pages is not None
            person = ElicitedPerson(ctx, params, gate.codes, self._policy.confirm, has_pages, progress)
            gate = replace(gate, person=person, pages=self._pages, progress=progress)
            view = as_json(await gate.call(tool, params.arguments or {}))
            return _result(view, meta=await metadata_of_result(ctx, self._pages, tool.name, view))
        except InputRequired as question:
            return question.result
        except TfrunsError as error:
            return _result(error.as_dict(), is_error=True)
        except Exception as error:  # noqa: BLE001  # an unexpected error may contain anything: its text is only logged
            _log.exception("The tool %s failed.", tool.name)
            raise MCPError(
                types.INTERNAL_ERROR,
                f"tfruns failed unexpectedly ({type(error).__name__}). Its log has the details. If the call changes "
                "something, read the run before you repeat it.",
            ) from None

    async def view(self, ctx: ServerRequestContext[Any], name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a read-only tool for another request, and return its view.

        Raises:
            TfrunsError: the gate refuses the call, or the tool fails.
        """
        from tfruns.views.base import as_json  # noqa: PLC0415

        gate = replace(await self._gate(ctx), is_raw=False)
        view: dict[str, Any] = as_json(await gate.call(self.offered()[name], arguments))
        return view

    @property
    def pages(self) -> Pages | None:
        """The pages of this process; None if it serves none."""
        return self._pages

    def offered(self) -> dict[str, Any]:
        """The offered tools by name."""
        from tfruns.gate.registry import offered_tools  # noqa: PLC0415

        return {tool.name: tool for tool in offered_tools(self._policy)}

    async def _gate(self, ctx: ServerRequestContext[Any]) -> Any:
        """The `Gate` for a request."""
        from tfruns.gate.pipeline import Gate  # noqa: PLC0415

        return Gate(
            await self._connection.client(),
            self._policy,
            is_raw=self._is_raw,
            caller=caller_of(ctx),
            caller_version=version_of(ctx),
            codes=self._codes(),
            allowed_directories=self._allowed_directories,
        )

    def _codes(self) -> Any:
        """The `ConfirmationCodes` that all calls share."""
        from tfruns.gate.codes import ConfirmationCodes  # noqa: PLC0415

        self._open_codes = self._open_codes or ConfirmationCodes()
        return self._open_codes

    def _unknown(self, name: str, offered: list[str]) -> str:
        from tfruns.gate.registry import find_tool, tool_names  # noqa: PLC0415

        found = find_tool(name) if name in tool_names() else None
        if found is not None and found.toolset not in self._policy.toolsets:
            return f"The tool {name} is not offered: its toolset {found.toolset} is disabled."
        if found is not None:
            return f"The tool {name} is not offered in mode {self._policy.mode}."
        begins = [other for other in offered if other.startswith(name.lower())]
        near = begins or difflib.get_close_matches(name.lower(), offered, n=1)
        return f"Unknown tool: {safe_text(name[:60])}." + (f" Did you mean {near[0]}?" if near else "")


def as_text(view: Mapping[str, Any]) -> str:
    """A view as JSON without whitespace."""
    return json.dumps(whole_text(view), ensure_ascii=False, separators=(",", ":"))


def _result(
    view: dict[str, Any], *, is_error: bool = False, meta: dict[str, Any] | None = None
) -> types.CallToolResult:
    """A structured result, and the same as compact JSON for clients that read text."""
    text = as_text(view)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)],
        structured_content=json.loads(text),
        is_error=is_error,
        _meta=meta,
    )


# -- the caller -------------------------------------------------------------------------------------------------------


def caller_of(ctx: ServerRequestContext[Any]) -> str:
    """The client's name, from its handshake or, in revisions without one, from this request; else "MCP client"."""
    client = ctx.session.client_params
    name = client.client_info.title or client.client_info.name if client else None
    return caller_name(name) or "MCP client"


def version_of(ctx: ServerRequestContext[Any]) -> str:
    """The client's version; empty if it is unknown."""
    client = ctx.session.client_params
    return caller_name(client.client_info.version) if client else ""


def caller_name(name: str | None) -> str:
    """The name of a client on one line, without invisible characters and without text that looks like a secret."""
    shown = "".join(char if unicodedata.category(char)[0] not in "CZ" else " " for char in (name or "")[:1000])
    return redact(" ".join(shown.split()))[:_MAX_NAME].strip()


class ProgressNotifications:
    """Sends progress notifications to a client that called with a progress token."""

    def __init__(self, ctx: ServerRequestContext[Any]) -> None:
        self._session = ctx.session

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        """Send a notification for the request. The message is truncated, because it is sanitized on the event loop."""
        await self._session.report_progress(done, total, safe_text(one_line(message, _MAX_PROGRESS)))


def progress_for(ctx: ServerRequestContext[Any]) -> Progress:
    """Notifications if the caller requested them with a progress token; otherwise, nothing is reported."""
    has_token = ctx.meta is not None and ctx.meta.get("progress_token") is not None
    return ProgressNotifications(ctx) if has_token else NoProgress()
