"""The toolsets that a server offers."""

import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolRequestParams

from tests.support.requests import a_request
from tests.support.tables import rows
from tests.tools.calls import TOOLS
from tfruns.errors import InvalidInput
from tfruns.gate.registry import all_tools, offered_tools
from tfruns.mcp.connection import RemoteConnection
from tfruns.mcp.tool_handlers import ToolHandlers
from tfruns.policy import Mode, Policy, Toolset, parse_toolsets


@rows("toolset", Toolset)
@rows("mode", Mode)
def test_only_tools_of_the_selected_toolsets_are_offered(toolset: Toolset, mode: Mode) -> None:
    offered = offered_tools(Policy(mode, toolsets=frozenset({toolset})))
    assert offered == [tool for tool in all_tools() if tool.toolset is toolset and mode.includes(tool.mode)]


def test_administration_is_offered_only_on_request() -> None:
    assert parse_toolsets(None) == parse_toolsets("default") == frozenset(Toolset) - {Toolset.ADMINISTRATION}
    assert parse_toolsets("all") == parse_toolsets("default,administration") == frozenset(Toolset)
    assert offered_tools(Policy()) == all_tools()  # of a program, which names its tools
    administration = {tool.name for tool in all_tools() if tool.toolset is Toolset.ADMINISTRATION}
    assert administration == {"set_variable", "save_workspace", "delete_workspace", "roll_back_state"}


def test_toolsets_are_comma_separated() -> None:
    assert parse_toolsets(" runs, review,runs ") == {Toolset.RUNS, Toolset.REVIEW}


@rows(
    ("text", "message"),
    [
        ("", "--toolsets is empty."),
        (" , ", "--toolsets is empty."),
        ("run", '--toolsets contains an unknown toolset, "run".'),
        ("runs,everything,more", '--toolsets contains an unknown toolset, "everything".'),
        ("RUNS", '--toolsets contains an unknown toolset, "RUNS".'),
        ("runs;review", '--toolsets contains an unknown toolset, "runs;review".'),
        ("a\x1b[31mb", '--toolsets contains an unknown toolset, "ab".'),
    ],
)
def test_unknown_toolset_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_toolsets(text)
    assert refused.value.message == message
    assert refused.value.solution == f"Use a comma-separated list of {', '.join([*Toolset, 'default', 'all'])}."


async def test_error_names_the_toolset_of_a_tool_that_is_not_offered() -> None:
    handlers = ToolHandlers(Policy(toolsets=frozenset({Toolset.POLICY})), RemoteConnection())
    for name, tool in TOOLS.items():
        if tool.toolset is not Toolset.POLICY:
            with pytest.raises(MCPError) as refused:
                await handlers.call_tool(a_request(), CallToolRequestParams(name=name))
            assert refused.value.error.message == (
                f"The tool {name} is not offered: its toolset {tool.toolset} is disabled."
            )
