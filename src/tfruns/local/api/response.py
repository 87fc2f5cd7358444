"""The response to an API request, independent of HTTP: one resource, or a page of a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfruns.jsonapi import JSON
from tfruns.local.api.links import WireResource, with_links
from tfruns.local.api.request import PageRequest


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A status, a JSON document unless it is None, and headers beyond those of every response."""

    status: int = 200
    document: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)


def resource_response(
    resource: WireResource, status: int = 200, *, included: Sequence[WireResource] = ()
) -> ApiResponse:
    """A response that contains one resource."""
    document: dict[str, JSON] = {"data": with_links(resource)}
    if included:
        document["included"] = [with_links(other) for other in included]
    return ApiResponse(status, document)


def list_response(
    resources: Sequence[WireResource],
    page: PageRequest,
    *,
    total: int | None = None,
    has_more: bool | None = None,
    included: Sequence[WireResource] = (),
) -> ApiResponse:
    """A page of a list.

    Args:
        resources: the resources on the page.
        page: the requested page.
        total: the length of the list; None if unknown, in which case the response contains no totals.
        has_more: whether there is a next page; by default, this follows from `total`.
        included: related resources.
    """
    if has_more is None:
        has_more = total is not None and page.offset + len(resources) < total
    previous = page.number - 1 if page.number > 1 else None
    following = page.number + 1 if has_more else None
    pagination: dict[str, JSON] = {
        "current-page": page.number,
        "page-size": page.size,
        "prev-page": previous,
        "next-page": following,
    }
    links: dict[str, JSON] = {
        "self": page.link(page.number),
        "first": page.link(1),
        "prev": page.link(previous) if previous else None,
        "next": page.link(following) if following else None,
    }
    if total is not None:
        pages = max(1, -(-total // page.size))
        pagination |= {"total-count": total, "total-pages": pages}
        links["last"] = page.link(pages)
    document: dict[str, JSON] = {
        "data": [with_links(resource) for resource in resources],
        "links": links,
        "meta": {"pagination": pagination},
    }
    if included:
        document["included"] = [with_links(other) for other in included]
    return ApiResponse(200, document)
