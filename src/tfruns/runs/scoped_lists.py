"""Lists of an organization under a scope of workspaces: made from what is inside, so that nothing tells of the rest.

The workspaces inside are found first, by requests that do not depend on what is searched for. Searches and filters then
run over these alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tfruns.client.client import Client
from tfruns.client.listing import Listing, Page
from tfruns.client.run_filters import RunFilters, Words
from tfruns.errors import Forbidden, InvalidInput, NotFound, OutOfScope
from tfruns.jsonapi import JSON, Pagination
from tfruns.next_actions import LIST_WORKSPACES, Argument, NextAction
from tfruns.scope import Scope, location_of
from tfruns.wire.base import Resource
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_MAX_WORKSPACES = 50  # that one list of runs covers: their names have to fit into an address

_NAMES = Argument("filter_workspace_names")

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class _Found:
    """A workspace in the scope, with the API's object and its included resources."""

    workspace: Workspace
    source: JSON
    included: Sequence[JSON] = ()


def workspaces_in_scope(
    scope: Scope, client: Client, organization: str, *, search: str, include: Sequence[str]
) -> Listing[Workspace]:
    """The workspaces of an organization that are inside, and whose name contains the search text."""

    async def read_page(number: int, size: int) -> Page[Workspace]:
        inside = await _inside(scope, client, organization, include)
        matching = [found for found in inside if search.casefold() in (found.workspace.name or "").casefold()]
        shown = matching[(number - 1) * size : number * size]
        total_pages = max(1, -(-len(matching) // size))
        place = Pagination(number, size, number + 1 if number < total_pages else None, total_pages, len(matching))
        document = _document(
            [found.source for found in shown], [item for found in shown for item in found.included], place
        )
        return Page([found.workspace for found in shown], place, document)

    return Listing(read_page)


def runs_in_scope(scope: Scope, client: Client, organization: str, filters: RunFilters) -> Listing[Run]:
    """The runs of the workspaces of an organization that are inside."""

    async def read_page(number: int, size: int) -> Page[Run]:
        inside = [found.workspace for found in await _inside(scope, client, organization, ())]
        wanted = _named(organization, inside, filters.workspace_names)
        if not wanted:
            place = Pagination(number, size)
            return Page((), place, _document([], [], place))
        if len(wanted) == 1:
            of_one = replace(filters, workspace_names=None)
            return await client.runs.list_for_workspace(wanted[0].id, of_one, include=["workspace"]).page(
                number, size=size
            )
        names = ",".join(str(workspace.name) for workspace in wanted)
        of_these = replace(filters, workspace_names=names)
        page = await client.runs.list_for_organization(organization, of_these, include=["workspace"]).page(
            number, size=size
        )
        return _only(page, {workspace.id for workspace in wanted})

    return Listing(read_page)


async def has_workspace_inside(scope: Scope, client: Client, organization: str) -> bool:
    """Whether an organization has a workspace in the scope."""
    return bool(await _inside(scope, client, organization, ()))


async def _inside(scope: Scope, client: Client, organization: str, include: Sequence[str]) -> list[_Found]:
    """All workspaces of an organization that are inside, by name."""
    references = scope.references_in(organization)
    found: list[_Found] = []
    if references is None:
        found = await _listed(client, organization, include)
    else:
        for reference in references:
            try:
                workspace = await client.workspaces.read(reference, include=include)
            except (NotFound, Forbidden):
                continue
            document = workspace.document or {}
            found.append(_Found(workspace, document.get("data"), document.get("included") or ()))
    inside = {
        item.workspace.id: item
        for item in found
        if (location := location_of(item.workspace)).organization in (None, organization)
        and scope.has_workspace(replace(location, organization=organization) if references is None else location)
    }
    return sorted(inside.values(), key=lambda item: item.workspace.name or "")


async def _listed(client: Client, organization: str, include: Sequence[str]) -> list[_Found]:
    found: list[_Found] = []
    number: int | None = 1
    listing = client.workspaces.list_for_organization(organization, include=include)
    while number is not None:
        try:
            page = await listing.page(number, size=100)
        except (NotFound, Forbidden):
            return found  # as an organization in which nothing is inside
        sources, included = page.document.get("data") or (), page.document.get("included") or ()
        found += [_Found(item, source, included) for item, source in zip(page.items, sources, strict=True)]
        following = page.pagination.next_page
        number = following if following is not None and following > number else None
    return found


def _named(organization: str, inside: Sequence[Workspace], names: Words) -> Sequence[Workspace]:
    """The workspaces that a list of runs covers.

    Raises:
        OutOfScope: one of the names is of none of them.
        InvalidInput: they are too many for one list.
    """
    wanted = inside
    texts = names.split(",") if isinstance(names, str) else names or ()
    if given := {name.strip() for name in texts if name.strip()}:
        wanted = [workspace for workspace in inside if workspace.name in given]
        if given - {workspace.name for workspace in wanted}:
            raise OutOfScope((_NAMES, " names a workspace that is outside the scope of this server."))
    if len(wanted) > _MAX_WORKSPACES:
        raise InvalidInput(
            f"One list covers at most {_MAX_WORKSPACES} of the workspaces in the scope of this server.",
            solution=("Name some of them in ", _NAMES, "."),
            next_actions=(NextAction(LIST_WORKSPACES, {"organization": organization}, "lists their names"),),
        )
    return wanted


def _only(page: Page[Run], workspace_ids: set[str]) -> Page[Run]:
    """The page without runs of other workspaces, should the API have answered with some."""
    is_inside = [run.workspace is not None and run.workspace.id in workspace_ids for run in page.items]
    if all(is_inside):
        return page
    sources = page.document.get("data") or ()
    items = [run for run, keep in zip(page.items, is_inside, strict=True) if keep]
    kept = [source for source, keep in zip(sources, is_inside, strict=True) if keep]
    place = replace(page.pagination, total_count=None, total_pages=None)
    return Page(items, place, _document(kept, page.document.get("included") or (), place))


def _document(data: Sequence[JSON], included: Iterable[JSON], place: Pagination) -> JSON:
    """A document of the API about these alone: included is only what they refer to."""
    by_key = {(item["type"], item["id"]): item for item in included}
    kept: dict[tuple[str, str], JSON] = {}
    waiting = [key for item in data for key in _references(item)]
    while waiting:
        key = waiting.pop()
        if key in by_key and key not in kept:
            kept[key] = by_key[key]
            waiting += _references(by_key[key])
    pagination: dict[str, JSON] = {"current-page": place.current_page, "next-page": place.next_page}
    if place.total_count is not None:
        pagination |= {"total-count": place.total_count, "total-pages": place.total_pages}
    return {"data": list(data), "included": list(kept.values()), "meta": {"pagination": pagination}}


def _references(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    ends = [
        relationship.get("data")
        for relationship in (item.get("relationships") or {}).values()
        if isinstance(relationship, Mapping)
    ]
    others = [other for end in ends for other in (end if isinstance(end, list) else [end])]
    return [(str(other.get("type")), str(other.get("id"))) for other in others if isinstance(other, Mapping)]
