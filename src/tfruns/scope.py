"""The scope of a server: the organizations and workspaces that it may access.

A scope applies to everything that a call names or reaches. If both limits are given, both apply. A URL, an id or
another reference is resolved first, and the names in the API are compared exactly. A workspace whose location is
unknown is outside the scope.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tfruns.errors import InvalidInput
from tfruns.masking.text import one_line

if TYPE_CHECKING:  # a server starts without the models of the API
    from tfruns.wire.workspaces import Workspace

_NAME_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,128}")
_WORKSPACE_ID = re.compile(r"ws-[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, slots=True)
class WorkspaceLocation:
    """The id, name and organization of a workspace, as the API spells them; None if the API omits one."""

    id: str
    name: str | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The organizations and workspaces that may be accessed; all if none is given.

    Attributes:
        organizations: names with wildcards: * for any characters, ? for one.
        workspaces: `organization/name`, with the same patterns in both, and ids.
    """

    organizations: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Whether anything is outside the scope."""
        return bool(self.organizations or self.workspaces)

    def has_organization(self, name: str) -> bool:
        """Whether anything in this organization may be accessed."""
        by_name = not self.organizations or any(fnmatchcase(name, pattern) for pattern in self.organizations)
        return by_name and (
            not self.workspaces
            or any("/" not in pattern or fnmatchcase(name, _owner(pattern)) for pattern in self.workspaces)
        )

    def has_workspace(self, location: WorkspaceLocation) -> bool:
        """Whether this workspace may be accessed."""
        if self.organizations and (location.organization is None or not self.has_organization(location.organization)):
            return False
        full_name = f"{location.organization}/{location.name}" if location.organization and location.name else None
        return not self.workspaces or any(
            fnmatchcase(full_name or "", pattern) if "/" in pattern else pattern == location.id
            for pattern in self.workspaces
        )

    @property
    def named_organizations(self) -> list[str] | None:
        """The accessible organizations if the limits name all of them; None if they have to be looked up."""
        owners = [_owner(pattern) if "/" in pattern else "*" for pattern in self.workspaces] or self.organizations
        if not owners or any(set(owner) & {"*", "?"} for owner in owners):
            return None
        return [owner for owner in dict.fromkeys(owners) if self.has_organization(owner)]

    def references_in(self, organization: str) -> list[str] | None:
        """References to all accessible workspaces of an organization; None if patterns are needed to find them."""
        patterns = [pattern for pattern in self.workspaces if "/" not in pattern or _is_of(pattern, organization)]
        references = [
            f"{organization}/{pattern.partition('/')[2]}" if "/" in pattern else pattern for pattern in patterns
        ]
        has_wildcards = not self.workspaces or any(set(reference) & {"*", "?"} for reference in references)
        return None if has_wildcards else list(dict.fromkeys(references))


def location_of(workspace: "Workspace") -> WorkspaceLocation:
    """The location of a workspace, as the API spells it."""
    organization = workspace.organization.id if workspace.organization else None
    return WorkspaceLocation(workspace.id, workspace.name, organization)


def _owner(pattern: str) -> str:
    return pattern.partition("/")[0]


def _is_of(pattern: str, organization: str) -> bool:
    return fnmatchcase(organization, _owner(pattern))


def parse_scope(organizations: str | None = None, workspaces: str | None = None) -> Scope:
    """A scope from two comma-separated lists; None means no limit.

    Raises:
        InvalidInput: a list is empty, or has an item that cannot be a name.
    """
    return Scope(
        tuple(_organization(item) for item in _items(organizations, "--organizations")),
        tuple(_workspace(item) for item in _items(workspaces, "--workspaces")),
    )


def _items(text: str | None, option: str) -> list[str]:
    if text is None:
        return []
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items:
        raise InvalidInput(f"{option} is empty.", solution="Give at least one name, or omit the option.")
    return items


def _organization(item: str) -> str:
    if _NAME_PATTERN.fullmatch(item):
        return item
    raise InvalidInput(
        f'--organizations contains an invalid name, "{one_line(item, 60)}".',
        solution="Use names of organizations, which may contain the wildcards * and ?.",
    )


def _workspace(item: str) -> str:
    owner, slash, name = item.partition("/")
    if _WORKSPACE_ID.fullmatch(item) or (slash and _NAME_PATTERN.fullmatch(owner) and _NAME_PATTERN.fullmatch(name)):
        return item
    raise InvalidInput(
        f'--workspaces contains an invalid item, "{one_line(item, 60)}".',
        solution="Use organization/name, which may contain the wildcards * and ?, or an id (ws-…).",
    )
