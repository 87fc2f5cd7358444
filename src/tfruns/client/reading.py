"""From a document of the API to a model, with one error for whatever is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import ValidationError

from tfruns.errors import UnexpectedResponse
from tfruns.jsonapi import JSON, MalformedDocument, as_object, included, primary
from tfruns.wire.base import Resource

R = TypeVar("R", bound=Resource)


def read_one(kind: type[R], document: JSON) -> R:
    """The primary resource of a document.

    Raises:
        UnexpectedResponse: it is not such a resource.
    """
    with reading():
        document = as_object(document, "the document")
        return kind.from_wire(primary(document), included(document), document)


def read_many(kind: type[R], document: JSON) -> list[R]:
    """The primary resources of a list.

    Raises:
        UnexpectedResponse: it is no list of them.
    """
    with reading():
        document = as_object(document, "the document")
        items = primary(document)
        if not isinstance(items, list):
            raise MalformedDocument("the list is not a list")
        extra = included(document)
        return [kind.from_wire(item, extra) for item in items]


@contextmanager
def reading() -> Iterator[None]:
    """Turn whatever is wrong with a document into an `UnexpectedResponse`, without repeating its values."""
    try:
        yield
    except MalformedDocument as error:
        raise UnexpectedResponse(f"The API's answer cannot be read: {error}.") from None
    except ValidationError as error:
        places = {".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False, include_url=False)}
        raise UnexpectedResponse(
            f"The API's answer cannot be read: unexpected values at {', '.join(sorted(places)[:5])}."
        ) from None
