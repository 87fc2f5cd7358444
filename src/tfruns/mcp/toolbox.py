"""From an MCP request to a tool, and from what the tool returns or raises to an MCP result."""

import difflib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError

from tfruns.errors import TfrunsError
from tfruns.jsonapi import whole_text
from tfruns.mcp.caller import caller_of
from tfruns.mcp.connection import Connection
from tfruns.mcp.progress import progress_for
from tfruns.policy import Policy

_log = logging.getLogger(__name__)

_TRUE = {"1", "true", "yes", "on"}


class Toolbox:
    """The tools that one server offers, and the client that their calls share.

    Whatever is not needed to answer `initialize` is loaded with the first request that needs it.
    """

    def __init__(self, policy: Policy, connection: Connection, allowed_directories: tuple[Path, ...] = ()) -> None:
        self._policy = policy
        self._connection = connection
        self._allowed_directories = allowed_directories
        self._open_codes: Any = None  # the `Codes` of all calls
        self._is_raw = os.environ.get("TFRUNS_RAW", "").lower() in _TRUE

    async def aclose(self) -> None:
        """Close the client's connections."""
        await self._connection.aclose()

    async def list_tools(
        self, _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """What there is to call."""
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
                )
                for tool in self.offered().values()
            ]
        )

    async def call_tool(
        self, ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a tool. What the caller can act on is a failed result; anything else is an error of the protocol."""
        from tfruns.mcp.person import ClientsPerson, InputRequired  # noqa: PLC0415

        tool = self.offered().get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, self._unknown(params.name, list(self.offered())))
        try:
            gate = await self._gate(ctx)
            gate = replace(gate, person=ClientsPerson(ctx, params, gate.codes), progress=progress_for(ctx))
            return _result(await gate.call(tool, params.arguments or {}), is_error=False)
        except InputRequired as question:
            return question.result
        except TfrunsError as error:
            return _result(error.as_dict(), is_error=True)
        except Exception as error:  # noqa: BLE001  # the edge: its text may hold anything, and goes to the log alone
            _log.exception("The tool %s failed.", tool.name)
            raise MCPError(
                types.INTERNAL_ERROR,
                f"tfruns itself failed ({type(error).__name__}); its log has more. If this was to change something, "
                "read the run before doing it again.",
            ) from None

    async def view(self, ctx: ServerRequestContext[Any], name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What a tool that reads answers, for what is not the call of a tool.

        Raises:
            TfrunsError: whatever the tool raises.
        """
        gate = replace(await self._gate(ctx), is_raw=False)
        view: dict[str, Any] = await gate.call(self.offered()[name], arguments)
        return view

    def offered(self) -> dict[str, Any]:
        """The tools that this server offers, by name."""
        from tfruns.gate.registry import offered_tools  # noqa: PLC0415

        return {tool.name: tool for tool in offered_tools(self._policy)}

    async def _gate(self, ctx: ServerRequestContext[Any]) -> Any:
        """The `Gate` of this request."""
        from tfruns.gate.pipeline import Gate  # noqa: PLC0415

        return Gate(
            await self._connection.client(),
            self._policy,
            is_raw=self._is_raw,
            caller=caller_of(ctx),
            codes=self._codes(),
            allowed_directories=self._allowed_directories,
        )

    def _codes(self) -> Any:
        """The `Codes` of all calls."""
        from tfruns.gate.codes import Codes  # noqa: PLC0415

        self._open_codes = self._open_codes or Codes()
        return self._open_codes

    def _unknown(self, name: str, offered: list[str]) -> str:
        from tfruns.gate.registry import find_tool, tool_names  # noqa: PLC0415
        from tfruns.masking.redaction import safe_text  # noqa: PLC0415

        found = find_tool(name) if name in tool_names() else None
        if found is not None and found.toolset not in self._policy.toolsets:
            return f"The tool {name} is not offered: it is one of the toolset {found.toolset}."
        if found is not None:
            return f"The tool {name} is not offered in mode {self._policy.mode}."
        begins = [other for other in offered if other.startswith(name.lower())]
        near = begins or difflib.get_close_matches(name.lower(), offered, n=1)
        return f"Unknown tool: {safe_text(name[:60])}." + (f" Did you mean {near[0]}?" if near else "")


def as_text(view: Mapping[str, Any]) -> str:
    """A view as JSON without white space."""
    return json.dumps(whole_text(view), ensure_ascii=False, separators=(",", ":"))


def _result(view: dict[str, Any], *, is_error: bool) -> types.CallToolResult:
    """A result that is structured, with the same as JSON without white space for those who read text."""
    text = as_text(view)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)],
        structured_content=json.loads(text),
        is_error=is_error,
    )
