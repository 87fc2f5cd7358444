"""Next steps as data: the call of a tool that follows a result or an error, and why.

An MCP client gets them as they are. The command line and the web pages render them in their own words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# The tools that a next step may name. A test compares the names with the registry.
APPLY_RUN = "apply_run"
CREATE_RUN = "create_run"
DIAGNOSE_RUN = "diagnose_run"
GET_RUN_DETAILS = "get_run_details"
GET_RUN_LOGS = "get_run_logs"
LIST_RUNS_IN_ORGANIZATION = "list_runs_in_organization"
LIST_RUNS_IN_WORKSPACE = "list_runs_in_workspace"
LIST_WORKSPACES = "list_workspaces"
RERUN = "rerun"
REVIEW_RUN = "review_run"
SET_WORKSPACE_LOCK = "set_workspace_lock"
WAIT_FOR_RUN = "wait_for_run"


@dataclass(frozen=True, slots=True)
class NextAction:
    """A call that is likely to follow.

    Attributes:
        tool: the name of the tool.
        arguments: its arguments.
        reason: the effect of the call, as the end of a sentence that begins with the call: "shows the plan".
    """

    tool: str
    arguments: Mapping[str, Any]
    reason: str

    @classmethod
    def for_run(cls, tool: str, run_id: str, reason: str, **arguments: Any) -> "NextAction":
        """A call for one run."""
        return cls(tool, {"run_id": run_id, **arguments}, reason)


@dataclass(frozen=True, slots=True)
class Argument:
    """The name of a tool's argument within a text. A frontend shows its own name for it."""

    name: str


Text = str | tuple[str | Argument, ...]
"""A text, or its parts if it names arguments."""


def joined(text: Text, name_of: Callable[[str], str] = str) -> str:
    """A text as one string, with each argument by the name that `name_of` returns."""
    return "".join(name_of(part.name) if isinstance(part, Argument) else part for part in parts_of(text))


def parts_of(text: Text) -> tuple[str | Argument, ...]:
    """The parts of a text."""
    return (text,) if isinstance(text, str) else text
