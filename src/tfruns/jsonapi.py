"""JSON:API documents in HCP Terraform's form: resources, errors, pagination, include. No I/O.

Source: HCP Terraform API, "JSON API Documents", "Query Parameters", "Error Responses"; jsonapi.org, format 1.0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

JSON = Any
"""Any JSON value. Documents are validated where they are parsed, not where they are passed on."""

CONTENT_TYPE = "application/vnd.api+json"

ResourceKey = tuple[str, str]
"""The type and id of a resource, its identity within a document."""


@dataclass(frozen=True, slots=True)
class ResourceObject:
    """A resource that this program writes. It needs no model: there is nothing to validate.

    Attributes:
        wire_type: the type, such as `runs`.
        id: the id.
        attributes: by their names on the wire.
        relationships: the linkage of each, see `linkage`.
    """

    wire_type: str
    id: str
    attributes: Mapping[str, JSON]
    relationships: Mapping[str, JSON]

    def to_wire(self) -> dict[str, JSON]:
        """The resource object."""
        return {
            "id": self.id,
            "type": self.wire_type,
            "attributes": dict(self.attributes),
            "relationships": {name: {"data": data} for name, data in self.relationships.items()},
        }


def linkage(type_: str, id_: str | None) -> dict[str, JSON] | None:
    """The other end of a relationship to one resource; None if the relationship is empty."""
    return {"type": type_, "id": id_} if id_ is not None else None


def linkages(type_: str, ids: Iterable[str]) -> list[JSON]:
    """The other ends of a relationship to many resources."""
    return [{"type": type_, "id": id_} for id_ in ids]


class MalformedDocument(ValueError):
    """A document violates JSON:API."""


@dataclass(frozen=True, slots=True)
class Pagination:
    """The position of a page in its list. An organization's run list has no totals."""

    current_page: int
    page_size: int | None = None
    next_page: int | None = None
    total_pages: int | None = None
    total_count: int | None = None


def whole_text(value: JSON) -> JSON:
    """The same value with unpaired surrogates replaced. JSON can contain them (`\\ud800`), UTF-8 cannot."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [whole_text(item) for item in value]
    if isinstance(value, Mapping):
        return {whole_text(key): whole_text(item) for key, item in value.items()}
    return value


def as_object(value: JSON, what: str) -> Mapping[str, JSON]:
    """Check that a value is a JSON object, and return it.

    Raises:
        MalformedDocument: it is not an object.
    """
    if not isinstance(value, Mapping):
        raise MalformedDocument(f"{what} is not an object")
    return value


def primary(document: JSON) -> JSON:
    """The primary data of a document.

    Raises:
        MalformedDocument: it has none.
    """
    top = as_object(document, "the document")
    if "data" not in top:
        raise MalformedDocument("the document has no data")
    return top["data"]


def included(document: Mapping[str, JSON]) -> dict[ResourceKey, Mapping[str, JSON]]:
    """The included resources of a document, by type and id."""
    resources = document.get("included")
    return {
        (resource["type"], resource["id"]): resource
        for resource in (resources if isinstance(resources, list) else ())
        if isinstance(resource, Mapping) and all(isinstance(resource.get(key), str) for key in ("type", "id"))
    }


def pagination(document: Mapping[str, JSON]) -> Pagination:
    """The `meta.pagination` of a list. A list without it has a single page."""
    meta = document.get("meta")
    page = meta.get("pagination") if isinstance(meta, Mapping) else None
    if not isinstance(page, Mapping):
        return Pagination(current_page=1)
    return Pagination(
        current_page=_integer(page.get("current-page")) or 1,
        page_size=_integer(page.get("page-size")),
        next_page=_integer(page.get("next-page")),
        total_pages=_integer(page.get("total-pages")),
        total_count=_integer(page.get("total-count")),
    )


def _integer(value: JSON) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def error_texts(document: JSON) -> list[str]:
    """The texts of an error document, one for each error; empty if it is not an error document.

    Both forms that the API uses are supported: objects with `title` and `detail`, and plain strings.
    """
    errors = document.get("errors") if isinstance(document, Mapping) else None
    if isinstance(errors, str):
        return [errors]
    if not isinstance(errors, list):
        return []
    return [text for error in errors if (text := _error_text(error))]


def _error_text(error: JSON) -> str:
    if isinstance(error, str):
        return error
    if not isinstance(error, Mapping):
        return ""
    title, detail = error.get("title"), error.get("detail")
    parts = [part for part in (title, detail) if isinstance(part, str) and part]
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, Mapping) else None
    if isinstance(pointer, str) and pointer:
        parts.append(f"at {pointer}")
    return ": ".join(dict.fromkeys(parts))


def error_document(status: int, title: str, detail: str | None = None) -> dict[str, JSON]:
    """An error document with one error. On the wire, `status` is a string."""
    error = {"status": str(status), "title": title}
    if detail is not None:
        error["detail"] = detail
    return {"errors": [error]}


def create_document(
    type_: str, attributes: Mapping[str, JSON], to_one: Iterable[tuple[str, str, str]] = ()
) -> dict[str, JSON]:
    """A document that creates a resource.

    Args:
        type_: the resource's type, such as `runs`.
        attributes: attributes by wire name, without omitted ones.
        to_one: relationships as name, type and id of the related resource.
    """
    data: dict[str, JSON] = {"type": type_, "attributes": dict(attributes)}
    relationships = {name: {"data": {"type": other, "id": id_}} for name, other, id_ in to_one}
    if relationships:
        data["relationships"] = relationships
    return {"data": data}
