"""What exists, for an error about an id or a name that does not.

The error names only what the caller can list: what is in the scope, and readable with the token. Each list is read with
requests that do not depend on whether the wrong name exists outside the scope.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tfruns.client.client import Client
from tfruns.client.listing import Listing
from tfruns.client.references import WorkspaceName, parse_workspace
from tfruns.client.run_filters import RunFilters
from tfruns.errors import InvalidInput, NotFound, OutOfScope, TfrunsError
from tfruns.next_actions import NextAction
from tfruns.runs.organizations import find_organization, visible_organizations
from tfruns.runs.scoped_lists import (
    has_workspace_inside,
    list_of_workspaces,
    runs_in_scope,
    there_are,
    workspaces_in_scope,
)
from tfruns.scope import Scope
from tfruns.tool import Role
from tfruns.wire.base import Resource
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace
from tfruns.wording import listed

R = TypeVar("R", bound=Resource)

_MAX_NAMES = 10  # that an error lists
_MAX_RUNS = 5
_PAGE = 100
_SHORTEST_SEARCH = 3  # characters of a part of a name


@dataclass(frozen=True, slots=True)
class Missing:
    """Errors for ids and names that do not exist, with those that do.

    Attributes:
        scope: limits what is told.
        client: the API.
    """

    scope: Scope
    client: Client

    async def workspace(self, reference: str) -> TfrunsError | None:
        """The error for a workspace; None if it exists."""
        if await _exists(self.client.workspaces.read(reference)):
            return None
        organization = await self._organization_of(reference)
        if organization is None:
            return None
        name = reference.strip().rpartition("/")[2]
        try:
            told = await self._workspaces(organization, name)
        except NotFound:
            return await self.organization(organization)
        return _not_found(f'No workspace "{name}" in {organization}. {told}', list_of_workspaces(organization))

    async def run(self, reference: str) -> TfrunsError | None:
        """The error for a run; None if it exists."""
        if await _exists(self.client.runs.read(reference)):
            return None
        told = await self._latest_runs()
        return _not_found(f"Run {self.client.runs.id_of(reference)} was not found. {told}".rstrip())

    async def organization(self, name: str) -> TfrunsError | None:
        """The error for an organization; None if it exists."""
        visible = await visible_organizations(self.scope, self.client)
        if name in visible or not visible:
            return None
        return _not_found(f'No organization "{name}". {there_are(visible, name)}')

    async def configuration_version(self, workspace: str, wrong: str) -> TfrunsError | None:
        """The error for a configuration version; None if it exists."""
        if await _exists(self.client.configuration_versions.read(wrong)):
            return None
        told = await newest(self.client.configuration_versions.list_for_workspace(workspace))
        return _not_found(f"No configuration version {wrong}. {told}")

    async def in_scope(self, error: OutOfScope, role: Role, reference: str) -> OutOfScope | None:
        """The error, with what exists in the scope. It does not depend on what exists outside."""
        told = await self._told_in_scope(role, reference)
        return OutOfScope(f"{error.message} {told}") if told else None

    async def _told_in_scope(self, role: Role, reference: str) -> str:
        if role is Role.ORGANIZATION:
            return there_are(await visible_organizations(self.scope, self.client), reference)
        if role is Role.RUN:
            return await self._latest_runs()
        organization = await self._organization_of(reference)
        if organization is None:
            return ""
        if self.scope.workspaces and not await has_workspace_inside(self.scope, self.client, organization):
            organization = await find_organization(self.scope, self.client)
        return await self._workspaces(organization, reference.strip().rpartition("/")[2])

    async def _workspaces(self, organization: str, wrong: str) -> str:
        page = await workspaces_in_scope(self.scope, self.client, organization).page(size=_PAGE)
        names = _names(page.items)
        for part in _parts(wrong) if page.pagination.next_page else ():
            similar = await workspaces_in_scope(self.scope, self.client, organization, search=part).page(size=_PAGE)
            if similar.items:
                names += _names(similar.items)
                break
        return there_are(names, wrong, total=page.pagination.total_count)

    async def _organization_of(self, workspace: str) -> str | None:
        """The organization that a reference names, or the default one; None if neither is accessible."""
        settings = self.client.settings
        try:
            found = parse_workspace(workspace, settings.address, settings.organization)
            if isinstance(found, WorkspaceName) and self.scope.has_organization(found.organization):
                return found.organization
            return await find_organization(self.scope, self.client)
        except InvalidInput:
            return None

    async def _latest_runs(self) -> str:
        """The sentence about the latest runs of the default organization; empty if there is no such organization."""
        try:
            organization = await find_organization(self.scope, self.client)
        except InvalidInput:
            return ""
        page = await runs_in_scope(self.scope, self.client, organization, RunFilters()).page(size=_MAX_RUNS)
        runs = [_described(run) for run in page.items]
        return f"The latest runs in {organization}: {', '.join(runs)}." if runs else f"{organization} has no runs."


async def newest(listing: Listing[R]) -> str:
    """The sentence about the first of a workspace's resources, whose list is newest first."""
    page = await listing.page(size=_PAGE)
    ids = [item.id for item in page.items]
    return f"The newest of this workspace: {listed(ids, _MAX_NAMES)}." if ids else "This workspace has none."


async def _exists(read: Awaitable[object]) -> bool:
    try:
        await read
    except NotFound:
        return False
    return True


def _not_found(message: str, *following: NextAction) -> NotFound:
    return NotFound(
        message,
        solution="Verify the id or name. If it is right, use a user or team token that can read it.",
        next_actions=following,
    )


def _described(run: Run) -> str:
    workspace = run.follow(run.workspace, Workspace)
    name = f" in {workspace.name}" if workspace and workspace.name else ""
    return f"{run.id} ({run.status}{name})"


def _names(workspaces: Sequence[Workspace]) -> list[str]:
    return [workspace.name for workspace in workspaces if workspace.name]


def _parts(name: str) -> list[str]:
    """The parts of a name, longest first, with which similar names are searched."""
    parts = name.replace("_", "-").split("-")
    return sorted((part for part in parts if len(part) >= _SHORTEST_SEARCH), key=len, reverse=True)
