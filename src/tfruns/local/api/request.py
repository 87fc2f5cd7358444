"""An API request, independent of HTTP: who sent it, its path, query, body and page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from tfruns.errors import BadRequest, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.api.links import WireResource
from tfruns.local.api.signer import ObjectGrant, Signer
from tfruns.local.backend import Backend
from tfruns.local.store.database import AnySession
from tfruns.wire.base import to_kebab

_DEFAULT_PAGE_SIZE = 20
_MAX_PAGE_SIZE = 100


class RequestAttributes(BaseModel):
    """The attributes of a resource in a request. Unknown attributes are ignored, as in HCP Terraform.

    `wire_type` is the type of the resource. A request must give a type, but any type is accepted: scripts that work
    with HCP Terraform send `configuration-version` for `configuration-versions`.
    """

    wire_type: ClassVar[str] = ""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_kebab, populate_by_name=True, hide_input_in_errors=True
    )


A = TypeVar("A", bound=RequestAttributes)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The caller of a request, and the backend that serves it.

    Attributes:
        backend: the backend.
        signer: signs URLs.
        base_url: the URL at which the client reached the backend.
        user_id: the user who sent the request.
        run_id: the run whose Terraform sent the request with a run token; None for a user.
    """

    backend: Backend
    signer: Signer
    base_url: str
    user_id: str
    run_id: str | None = None

    def signed_url(self, access: str, kind: str, id_: str) -> str:
        """A URL that grants `read` or `write` access to one object for a limited time. Clients need it absolute."""
        grant = ObjectGrant(access, kind, id_, self.user_id)
        return self.base_url + self.signer.object_path(grant, self.backend.now())


@dataclass(frozen=True, slots=True)
class Includes:
    """The related resources that the `include` parameter of an endpoint can name.

    Attributes:
        names: the allowed names; None if any name is accepted and ignored.
        read: reads the resources with the given names that are related to some rows, each once.
    """

    names: Sequence[str] | None
    read: Callable[[RequestContext, AnySession, Sequence[Any], Sequence[str]], list[WireResource]]


def _read_nothing(*_: object) -> list[WireResource]:
    return []


NO_INCLUDES = Includes((), _read_nothing)
IGNORED_INCLUDES = Includes(None, _read_nothing)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request.

    Attributes:
        context: the caller and the backend.
        path: the variable parts of the path, by name.
        query: the query parameters.
        headers: the headers, by lower-case name.
        body: the body; empty for GET.
        url_path: the path, which the links of a list repeat.
        includes: the related resources that the endpoint can include.
    """

    context: RequestContext
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    url_path: str = ""
    includes: Includes = NO_INCLUDES

    @property
    def backend(self) -> Backend:
        return self.context.backend

    @property
    def user_id(self) -> str:
        """The user who sent the request."""
        return self.context.user_id

    def document(self) -> Mapping[str, JSON]:
        """The body as a JSON object; an empty object if there is no body.

        Raises:
            BadRequest: 400, the body is not a JSON object.
        """
        if not self.body.strip():
            return {}
        try:
            # Unlike `json`, this rejects NaN and unpaired surrogates, which could be neither stored nor returned.
            document: JSON = pydantic_core.from_json(self.body, allow_inf_nan=False)
        except ValueError:
            raise BadRequest("The request body is not valid JSON. Send a JSON:API document in UTF-8.") from None
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise BadRequest("The request body is not a JSON object.")
        if b"\\u0000" in self.body and _has_nul(document):
            raise BadRequest("The request body contains a NUL character, which the database cannot store.")
        return document

    def data(self) -> Mapping[str, JSON]:
        """The resource object in the body.

        Raises:
            BadRequest: 400, the body contains no resource object.
        """
        data = self.document().get("data")
        if not isinstance(data, dict):
            raise BadRequest(
                'The request body contains no resource object. Send {"data": {"type": …, "attributes": {…}}}.'
            )
        return data

    def attributes(self, model: type[A]) -> A:
        """The attributes of the resource object in the body.

        Raises:
            BadRequest: 400, the body contains no resource object.
            UnprocessableEntity: 422, the resource object has no type, or an attribute is invalid.
        """
        data = self.data()
        if not isinstance(data.get("type"), str) or not data["type"]:
            raise UnprocessableEntity(f'data.type is missing: it must be "{model.wire_type}".')
        for name in ("attributes", "relationships"):
            if not isinstance(data.get(name, {}), dict | None):
                raise UnprocessableEntity(f"data.{name} must be an object.")
        return validated(model, data.get("attributes") or {})

    def related_id(self, name: str) -> str | None:
        """The id of the resource in a relationship. Some clients send the relationship among the attributes."""
        data = self.data()
        for key in ("relationships", "attributes"):
            fields = data.get(key)
            found = fields.get(name) if isinstance(fields, dict) else None
            linkage = found.get("data", found) if isinstance(found, dict) else None
            if isinstance(linkage, dict) and isinstance(linkage.get("id"), str):
                return str(linkage["id"])
        return None

    def comment(self) -> str | None:
        """The comment of an action.

        Raises:
            UnprocessableEntity: 422, the comment is not a string.
        """
        comment = self.document().get("comment")
        if comment is not None and not isinstance(comment, str):
            raise UnprocessableEntity("comment must be a string.")
        return comment or None

    def words(self, name: str) -> list[str]:
        """The comma-separated words of a query parameter; empty words are dropped."""
        return [word for part in self.query.get(name, "").split(",") if (word := part.strip())]

    def check_include(self) -> None:
        """Reject an `include` parameter that names a resource the endpoint cannot include.

        Raises:
            BadRequest: 400, a name is not allowed.
        """
        allowed = self.includes.names
        if allowed is None:
            return
        unknown = [word for word in self._include() if word not in allowed]
        if unknown:
            raise BadRequest(
                f"Invalid include parameter: {', '.join(unknown)}. Allowed: {', '.join(allowed) or 'none'}."
            )

    def included(self, session: AnySession, rows: Sequence[Any]) -> list[WireResource]:
        """The related resources of these rows that the `include` parameter names, each once."""
        return self.includes.read(self.context, session, rows, self._include())

    def _include(self) -> list[str]:
        return [word.replace("-", "_") for word in self.words("include")]

    def page(self) -> "PageRequest":
        """The requested page.

        Raises:
            BadRequest: 400, the page number or size is invalid.
        """
        number = self._number("page[number]", 1)
        size = self._number("page[size]", _DEFAULT_PAGE_SIZE)
        return PageRequest(number, min(size, _MAX_PAGE_SIZE), self.context.base_url + self.url_path, self.query)

    def whole_page(self, length: int) -> "PageRequest":
        """One page that contains a list of this length, for an endpoint without pages.

        Raises:
            BadRequest: 400, the page number or size is invalid.
        """
        self.page()
        size = max(_DEFAULT_PAGE_SIZE, length)
        return PageRequest(1, size, self.context.base_url + self.url_path, self.query)

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
            raise BadRequest(f"{name} must be a positive integer.")
        return int(text)


def _has_nul(value: JSON) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(item) for pair in value.items() for item in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


def validated(model: type[A], attributes: Mapping[str, JSON]) -> A:
    """The attributes as their model.

    Raises:
        UnprocessableEntity: 422, some attributes are invalid; the message names them.
    """
    try:
        return model.model_validate(attributes)
    except ValidationError as error:
        found = sorted({_invalid_attribute(detail) for detail in error.errors(include_input=False)})
        raise UnprocessableEntity(f"Invalid attributes: {'; '.join(found)}.") from None


def _invalid_attribute(detail: ErrorDetails) -> str:
    """The name of an invalid attribute, and the rule for its value. The value itself may be secret."""
    name = str(detail["loc"][0]) if detail["loc"] else "data"
    if detail["type"] == "missing":
        return f"{'.'.join(str(part) for part in detail['loc'])} is missing"
    if detail["type"] == "value_error":
        return f"{name} {detail['ctx']['error']}"
    _, _, rule = detail["msg"].partition(" should ")
    return f"{name} must {rule}" if rule else name


def unsupported(reason: str) -> AfterValidator:
    """Reject an attribute that this backend does not support, unless it is set to its default."""

    def check(value: JSON) -> JSON:
        if value not in (None, False, "", [], {}):
            raise ValueError(f"cannot be set: {reason}")
        return value

    return AfterValidator(check)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The requested page of a list, with the URL and query of the request for the links to other pages."""

    number: int
    size: int
    url: str
    query: Mapping[str, str]

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def link(self, number: int) -> str:
        """The URL of another page of the same list."""
        page = {"page[number]": str(number), "page[size]": str(self.size)}
        return f"{self.url}?{urlencode({**self.query, **page})}"
