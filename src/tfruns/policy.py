"""What a server was started for: which tools it offers, and what their calls may do.

A mode is a promise to the person who started the server: whatever the assistant calls, in `read` nothing changes, and
in `plan` nothing is applied.
"""

from dataclasses import dataclass
from enum import StrEnum

from tfruns.errors import InvalidInput
from tfruns.scope import Scope


class Mode(StrEnum):
    """How much a server may do, from least to most."""

    READ = "read"
    PLAN = "plan"
    APPLY = "apply"

    def includes(self, other: "Mode") -> bool:
        """Whether whatever the other mode permits is permitted in this one."""
        order = list(Mode)
        return order.index(other) <= order.index(self)


class Confirm(StrEnum):
    """When a person has to confirm what cannot be undone."""

    AUTO = "auto"
    REVIEW = "review"
    ALWAYS = "always"
    NEVER = "never"


class Toolset(StrEnum):
    """The groups of tools."""

    RUNS = "runs"
    REVIEW = "review"
    WORKSPACES = "workspaces"
    CONFIGURATION = "configuration"
    POLICY = "policy"


def parse_toolsets(text: str | None) -> frozenset[Toolset]:
    """Groups of tools from a list with commas between; all where there is none.

    Raises:
        InvalidInput: a list that is empty, or has something else in it.
    """
    if text is None:
        return frozenset(Toolset)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or not set(names) <= set(Toolset):
        raise InvalidInput(
            "--toolsets has to name groups of tools.", solution=f"There are: {', '.join(Toolset)}; with commas between."
        )
    return frozenset(Toolset(name) for name in names)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a caller of the tools may do.

    Attributes:
        mode: which tools there are, and what they may do.
        confirm: whether a person has to confirm what cannot be undone.
        toolsets: the groups whose tools are offered.
        scope: the organizations and workspaces that may be touched.
    """

    mode: Mode = Mode.APPLY
    confirm: Confirm = Confirm.AUTO
    toolsets: frozenset[Toolset] = frozenset(Toolset)
    scope: Scope = Scope()  # noqa: RUF009  # it has no state
