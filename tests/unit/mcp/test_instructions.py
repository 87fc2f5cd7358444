"""The instructions of the server: the lines of the offered tools, and the limits of the server."""

import re
from itertools import combinations, product

from tfruns.gate.registry import all_tools, offered_tools, tool_names
from tfruns.mcp.instructions import instructions
from tfruns.policy import Mode, Policy, Toolset
from tfruns.scope import parse_scope

_LIMITS = {
    Mode.READ: "This server is read-only: it cannot change anything.",
    Mode.PLAN: "This server is for planning: it can create runs, but nothing can be applied.",
}
_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def policies() -> list[Policy]:
    toolsets = [frozenset(some) for size in (1, 2, 5) for some in combinations(Toolset, size)]
    return [Policy(mode, toolsets=some) for mode, some in product(Mode, toolsets)]


def test_lines_are_those_of_the_offered_tools_in_order() -> None:
    declared = {tool.instruction for tool in all_tools() if tool.instruction}
    assert declared
    for policy in policies():
        lines = [line for line in instructions(policy).splitlines() if line in declared]
        assert lines == [tool.instruction for tool in offered_tools(policy) if tool.instruction], policy


def test_line_names_its_tool_first_and_only_existing_tools() -> None:
    for tool in all_tools():
        if tool.instruction:
            names = [name for name in _NAME.findall(tool.instruction) if name.endswith("_run") or name in tool_names()]
            assert names[0] == tool.name
            assert set(names) <= tool_names()


def test_limits_of_the_server_are_last() -> None:
    for policy in policies():
        lines = instructions(policy).splitlines()
        limit = _LIMITS.get(policy.mode)
        assert (lines[-1] == limit) is (limit is not None)
        assert ("Accepted does not mean finished" in instructions(policy)) is (policy.mode is not Mode.READ)


def test_fixed_organization_is_mentioned() -> None:
    assert "\nThe organization is default; it can be omitted.\n" in instructions(Policy(), "default")
    assert "The organization is" not in instructions(Policy())


def test_limited_scope_is_mentioned() -> None:
    limited = instructions(Policy(scope=parse_scope(organizations="acme")))
    assert limited.splitlines()[-1].endswith("out_of_scope cannot be circumvented.")
    assert "out_of_scope" not in instructions(Policy())


def test_instructions_fit_the_limit_of_clients() -> None:
    """Claude Code cuts them after 2,048 characters.

    Source: https://dev.to/rulestack/20-of-20-runs-sent-serverdiscover-to-our-stdio-mcp-server-off-by-default-per-the-docs-and-its-12m2
    """
    longest = max(len(instructions(Policy(mode, scope=parse_scope("acme", None)))) for mode in Mode)
    assert 1_000 < longest <= 2_048
