"""The base of all resources on the wire.

A resource's attributes and relationships share one namespace (JSON:API, "Fields"), so a model has both as plain fields
with the wire's names in snake_case. Models are tolerant: an omitted field is None; unknown fields and enumeration
values are kept unchanged.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, ClassVar, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    ValidationError,
)

from tfruns.jsonapi import JSON, MalformedDocument, ResourceKey, as_object

Included = Mapping[ResourceKey, Mapping[str, JSON]]
"""The included resources of a document, by type and id."""


def wire_time(moment: datetime) -> str:
    """A time as HCP Terraform writes it: RFC 3339 with milliseconds, in UTC with a Z (go-tfe parses no offset)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


WireTime = Annotated[AwareDatetime, PlainSerializer(wire_time, when_used="json")]
"""A time of the API."""

Timestamps = dict[str, WireTime | None]
"""The times of a resource's status changes in UTC, by the wire's key (`planned-at`)."""


def to_kebab(name: str) -> str:
    """The wire's name of a field."""
    return name.replace("_", "-")


class Related(BaseModel):
    """The type and id of a related resource."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    type: str
    id: str


def _linkage(value: JSON) -> JSON:
    """The `data` of a relationship object; None if it has only links."""
    return value.get("data") if isinstance(value, Mapping) else value


def _linkages(value: JSON) -> JSON:
    return _linkage(value) or ()


ToOne = Annotated[Related | None, BeforeValidator(_linkage)]
ToMany = Annotated[tuple[Related, ...], BeforeValidator(_linkages)]

ResourceT = TypeVar("ResourceT", bound="Resource")


@cache
def _relationships_of(kind: type["Resource"]) -> frozenset[str]:
    """The wire's names of the fields that are relationships."""
    return frozenset(
        to_kebab(name)
        for name, field in kind.model_fields.items()
        if any(getattr(item, "func", None) in {_linkage, _linkages} for item in field.metadata)
    )


class Resource(BaseModel):
    """A resource of the API, parsed from a JSON:API document."""

    model_config = ConfigDict(
        frozen=True, extra="allow", alias_generator=to_kebab, populate_by_name=True, defer_build=True
    )

    wire_type: ClassVar[str]
    id: str
    _included: Included = PrivateAttr(default_factory=dict)
    _document: JSON = PrivateAttr(default=None)

    @classmethod
    def from_wire(cls, resource: JSON, included: Included | None = None, document: JSON = None) -> Self:
        """Parse a resource object.

        Args:
            resource: the object, with type, id, attributes and relationships.
            included: the included resources of the same document, for `follow`.
            document: the whole document, if the resource is its primary resource.

        Raises:
            MalformedDocument: it is not an object, or has another type.
            pydantic.ValidationError: a field does not have the documented shape.
        """
        resource = as_object(resource, "the resource")
        if resource.get("type") != cls.wire_type:
            raise MalformedDocument(f"the resource is not of the type {cls.wire_type}")
        attributes = as_object(resource.get("attributes") or {}, "the attributes")
        relationships = as_object(resource.get("relationships") or {}, "the relationships")
        model = cls.model_validate({**attributes, **relationships, "id": resource.get("id")})
        model._included = included or {}  # noqa: SLF001  # its own
        model._document = document  # noqa: SLF001
        return model

    def to_wire(self) -> dict[str, JSON]:
        """The resource object with the fields that were set, split into attributes and relationships."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        relationships = _relationships_of(type(self))
        return {
            "id": fields.pop("id"),
            "type": self.wire_type,
            "attributes": {name: value for name, value in fields.items() if name not in relationships},
            "relationships": {name: {"data": value} for name, value in fields.items() if name in relationships},
        }

    @property
    def document(self) -> JSON:
        """The API's document that the resource was parsed from; None for a list item. It may contain secrets."""
        return self._document

    def follow(self, related: Related | None, to: type[ResourceT]) -> ResourceT | None:
        """The related resource; None unless it was requested with `include` and is complete."""
        found = self._included.get((related.type, related.id)) if related is not None else None
        try:
            return to.from_wire(found, self._included) if found is not None else None
        except (MalformedDocument, ValidationError):
            return None


class Flags(BaseModel):
    """A set of named flags, such as a run's permissions. An omitted flag is None."""

    model_config = ConfigDict(
        frozen=True, extra="allow", alias_generator=to_kebab, populate_by_name=True, defer_build=True
    )


Secret = Annotated[str | None, Field(repr=False)]
"""A value that `repr` never shows: a variable's value, a signed URL."""
