"""Lists of an organization, limited to a scope of workspaces. Nothing reveals what is outside the scope.

The workspaces in the scope are found first, with requests that do not depend on the search. Searches and filters are
then applied to these workspaces only.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from tfruns.client.client import Client
from tfruns.client.listing import Listing, Page
from tfruns.client.run_filters import RunFilters, words
from tfruns.errors import Forbidden, InvalidInput, NotFound, OutOfScope, TfrunsError
from tfruns.jsonapi import JSON, Pagination
from tfruns.next_actions import LIST_WORKSPACES, Argument, NextAction
from tfruns.scope import Scope, location_of
from tfruns.wire.base import Resource
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_MAX_CHECKED = 5  # names of workspaces that an empty list checks
_MAX_NAMES = 10  # that an error lists
_MAX_NAMED = 50  # workspaces in one request: their names have to fit into a URL
_MAX_WORKSPACES = 500  # in one list of runs
_PAGE_SIZE = 100
_UNKNOWN_TIME = datetime.min.replace(tzinfo=UTC)

_NAMES = Argument("filter_workspace_names")

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class _Found:
    """A workspace in the scope, with the API's object and its included resources."""

    workspace: Workspace
    source: JSON
    included: Sequence[JSON] = ()


def workspaces_in_scope(
    scope: Scope, client: Client, organization: str, *, search: str = "", include: Sequence[str] = ()
) -> Listing[Workspace]:
    """The workspaces of an organization that are in the scope.

    Args:
        scope: limits the list.
        client: the API.
        organization: the organization's name.
        search: a part of the name, or a pattern of the whole name with the wildcards * and ?.
        include: related resources to include.
    """
    if not scope.workspaces and not is_pattern(search):
        return client.workspaces.list_for_organization(organization, search=search, include=include)

    async def read_page(number: int, size: int) -> Page[Workspace]:
        inside = await _inside(scope, client, organization, include, search)
        matching = [found for found in inside if _is_found(found.workspace.name or "", search)]
        shown = matching[(number - 1) * size : number * size]
        total_pages = max(1, -(-len(matching) // size))
        place = Pagination(number, size, number + 1 if number < total_pages else None, total_pages, len(matching))
        document = _document(
            [found.source for found in shown], [item for found in shown for item in found.included], place
        )
        return Page([found.workspace for found in shown], place, document)

    return Listing(read_page)


def runs_in_scope(scope: Scope, client: Client, organization: str, filters: RunFilters) -> Listing[Run]:
    """The runs of the workspaces that are in the scope. The names of workspaces may contain wildcards."""
    given = words(filters.workspace_names)
    if not scope.workspaces and not any(map(is_pattern, given)):
        return _of_existing(client, organization, filters, given)

    async def read_page(number: int, size: int) -> Page[Run]:
        search = given[0] if len(given) == 1 else ""
        inside = [found.workspace for found in await _inside(scope, client, organization, (), search)]
        if search and not inside and not scope.workspaces:
            raise no_match(scope, organization, search, await _names_of(client, organization, ""))
        wanted = _named(scope, organization, inside, given)
        if not wanted:
            place = Pagination(number, size)
            return Page((), place, _document([], [], place))
        if len(wanted) == 1:
            of_one = replace(filters, workspace_names=None)
            return await client.runs.list_for_workspace(wanted[0].id, of_one, include=["workspace"]).page(
                number, size=size
            )
        parts = [wanted[first : first + _MAX_NAMED] for first in range(0, len(wanted), _MAX_NAMED)]
        listings = [_of_named(client, organization, filters, part) for part in parts]
        return await (listings[0].page(number, size=size) if len(listings) == 1 else _merged(listings, number, size))

    return Listing(read_page)


def _of_named(client: Client, organization: str, filters: RunFilters, wanted: Sequence[Workspace]) -> Listing[Run]:
    """The runs of these workspaces, whose names fit into one URL."""
    names = ",".join(str(workspace.name) for workspace in wanted)
    of_these = replace(filters, workspace_names=names)
    listing = client.runs.list_for_organization(organization, of_these, include=["workspace"])

    async def read_page(number: int, size: int) -> Page[Run]:
        return _only(await listing.page(number, size=size), {workspace.id for workspace in wanted})

    return Listing(read_page)


async def _merged(listings: Sequence[Listing[Run]], number: int, size: int) -> Page[Run]:
    """A page of several lists, each newest first, as if they were one."""
    end = number * size
    found: list[tuple[Run, JSON]] = []
    included: list[JSON] = []
    has_more = False
    for listing in listings:
        seen, page_number = 0, 1
        while True:
            page = await listing.page(page_number, size=_PAGE_SIZE)
            found += zip(page.items, page.document.get("data") or (), strict=True)
            included += page.document.get("included") or ()
            seen += len(page.items)
            following = page.pagination.next_page
            if following is None or following <= page_number or seen >= end:
                has_more |= following is not None
                break
            page_number = following
    found.sort(key=lambda item: item[0].created_at or _UNKNOWN_TIME, reverse=True)
    shown = found[end - size : end]
    place = Pagination(number, size, number + 1 if has_more or len(found) > end else None)
    return Page([run for run, _ in shown], place, _document([source for _, source in shown], included, place))


def _of_existing(client: Client, organization: str, filters: RunFilters, given: Sequence[str]) -> Listing[Run]:
    """The runs of the named workspaces, or of all. If the list is empty, the names are checked."""
    listing = client.runs.list_for_organization(organization, filters, include=["workspace"])

    async def read_page(number: int, size: int) -> Page[Run]:
        page = await listing.page(number, size=size)
        if not page.items:
            await _check_names(client, organization, given)
        return page

    return Listing(read_page)


async def _check_names(client: Client, organization: str, given: Sequence[str]) -> None:
    """Refuse a name that no workspace has.

    Raises:
        NotFound: one of the first names is wrong.
    """
    for name in given[:_MAX_CHECKED]:
        similar = await _names_of(client, organization, name)
        if name not in similar and (names := await _names_of(client, organization, "")):
            raise no_match(Scope(), organization, name, [*similar, *names])


async def _names_of(client: Client, organization: str, search: str) -> list[str]:
    try:
        page = await client.workspaces.list_for_organization(organization, search=search).page(size=100)
    except (NotFound, Forbidden):
        return []
    return [workspace.name for workspace in page.items if workspace.name]


def is_pattern(name: str) -> bool:
    """Whether a name contains a wildcard."""
    return bool(set(name) & {"*", "?"})


def _is_found(name: str, search: str) -> bool:
    name, search = name.casefold(), search.casefold()
    return _matches(name, search) if is_pattern(search) else search in name


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))


async def has_workspace_inside(scope: Scope, client: Client, organization: str) -> bool:
    """Whether an organization has a workspace in the scope."""
    return bool(await _inside(scope, client, organization, ()))


async def _inside(
    scope: Scope, client: Client, organization: str, include: Sequence[str], search: str = ""
) -> list[_Found]:
    """All workspaces of an organization that are in the scope, by name.

    Without a limit, the API itself may search. With a limit, the requests do not depend on the search.
    """
    references = scope.references_in(organization)
    found: list[_Found] = []
    if references is None:
        literal = "" if scope.workspaces else max(re.split(r"[*?]", search), key=len)
        found = await _listed(client, organization, include, literal)
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


async def _listed(client: Client, organization: str, include: Sequence[str], search: str) -> list[_Found]:
    found: list[_Found] = []
    number: int | None = 1
    listing = client.workspaces.list_for_organization(organization, search=search, include=include)
    while number is not None:
        try:
            page = await listing.page(number, size=100)
        except (NotFound, Forbidden):
            return found  # like an organization without workspaces in the scope
        sources, included = page.document.get("data") or (), page.document.get("included") or ()
        found += [_Found(item, source, included) for item, source in zip(page.items, sources, strict=True)]
        following = page.pagination.next_page
        number = following if following is not None and following > number else None
    return found


def _named(scope: Scope, organization: str, inside: Sequence[Workspace], given: Sequence[str]) -> Sequence[Workspace]:
    """The workspaces that a list of runs covers.

    Raises:
        OutOfScope, NotFound: one of the names or patterns matches none of them.
        InvalidInput: there are too many for one list.
    """
    names = [workspace.name or "" for workspace in inside]
    for name in given:
        if not any(_matches(other, name) for other in names):
            raise no_match(scope, organization, name, names)
    wanted = [workspace for workspace in inside if not given or _is_named(workspace, given)]
    if len(wanted) > _MAX_WORKSPACES:
        where = " in the scope of this server" if scope.workspaces else ""
        raise InvalidInput(
            f"One list covers at most {_MAX_WORKSPACES} workspaces. This one would cover {len(wanted)}{where}.",
            solution=("Name fewer in ", _NAMES, "."),
            next_actions=(list_of_workspaces(organization),),
        )
    return wanted


def _is_named(workspace: Workspace, given: Sequence[str]) -> bool:
    return any(_matches(workspace.name or "", name) for name in given)


def no_match(scope: Scope, organization: str, name: str, names: Sequence[str]) -> TfrunsError:
    """The error for a name or a pattern that no workspace has."""
    if scope.workspaces:
        return OutOfScope((_NAMES, f" names a workspace that is outside the scope of this server. {there_are(names)}"))
    problem = f'No workspace matches "{name}"' if is_pattern(name) else f'No workspace "{name}"'
    return NotFound(
        f"{problem} in {organization}. {there_are(names, name)}",
        solution="Correct the name. It is case-sensitive, and may contain the wildcards * and ?.",
        next_actions=(list_of_workspaces(organization),),
    )


def list_of_workspaces(organization: str) -> NextAction:
    """The call that lists the workspaces of an organization."""
    return NextAction(LIST_WORKSPACES, {"organization": organization}, "lists the workspaces")


def there_are(names: Iterable[str], wrong: str = "", *, total: int | None = None) -> str:
    """One sentence that lists what exists: everything by name, or the closest matches first if there are many.

    Args:
        names: the names or ids.
        wrong: the one that does not exist.
        total: their number, if `names` are not all of them.
    """
    ordered = sorted(set(names))
    if not ordered:
        return "There are none."
    if len(ordered) > _MAX_NAMES:
        near = difflib.get_close_matches(wrong, ordered, n=_MAX_NAMES, cutoff=0.5)
        ordered = [*near, *(name for name in ordered if name not in near)]
    rest = max(len(ordered), total or 0) - _MAX_NAMES
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"There are: {', '.join(ordered[:_MAX_NAMES])}{more}."


def _only(page: Page[Run], workspace_ids: set[str]) -> Page[Run]:
    """The page without runs of other workspaces, in case the API returned any."""
    is_inside = [run.workspace is not None and run.workspace.id in workspace_ids for run in page.items]
    if all(is_inside):
        return page
    sources = page.document.get("data") or ()
    items = [run for run, keep in zip(page.items, is_inside, strict=True) if keep]
    kept = [source for source, keep in zip(sources, is_inside, strict=True) if keep]
    place = replace(page.pagination, total_count=None, total_pages=None)
    return Page(items, place, _document(kept, page.document.get("included") or (), place))


def _document(data: Sequence[JSON], included: Iterable[JSON], place: Pagination) -> JSON:
    """The API's document with only these resources and the included resources that they refer to."""
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
