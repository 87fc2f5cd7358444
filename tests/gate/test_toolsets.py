"""Which groups of tools are offered."""

import pytest

from tests.tools.calls import TOOLS
from tfruns.errors import InvalidInput
from tfruns.gate.registry import all_tools, offered_tools
from tfruns.mcp.connection import RemoteConnection
from tfruns.mcp.toolbox import Toolbox
from tfruns.policy import Mode, Policy, Toolset, parse_toolsets


@pytest.mark.parametrize("toolset", Toolset)
@pytest.mark.parametrize("mode", Mode)
def test_only_the_tools_of_the_chosen_groups_are_offered(toolset: Toolset, mode: Mode) -> None:
    offered = offered_tools(Policy(mode, toolsets=frozenset({toolset})))
    assert offered == [tool for tool in all_tools() if tool.toolset is toolset and mode.includes(tool.mode)]


def test_all_are_offered_where_none_is_chosen() -> None:
    assert parse_toolsets(None) == frozenset(Toolset)
    assert offered_tools(Policy()) == all_tools()


def test_groups_are_named_with_commas_between() -> None:
    assert parse_toolsets(" runs, review,runs ") == {Toolset.RUNS, Toolset.REVIEW}


@pytest.mark.parametrize("text", ["", " , ", "run", "runs,everything", "RUNS", "runs;review"])
def test_what_names_no_group_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--toolsets") as refused:
        parse_toolsets(text)
    assert all(toolset in refused.value.solution for toolset in Toolset)


def test_a_tool_of_another_group_is_said_to_be_one() -> None:
    toolbox = Toolbox(Policy(toolsets=frozenset({Toolset.POLICY})), RemoteConnection())
    for name, tool in TOOLS.items():
        if tool.toolset is not Toolset.POLICY:
            assert toolbox._unknown(name, []) == (
                f"The tool {name} is not offered: it is one of the toolset {tool.toolset}."
            )
