"""One request and its answer, without HTTP around them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.orm import Session

from tfruns.errors import BadRequest, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.api.links import WireResource
from tfruns.local.api.signer import Grant, Signer
from tfruns.local.backend import Backend
from tfruns.wire.base import to_kebab


@dataclass(frozen=True, slots=True)
class Scope:
    """One request's view of the backend: who asks, and under which address.

    Attributes:
        backend: the backend.
        signer: signs addresses.
        base_url: the address under which the client reached the backend.
        user_id: the user who asks.
        run_id: the run whose Terraform asks, with the run's own token.
    """

    backend: Backend
    signer: Signer
    base_url: str
    user_id: str
    run_id: str | None = None

    def signed(self, verb: str, kind: str, id_: str) -> str:
        """An absolute address that grants this for a while: clients do not take a relative one."""
        grant = Grant(verb, kind, id_, self.user_id)
        return self.base_url + self.signer.path(grant, self.backend.now())


_DEFAULT_PAGE_SIZE = 20
_MAX_PAGE_SIZE = 100


class Attributes(BaseModel):
    """The attributes of a resource in a request. Unknown ones are ignored, as the API does.

    `wire_type` is the type of the resource, which a request has to name. Another name is accepted: scripts that work
    on HCP Terraform send `configuration-version` for `configuration-versions`.
    """

    wire_type: ClassVar[str] = ""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_kebab, populate_by_name=True, hide_input_in_errors=True
    )


A = TypeVar("A", bound=Attributes)


ReadIncludes = Callable[[Scope, Session, Sequence[Any], Sequence[str]], list[WireResource]]


@dataclass(frozen=True, slots=True)
class Includes:
    """The related resources that the `include` parameter of an endpoint can name.

    Attributes:
        names: their names; None if any name is accepted, and ignored.
        read: reads those with the given names that belong to some rows.
    """

    names: Sequence[str] | None
    read: ReadIncludes


def _read_nothing(*_: object) -> list[WireResource]:
    return []


NO_INCLUDES = Includes((), _read_nothing)
ANY_INCLUDE = Includes(None, _read_nothing)


@dataclass(frozen=True, slots=True)
class Call:
    """A request by a user.

    Attributes:
        scope: the backend, and the address under which it was reached.
        path: the parts of the path that have names.
        query: the query.
        headers: by lower-case name.
        body: as it came.
        address: the path as it was requested, for the links of a list.
        includes: the related resources that can be included.
    """

    scope: Scope
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    address: str = ""
    includes: Includes = NO_INCLUDES

    @property
    def backend(self) -> Backend:
        return self.scope.backend

    @property
    def user_id(self) -> str:
        """Who asks."""
        return self.scope.user_id

    def document(self) -> Mapping[str, JSON]:
        """The body as a JSON object; {} without a body.

        Raises:
            BadRequest: 400, it is none.
        """
        if not self.body.strip():
            return {}
        try:
            # Stricter than `json`: neither NaN nor halves of characters, which could not be written down or given back.
            document: JSON = pydantic_core.from_json(self.body, allow_inf_nan=False)
        except ValueError:
            raise BadRequest("The body is not JSON. Send a JSON:API document in UTF-8.") from None
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise BadRequest("The body is not a JSON object.")
        if b"\\u0000" in self.body and _has_nul(document):
            raise BadRequest("The body has a NUL character, which no database stores in a text.")
        return document

    def data(self) -> Mapping[str, JSON]:
        """The resource object in the body.

        Raises:
            BadRequest: 400, there is none.
        """
        data = self.document().get("data")
        if not isinstance(data, dict):
            raise BadRequest('The body has no resource object. Send {"data": {"type": …, "attributes": {…}}}.')
        return data

    def attributes(self, kind: type[A]) -> A:
        """The attributes of the resource object in the body.

        Raises:
            BadRequest: 400, there is no resource object.
            UnprocessableEntity: 422, it has no type, or an attribute has the wrong type.
        """
        data = self.data()
        if not isinstance(data.get("type"), str) or not data["type"]:
            raise UnprocessableEntity(f'data.type is missing. It has to be "{kind.wire_type}".')
        for name in ("attributes", "relationships"):
            if not isinstance(data.get(name) or {}, dict):
                raise UnprocessableEntity(f"data.{name} has to be an object.")
        return validated(kind, data.get("attributes") or {})

    def related_id(self, name: str) -> str | None:
        """The id at the other end of a relationship; some clients put it among the attributes."""
        data = self.data()
        for holder in ("relationships", "attributes"):
            fields = data.get(holder)
            found = fields.get(name) if isinstance(fields, dict) else None
            linkage = found.get("data", found) if isinstance(found, dict) else None
            if isinstance(linkage, dict) and isinstance(linkage.get("id"), str):
                return str(linkage["id"])
        return None

    def comment(self) -> str | None:
        """The comment of an action.

        Raises:
            UnprocessableEntity: 422, it is not a text.
        """
        comment = self.document().get("comment")
        if comment is not None and not isinstance(comment, str):
            raise UnprocessableEntity("The comment is not a string.")
        return comment or None

    def words(self, name: str) -> list[str]:
        """The comma-separated words of a query parameter; an empty one is as none."""
        return [word for part in self.query.get(name, "").split(",") if (word := part.strip())]

    def check_include(self) -> None:
        """Refuse to include what this endpoint cannot.

        Raises:
            BadRequest: 400, one that there is not.
        """
        allowed = self.includes.names
        if allowed is None:
            return
        unknown = [word for word in self._include() if word not in allowed]
        if unknown:
            possible = ", ".join(allowed) or "none"
            raise BadRequest(f"Invalid include parameter: {', '.join(unknown)}. Possible: {possible}.")

    def included(self, session: Session, rows: Sequence[Any]) -> list[WireResource]:
        """The resources that were asked for with these rows, each once."""
        return self.includes.read(self.scope, session, rows, self._include())

    def _include(self) -> list[str]:
        return [word.replace("-", "_") for word in self.words("include")]

    def page(self) -> "PageRequest":
        """The page that was asked for.

        Raises:
            BadRequest: 400, a number or size that cannot be.
        """
        number = self._number("page[number]", 1)
        size = self._number("page[size]", _DEFAULT_PAGE_SIZE)
        return PageRequest(number, min(size, _MAX_PAGE_SIZE), self.scope.base_url + self.address, self.query)

    def whole_page(self, length: int) -> "PageRequest":
        """One page for a list that has no pages.

        Raises:
            BadRequest: 400, a page that cannot be was asked for.
        """
        self.page()
        size = max(_DEFAULT_PAGE_SIZE, length)
        return PageRequest(1, size, self.scope.base_url + self.address, self.query)

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
            raise BadRequest(f"{name} has to be a positive integer.")
        return int(text)


def _has_nul(value: JSON) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(item) for pair in value.items() for item in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


def validated(kind: type[A], attributes: Mapping[str, JSON]) -> A:
    """Attributes as their model.

    Raises:
        UnprocessableEntity: 422, an attribute has the wrong type; it names them.
    """
    try:
        return kind.model_validate(attributes)
    except ValidationError as error:
        found = sorted({_invalid_attribute(detail) for detail in error.errors(include_input=False)})
        raise UnprocessableEntity(f"Invalid attributes: {'; '.join(found)}.") from None


def _invalid_attribute(detail: ErrorDetails) -> str:
    """The name of an attribute, and what it has to be. The value itself may be secret."""
    name = str(detail["loc"][0]) if detail["loc"] else "data"
    if detail["type"] == "value_error":
        return f"{name} {detail['ctx']['error']}"
    _, _, rule = detail["msg"].partition(" should ")
    return f"{name} has to {rule}" if rule else name


def unavailable(reason: str) -> AfterValidator:
    """Refuse an attribute that asks for what this backend does not have. Its default is accepted."""

    def check(value: JSON) -> JSON:
        if value not in (None, False, "", [], {}):
            raise ValueError(f"cannot be set: {reason}")
        return value

    return AfterValidator(check)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list is wanted, and the address and query of the request, from which the links are made."""

    number: int
    size: int
    address: str
    query: Mapping[str, str]

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def link(self, number: int) -> str:
        """The address of another page of the same list."""
        page = {"page[number]": str(number), "page[size]": str(self.size)}
        return f"{self.address}?{urlencode({**self.query, **page})}"
