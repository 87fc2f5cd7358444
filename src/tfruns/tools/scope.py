"""What a server may touch at all: organizations and workspaces, named when it was started.

A scope holds for whatever a call names or reaches, and where both of its limits are given, both hold. Names are
compared to the letter, and with those that the API has, never with what a caller wrote: an address, an id or another
spelling of the same thing is resolved first. Whose place is not known is outside.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tfruns.errors import InvalidInput

_NAME_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,128}")
_WORKSPACE_ID = re.compile(r"ws-[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace and where it is, by the API's own names; what the API did not say is None."""

    id: str
    name: str | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The organizations and workspaces that may be touched; with none given, all.

    Attributes:
        organizations: names, in which * and ? stand for any characters and for any one.
        workspaces: `organization/name`, with the same patterns in both, and ids.
    """

    organizations: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Whether anything is outside of it."""
        return bool(self.organizations or self.workspaces)

    def has_organization(self, name: str) -> bool:
        """Whether something in this organization may be touched."""
        by_name = not self.organizations or any(fnmatchcase(name, pattern) for pattern in self.organizations)
        return by_name and (
            not self.workspaces
            or any("/" not in pattern or fnmatchcase(name, _owner(pattern)) for pattern in self.workspaces)
        )

    def has_workspace(self, place: Place) -> bool:
        """Whether this workspace may be touched."""
        if self.organizations and (place.organization is None or not self.has_organization(place.organization)):
            return False
        full_name = f"{place.organization}/{place.name}" if place.organization and place.name else None
        return not self.workspaces or any(
            fnmatchcase(full_name or "", pattern) if "/" in pattern else pattern == place.id
            for pattern in self.workspaces
        )

    def references_in(self, organization: str) -> list[str] | None:
        """What names all workspaces of an organization that may be touched; None if wildcards do, or nothing."""
        patterns = [pattern for pattern in self.workspaces if "/" not in pattern or _is_of(pattern, organization)]
        references = [
            f"{organization}/{pattern.partition('/')[2]}" if "/" in pattern else pattern for pattern in patterns
        ]
        has_wildcards = not self.workspaces or any(set(reference) & {"*", "?"} for reference in references)
        return None if has_wildcards else list(dict.fromkeys(references))


def _owner(pattern: str) -> str:
    return pattern.partition("/")[0]


def _is_of(pattern: str, organization: str) -> bool:
    return fnmatchcase(organization, _owner(pattern))


def parse_scope(organizations: str | None = None, workspaces: str | None = None) -> Scope:
    """A scope from two lists with commas between; what is None limits nothing.

    Raises:
        InvalidInput: a list that is empty, or has something in it that can be no name.
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
        raise InvalidInput(f"{option} is empty, and would limit nothing.", solution="Name something, or leave it out.")
    return items


def _organization(item: str) -> str:
    if _NAME_PATTERN.fullmatch(item):
        return item
    raise InvalidInput("In --organizations is something that is not the name of an organization.")


def _workspace(item: str) -> str:
    owner, slash, name = item.partition("/")
    if _WORKSPACE_ID.fullmatch(item) or (slash and _NAME_PATTERN.fullmatch(owner) and _NAME_PATTERN.fullmatch(name)):
        return item
    raise InvalidInput(
        "In --workspaces is something that is neither organization/name nor an id.",
        solution="Write organization/name (with * and ? if you like) or ws-….",
    )
