"""Parsing of API documents into models, with one error for everything that can be wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import ValidationError

from tfruns.errors import UnexpectedResponse
from tfruns.jsonapi import JSON, MalformedDocument, as_object, included, primary
from tfruns.wire.base import Resource

R = TypeVar("R", bound=Resource)


def parse_one(kind: type[R], document: JSON) -> R:
    """Parse the primary resource of a document.

    Raises:
        UnexpectedResponse: it is not a resource of this kind.
    """
    with parse_errors():
        document = as_object(document, "the document")
        return kind.from_wire(primary(document), included(document), document)


def parse_many(kind: type[R], document: JSON) -> list[R]:
    """Parse the primary resources of a list.

    Raises:
        UnexpectedResponse: it is not a list of this kind.
    """
    with parse_errors():
        document = as_object(document, "the document")
        items = primary(document)
        if not isinstance(items, list):
            raise MalformedDocument("`data` is not a list")
        extra = included(document)
        return [kind.from_wire(item, extra) for item in items]


@contextmanager
def parse_errors() -> Iterator[None]:
    """Convert every parse error into an `UnexpectedResponse` that does not repeat the document's values."""
    try:
        yield
    except MalformedDocument as error:
        raise UnexpectedResponse(f"The API's response cannot be parsed: {error}.") from None
    except ValidationError as error:
        fields = {".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False, include_url=False)}
        raise UnexpectedResponse(
            f"The API's response cannot be parsed: unexpected values in {', '.join(sorted(fields)[:5])}."
        ) from None
