"""The policy of a server: the tools that it offers, and the permissions of their calls.

A mode is a guarantee, whatever an assistant calls: in `read`, nothing changes; in `plan`, nothing is applied.
"""

from dataclasses import dataclass
from enum import StrEnum

from tfruns.errors import InvalidInput
from tfruns.masking.text import one_line
from tfruns.scope import Scope


class Mode(StrEnum):
    """The permissions of a server, from least to most."""

    READ = "read"
    PLAN = "plan"
    APPLY = "apply"

    def includes(self, other: "Mode") -> bool:
        """Whether this mode permits everything that the other mode permits."""
        order = list(Mode)
        return order.index(other) <= order.index(self)


class Confirm(StrEnum):
    """When a person has to confirm a call that cannot be undone."""

    AUTO = "auto"
    REVIEW = "review"
    ALWAYS = "always"
    PAGE = "page"
    NEVER = "never"


class Toolset(StrEnum):
    """The groups of tools."""

    RUNS = "runs"
    REVIEW = "review"
    WORKSPACES = "workspaces"
    CONFIGURATION = "configuration"
    POLICY = "policy"
    ADMINISTRATION = "administration"


DEFAULT_TOOLSETS = frozenset(Toolset) - {Toolset.ADMINISTRATION}
"""The toolsets of a server that is started without --toolsets. Changing workspaces has to be asked for."""

_SEVERAL = {"default": DEFAULT_TOOLSETS, "all": frozenset(Toolset)}


def parse_toolsets(text: str | None) -> frozenset[Toolset]:
    """Parse a comma-separated list of toolsets, `default` and `all`; None means `default`.

    Raises:
        InvalidInput: the list is empty, or contains an unknown toolset.
    """
    if text is None:
        return DEFAULT_TOOLSETS
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [*Toolset, *_SEVERAL]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        found = f'contains an unknown toolset, "{one_line(unknown[0], 40)}"' if unknown else "is empty"
        raise InvalidInput(f"--toolsets {found}.", solution=f"Use a comma-separated list of {', '.join(known)}.")
    return frozenset[Toolset]().union(*(_SEVERAL.get(name) or {Toolset(name)} for name in names))


@dataclass(frozen=True, slots=True)
class Policy:
    """The permissions of a caller.

    Attributes:
        mode: limits the tools and their effects.
        confirm: when a person has to confirm a call.
        toolsets: the groups of tools that are offered.
        scope: the organizations and workspaces that may be accessed.
    """

    mode: Mode = Mode.APPLY
    confirm: Confirm = Confirm.AUTO
    toolsets: frozenset[Toolset] = frozenset(Toolset)
    scope: Scope = Scope()  # noqa: RUF009  # immutable
