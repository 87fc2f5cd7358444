"""The registry of tools: each module of the package `tfruns.tools` contains the tool with the same name."""

import pkgutil
from functools import cache
from importlib import import_module

from tfruns import tools
from tfruns.policy import Policy
from tfruns.tool import Tool


@cache
def tool_names() -> frozenset[str]:
    """The names of all tools, without importing them."""
    return frozenset(module.name for module in pkgutil.iter_modules(tools.__path__))


def find_tool(name: str) -> Tool:
    """Import the tool with this name, which must be one of `tool_names`."""
    found: Tool = getattr(import_module(f"{tools.__name__}.{name}"), name)
    return found


def all_tools() -> list[Tool]:
    """All tools, in their declared order."""
    return sorted(map(find_tool, tool_names()), key=lambda tool: (tool.order, tool.name))


def offered_tools(policy: Policy) -> list[Tool]:
    """The tools that a policy's mode and toolsets permit."""
    return [tool for tool in all_tools() if policy.mode.includes(tool.mode) and tool.toolset in policy.toolsets]
