"""The answer to a request, without HTTP around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfruns.jsonapi import JSON
from tfruns.local.api.links import WireResource, with_links
from tfruns.local.api.request import PageRequest


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a JSON document, or bytes."""

    status: int = 200
    document: JSON = None
    content: bytes | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def resource_reply(resource: WireResource, status: int = 200, *, included: Sequence[WireResource] = ()) -> Reply:
    """An answer with one resource."""
    document: dict[str, JSON] = {"data": with_links(resource)}
    if included:
        document["included"] = [with_links(other) for other in included]
    return Reply(status, document)


def list_reply(
    resources: Sequence[WireResource],
    page: PageRequest,
    *,
    total: int | None = None,
    has_more: bool | None = None,
    included: Sequence[WireResource] = (),
) -> Reply:
    """A page of a list, with totals if they are known, else with whether there is a further page."""
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
    return Reply(200, document)
